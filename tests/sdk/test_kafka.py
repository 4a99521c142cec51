"""Kafka: each kind is created, listed, changed and deleted."""

from huaweicloudsdkkafka.v2 import (
    BatchCreateOrDeleteTagReq,
    BatchDeleteGroupReq,
    BatchDeleteInstanceTopicReq,
    CreateGroupReq,
    CreateInstanceByEngineReq,
    CreateInstanceTopicReq,
    CreateInstanceTopicReqTopicOtherConfigs,
    CreateKafkaUserClientQuotaTaskReq,
    DeleteKafkaUserClientQuotaTaskReq,
    GroupCreateReq,
    ResizeEngineInstanceReq,
    TagEntity,
    UpdateInstanceReq,
    UpdateInstanceTopicReq,
    UpdateInstanceTopicReqTopicOtherConfigs,
    UpdateInstanceTopicReqTopics,
    UpdateKafkaUserClientQuotaTaskReq,
)

from case import NETWORK, ZONES, Case

SPECIFICATION = {
    "engine": "kafka",
    "engine_version": "2.7",
    "product_id": "c6.2u4g.cluster",
    "broker_num": 3,
    "storage_space": 300,
    "storage_spec_code": "dms.physical.storage.high.v2",
    "available_zones": ZONES,
    **NETWORK,
}
# What the examples of 5.1.2 and 5.1.3 print.
PRINTED = """
    name engine port status type specification engine_version connect_address instance_id resource_spec_code
    charging_mode vpc_id vpc_name created_at product_id security_group_id security_group_name subnet_id
    available_zones available_zone_names user_id user_name maintain_begin maintain_end enable_log_collection
    new_auth_cert storage_space total_storage_space used_storage_space partition_num enable_publicip ssl_enable
    broker_ssl_enable cert_replaced management_connect_address cross_vpc_info storage_resource_id storage_spec_code
    service_type storage_type enterprise_project_id is_logical_volume extend_times retention_policy ipv6_enable
    ipv6_connect_addresses connector_enable connector_node_num connector_id rest_enable rest_connect_address
    kafka_public_status public_bandwidth message_query_inst_enable vpc_client_plain support_features trace_enable
    agent_enable pod_connect_address disk_encrypted kafka_private_connect_address enable_auto_topic
    new_spec_billing_enable ces_version
""".split()


class Kafka(Case):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.kafka()
        cls.instance_id = cls.create("sdk-kafka")
        cls.running(cls.service, cls.instance_id)

    @classmethod
    def create(cls, name, **fields):
        body = CreateInstanceByEngineReq(name=name, **SPECIFICATION, **fields)
        return cls.service.create_instance_by_engine(engine="kafka", body=body).instance_id

    def test_instance(self):
        service = self.service
        instance_id = self.create(
            "sdk-kafka-life",
            description="bought by the SDK",
            maintain_begin="22:00",
            maintain_end="02:00",
            retention_policy="time_base",
            ipv6_enable=False,
            enterprise_project_id="0",
            tags=[TagEntity(key="team", value="orders")],
        )
        self.assertEqual(service.show_instance(instance_id=instance_id).status, "CREATING")
        seen = self.running(service, instance_id)
        for field, expected in {
            **SPECIFICATION,
            "storage_space": 246,
            "total_storage_space": 300,
            "name": "sdk-kafka-life",
            "description": "bought by the SDK",
            "instance_id": instance_id,
            "maintain_begin": "22:00:00",
            "maintain_end": "02:00:00",
            "retention_policy": "time_base",
            "partition_num": "750",
            "ipv6_enable": False,
            "tags": [TagEntity(key="team", value="orders")],
        }.items():
            value = getattr(seen, field)
            self.assertEqual(sorted(value) if field == "available_zones" else value, expected_value(expected), field)
        self.assertEqual([field for field in PRINTED if getattr(seen, field) is None], [])
        self.assertTrue(int(seen.created_at) > 0 and len(seen.connect_address.split(",")) == 3)

        by_name = dict(engine="kafka", name="sdk-kafka-life", exact_match_name="true", include_failure="true", limit="9")
        listed = self.until(lambda: service.list_instances(**by_name), lambda seen: seen.instance_num)
        self.assertEqual([i.instance_id for i in listed.instances], [instance_id])
        self.assertEqual([field for field in PRINTED if getattr(listed.instances[0], field) is None], [])

        changes = dict(description="", security_group_id="group-2", maintain_begin="02:00:00", maintain_end="06:00:00")
        body = UpdateInstanceReq(name="sdk-kafka-renamed", retention_policy="produce_reject", **changes)
        self.assertEqual(service.update_instance(instance_id=instance_id, body=body).status_code, 204)
        seen = self.until(
            lambda: service.show_instance(instance_id=instance_id), lambda i: i.retention_policy == "produce_reject"
        )
        self.assertEqual(
            (seen.name, seen.description, seen.security_group_id, seen.maintain_begin),
            ("sdk-kafka-renamed", None, "group-2", "02:00:00"),
        )
        tasks = service.list_background_tasks(instance_id=instance_id, start=1, limit=10)
        self.assertEqual((tasks.task_count, [task.status for task in tasks.tasks]), ("1", ["SUCCESS"]))

        body = ResizeEngineInstanceReq(oper_type="storage", new_storage_space=600)
        job = service.resize_engine_instance(engine="kafka", instance_id=instance_id, body=body).job_id
        self.succeeded(service, instance_id, job)
        self.assertEqual(service.show_instance(instance_id=instance_id).total_storage_space, 600)

        self.assertEqual(service.delete_instance(instance_id=instance_id).status_code, 204)
        self.until(lambda: self.state(instance_id), lambda instance: instance is None)
        self.refused(404, "DMS.00404022", service.show_instance, instance_id=instance_id)
        self.until(lambda: service.list_instances(**by_name), lambda seen: not seen.instances)

    def test_tags(self):
        service, instance_id = self.service, self.instance_id
        tags = [TagEntity(key="cost centre", value="a:b"), TagEntity(key="empty", value="")]
        act = lambda action, tags: service.batch_create_or_delete_kafka_tag(
            instance_id=instance_id, body=BatchCreateOrDeleteTagReq(action=action, tags=tags)
        )
        self.assertEqual(act("create", tags).status_code, 204)
        self.until(lambda: service.show_kafka_tags(instance_id=instance_id).tags, lambda seen: seen == tags)
        act("delete", [TagEntity(key="empty")])
        self.until(lambda: service.show_kafka_tags(instance_id=instance_id).tags, lambda seen: seen == tags[:1])
        self.refused(404, "DMS.10240426", lambda: act("delete", [TagEntity(key="empty")]))
        self.assertEqual(self.state(instance_id)["tags"], {"cost centre": "a:b"})

    def test_topic(self):
        service, instance_id = self.service, self.instance_id

        def listed():
            answer = service.list_instance_topics(instance_id=instance_id, offset="0", limit="50")
            return [topic for topic in answer.topics if topic.name == "orders.v1"]

        config = {"name": "message.timestamp.type", "value": "CreateTime"}
        body = CreateInstanceTopicReq(
            id="orders.v1",
            partition=6,
            replication=3,
            retention_time=24,
            sync_replication=False,
            sync_message_flush=False,
            topic_other_configs=[CreateInstanceTopicReqTopicOtherConfigs(**config)],
            topic_desc="orders",
        )
        self.assertEqual(service.create_instance_topic(instance_id=instance_id, body=body).name, "orders.v1")
        [topic] = self.until(listed, bool)
        self.assertEqual((topic.partition, topic.replication, topic.retention_time), (6, 3, 24))
        self.assertEqual((topic.topic_desc, topic.topic_type, topic.policies_only), ("orders", 0, False))
        self.assertEqual({c.name: c.value for c in topic.topic_other_configs}["message.timestamp.type"], "CreateTime")
        self.assertTrue(topic.created_at > 0)

        change = UpdateInstanceTopicReqTopics(
            id="orders.v1",
            new_partition_numbers=9,
            new_partition_brokers=[0, 1],
            retention_time=48,
            sync_replication=True,
            topic_desc="all orders",
            topic_other_configs=[UpdateInstanceTopicReqTopicOtherConfigs(name="max.message.bytes", value="1048576")],
        )
        body = UpdateInstanceTopicReq(topics=[change])
        self.assertEqual(service.update_instance_topic(instance_id=instance_id, body=body).status_code, 204)
        [topic] = listed()
        self.assertEqual((topic.partition, topic.retention_time, topic.topic_desc), (9, 48, "all orders"))
        self.assertEqual({c.name: c.value for c in topic.topic_other_configs}["max.message.bytes"], "1048576")

        body = BatchDeleteInstanceTopicReq(topics=["orders.v1"])
        answer = service.batch_delete_instance_topic(instance_id=instance_id, body=body)
        self.assertEqual([(topic.id, topic.success) for topic in answer.topics], [("orders.v1", True)])
        self.until(listed, lambda seen: not seen)
        self.assertEqual(self.state(instance_id)["topics"], [])

    def test_quota(self):
        service, instance_id = self.service, self.instance_id
        listed = lambda: service.show_kafka_user_client_quota(instance_id=instance_id, offset=0, limit=10)
        identity = dict(user="", client="payments", user_default=False, client_default=False)
        body = CreateKafkaUserClientQuotaTaskReq(**identity, producer_byte_rate=2097152, consumer_byte_rate=1048576)
        job = service.create_kafka_user_client_quota_task(instance_id=instance_id, body=body).job_id
        self.succeeded(service, instance_id, job)
        [quota] = listed().quotas
        self.assertEqual((quota.client, quota.user, quota.client_default), ("payments", "", False))
        self.assertEqual((quota.producer_byte_rate, quota.consumer_byte_rate), (2097152, 1048576))

        body = UpdateKafkaUserClientQuotaTaskReq(**identity, producer_byte_rate=4194304, consumer_byte_rate=1048576)
        job = service.update_kafka_user_client_quota_task(instance_id=instance_id, body=body).job_id
        self.succeeded(service, instance_id, job)
        self.assertEqual(listed().quotas[0].producer_byte_rate, 4194304)

        body = DeleteKafkaUserClientQuotaTaskReq(**identity)
        job = service.delete_kafka_user_client_quota_task(instance_id=instance_id, body=body).job_id
        self.succeeded(service, instance_id, job)
        self.assertEqual((listed().quotas, listed().count), ([], 0))
        self.assertEqual(self.state(instance_id)["quotas"], [])

    def test_group(self):
        service, instance_id = self.service, self.instance_id
        listed = lambda: service.list_instance_consumer_groups(instance_id=instance_id, group="orders", limit="50")
        group = dict(engine="kafka", instance_id=instance_id, group="orders.v1")
        for name, description in (("orders.v1", "orders"), ("payments", None)):
            body = CreateGroupReq(group_name=name, group_desc=description)
            self.assertEqual(service.create_kafka_consumer_group(instance_id=instance_id, body=body).body, "success")
        [seen] = self.until(listed, lambda seen: seen.total == 1).groups
        self.assertEqual((seen.group_id, seen.group_desc, seen.state, seen.lag), ("orders.v1", "orders", "EMPTY", 0))
        self.assertTrue(seen.created_at > 0 and seen.coordinator_id is not None)
        seen = service.list_instance_consumer_group(**group).group
        self.assertEqual((seen.group_id, seen.state), ("orders.v1", "EMPTY"))
        self.usage("orders.v1")

        body = GroupCreateReq(group_name="orders.v1", group_desc="all orders")
        self.assertEqual(service.update_instance_consumer_group(**group, body=body).status_code, 200)
        self.until(listed, lambda seen: seen.groups[0].group_desc == "all orders")

        self.assertEqual(service.delete_instance_consumer_group(**group).status_code, 200)
        self.until(listed, lambda seen: not seen.groups)
        body = BatchDeleteGroupReq(group_ids=["payments", "orders.v1"])
        answer = service.batch_delete_group(instance_id=instance_id, body=body)
        self.assertEqual((answer.total, [failed.group_id for failed in answer.failed_groups]), (1, ["orders.v1"]))
        self.assertTrue(answer.failed_groups[0].error_message)
        self.assertEqual(self.state(instance_id)["groups"], [])

    def usage(self, group):
        """Clients come, leave messages unread, and go."""
        service, instance_id = self.service, self.instance_id
        body = CreateInstanceTopicReq(id="consumed", partition=3)
        service.create_instance_topic(instance_id=instance_id, body=body)
        for members in (2, 0):
            self.cloud.connect(instance_id, group, members)
            self.cloud.leave_unread(instance_id, group, "consumed", 7)
            seen = service.show_groups(instance_id=instance_id, group=group).group
            self.assertEqual((seen.group_id, seen.state), (group, "STABLE" if members else "EMPTY"))
            self.assertEqual([member.client_id for member in seen.members], ["consumer-1", "consumer-2"][:members])
            self.assertEqual([(o.topic, o.lag) for o in seen.group_message_offsets], [("consumed", n) for n in (3, 2, 2)])
        seen = service.show_instance_topic_detail(instance_id=instance_id, topic="consumed")
        self.assertEqual((seen.topic, seen.group_subscribed), ("consumed", [group]))
        self.assertEqual([(p.lso, p.leo, len(p.replicas)) for p in seen.partitions], [(0, n, 3) for n in (3, 2, 2)])
        body = BatchDeleteInstanceTopicReq(topics=["consumed"])
        self.assertTrue(service.batch_delete_instance_topic(instance_id=instance_id, body=body).topics[0].success)


def expected_value(value):
    return sorted(value) if value == ZONES else value
