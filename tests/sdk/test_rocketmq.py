"""RocketMQ: each kind is created, listed, changed and deleted; the children on 4.8.0 and on 5.x."""

from huaweicloudsdkrocketmq.v2 import (
    BatchCreateOrDeleteTagReq,
    BatchUpdateConsumerGroup,
    BatchUpdateConsumerGroupReq,
    CreateConsumerGroupOrBatchDeleteConsumerGroupReq,
    CreateInstanceByEngineReq,
    CreateTopicOrBatchDeleteTopicReq,
    CreateTopicReqQueues,
    ResizeEngineInstanceReq,
    TagEntity,
    TopicBrokers,
    UpdateConsumerGroup,
    UpdateInstanceReq,
    UpdateTopicQueueEntity,
    UpdateTopicReq,
)

from case import NETWORK, ZONES, Case

SPECIFICATION = {
    "engine": "reliability",
    "engine_version": "4.8.0",
    "product_id": "c6.4u8g.cluster",
    "broker_num": 2,
    "storage_space": 1200,
    "storage_spec_code": "dms.physical.storage.ultra.v2",
    "available_zones": ZONES[:1],
    **NETWORK,
}
SPECIFICATION_5 = SPECIFICATION | {
    "engine_version": "5.x",
    "product_id": "rocketmq.b1.large.1",
    "broker_num": 1,
    "storage_space": 200,
}
# What the examples of 5.1.1 and 5.1.3 both print, but for public access and what is of 5.x only.
PRINTED = """
    name engine status type specification engine_version instance_id resource_spec_code charging_mode vpc_id
    vpc_name created_at product_id security_group_id security_group_name subnet_id available_zones
    available_zone_names user_id user_name maintain_begin maintain_end enable_log_collection storage_space
    total_storage_space used_storage_space enable_publicip ssl_enable cross_vpc_info storage_resource_id
    storage_spec_code service_type storage_type enterprise_project_id extend_times ipv6_enable support_features
    disk_encrypted ces_version new_spec_billing_enable namesrv_address broker_address
""".split()
# A name of which a path needs every special character encoded, once.
AWKWARD, ENCODED = "%RETRY%ns|orders", "%25RETRY%25ns%7Corders"


class RocketMQ(Case):
    @classmethod
    def setUpClass(cls):
        cls.service = cls.rocketmq()
        cls.instance_id = cls.create("sdk-rocketmq", **SPECIFICATION)
        cls.instance_id_5 = cls.create("sdk-rocketmq-5", **SPECIFICATION_5)
        for instance_id in (cls.instance_id, cls.instance_id_5):
            cls.running(cls.service, instance_id)

    @classmethod
    def create(cls, name, **fields):
        body = CreateInstanceByEngineReq(name=name, **fields)
        return cls.service.create_instance_by_engine(engine="reliability", body=body).instance_id

    def test_instance(self):
        service = self.service
        # As the reference's own example says it.
        instance_id = self.create(
            "sdk-rocketmq-life",
            **SPECIFICATION,
            description="bought by the SDK",
            enterprise_project_id="0",
            ssl_enable=False,
            ipv6_enable=False,
            enable_publicip=False,
            publicip_id="",
        )
        self.assertEqual(service.show_instance(instance_id=instance_id).status, "CREATING")
        seen = self.running(service, instance_id)
        for field, expected in {
            **SPECIFICATION,
            "storage_space": 1116,
            "total_storage_space": 1200,
            "name": "sdk-rocketmq-life",
            "description": "bought by the SDK",
            "instance_id": instance_id,
            "enable_acl": False,
            "enable_publicip": False,
            "ipv6_enable": False,
            "extend_times": 0,
            "enterprise_project_id": "0",
        }.items():
            self.assertEqual(getattr(seen, field), expected, field)
        self.assertEqual([field for field in PRINTED if getattr(seen, field) is None], [])
        self.assertTrue(int(seen.created_at) > 0 and seen.grpc_address is None)

        by_name = dict(engine="reliability", name="sdk-rocketmq-life", exact_match_name="true", limit=5)
        listed = self.until(lambda: service.list_instances(**by_name), lambda seen: seen.instance_num)
        self.assertEqual([i.instance_id for i in listed.instances], [instance_id])
        self.assertEqual([field for field in PRINTED if getattr(listed.instances[0], field) is None], [])

        brokers = service.list_brokers(instance_id=instance_id)
        self.assertEqual([broker.broker_name for broker in brokers.brokers], ["broker-0", "broker-1"])
        self.assertEqual((brokers.brokers[0].ids, brokers.total, brokers.next_offset), ([0, 1, 2], 2, -1))

        body = UpdateInstanceReq(
            name="sdk-rocketmq-renamed", description="changed", security_group_id="group-2", enable_acl=True
        )
        self.assertEqual(service.update_instance(instance_id=instance_id, body=body).status_code, 204)
        seen = service.show_instance(instance_id=instance_id)
        self.assertEqual(
            (seen.name, seen.description, seen.security_group_id, seen.enable_acl),
            ("sdk-rocketmq-renamed", "changed", "group-2", True),
        )

        self.assertEqual(service.delete_instance(instance_id=instance_id).status_code, 204)
        self.until(lambda: self.state(instance_id), lambda instance: instance is None)
        self.refused(404, "DMS.00404022", service.show_instance, instance_id=instance_id)
        by_name["name"] = "sdk-rocketmq-renamed"
        self.until(lambda: service.list_instances(**by_name), lambda seen: not seen.instances)

    def test_instance_of_5(self):
        seen = self.service.show_instance(instance_id=self.instance_id_5)
        self.assertEqual((seen.engine_version, seen.product_id), ("5.x", "rocketmq.b1.large.1"))
        self.assertTrue(seen.grpc_address and seen.broker_num is None)

    def test_resize(self):
        service, instance_id = self.service, self.create("sdk-rocketmq-grows", **SPECIFICATION)
        self.running(service, instance_id)
        answer = service.show_engine_instance_extend_product_info(
            engine="rocketmq", instance_id=instance_id, type="advanced"
        )
        product = next(product for product in answer.products if product.product_id == "c6.8u16g.cluster")
        self.assertEqual((answer.versions, product.properties.max_topic_per_broker), (["4.8.0"], "8000"))

        for change, expected in (
            ({"oper_type": "storage", "new_storage_space": 1400}, (1400, 2, "c6.4u8g.cluster")),
            ({"oper_type": "horizontal", "new_broker_num": 3, "new_storage_space": 2100}, (2100, 3, "c6.4u8g.cluster")),
            ({"oper_type": "vertical", "new_product_id": "c6.8u16g.cluster"}, (2100, 3, "c6.8u16g.cluster")),
        ):
            body = ResizeEngineInstanceReq(**change)
            job = service.resize_instance(engine="rocketmq", instance_id=instance_id, body=body).job_id
            self.succeeded(service, instance_id, job)
            seen = service.show_instance(instance_id=instance_id)
            self.assertEqual((seen.total_storage_space, seen.broker_num, seen.product_id), expected)
        tasks = service.list_background_tasks(instance_id=instance_id, start=1, limit=10)
        self.assertEqual((tasks.task_count, {task.status for task in tasks.tasks}), ("3", {"SUCCESS"}))

    def test_tags(self):
        service, instance_id = self.service, self.instance_id
        tags = [TagEntity(key="cost centre", value="a:b"), TagEntity(key="empty", value="")]
        act = lambda action, tags: service.batch_create_or_delete_rocketmq_tag(
            instance_id=instance_id, body=BatchCreateOrDeleteTagReq(action=action, tags=tags)
        )
        self.assertEqual(act("create", tags).status_code, 204)
        self.until(lambda: service.show_rocketmq_tags(instance_id=instance_id).tags, lambda seen: seen == tags)
        act("delete", [TagEntity(key="empty")])
        self.until(lambda: service.show_rocketmq_tags(instance_id=instance_id).tags, lambda seen: seen == tags[:1])
        self.assertEqual(self.state(instance_id)["tags"], {"cost centre": "a:b"})

    def test_topic(self):
        service, instance_id = self.service, self.instance_id
        show = lambda: service.show_one_topic(instance_id=instance_id, topic=AWKWARD)
        queues = [CreateTopicReqQueues(broker="broker-0", queue_num=3), CreateTopicReqQueues("broker-1", 4.0)]
        self.create_topic(instance_id, name=AWKWARD, permission="all", queues=queues)
        self.create_topic(instance_id, name="spread", permission="sub", brokers=["broker-0"], queue_num=5)
        topics = self.topics(instance_id)
        brokers = [TopicBrokers("broker-0", 3, 3), TopicBrokers("broker-1", 4, 4)]
        for topic in (topics[AWKWARD], show()):
            self.assertEqual((topic.total_read_queue_num, topic.total_write_queue_num), (7, 7))
            self.assertEqual((topic.permission, topic.brokers, topic.message_type), ("all", brokers, None))
        self.assertEqual((topics["spread"].permission, topics["spread"].total_read_queue_num), ("sub", 5))

        queues = [UpdateTopicQueueEntity(broker="broker-0", read_queue_num=6, write_queue_num=5)]
        self.update_topic(instance_id, AWKWARD, permission="pub", queues=queues, topic_desc="orders")
        seen = self.until(show, lambda topic: topic.permission == "pub")
        self.assertEqual(seen.brokers, [TopicBrokers("broker-0", 6, 5), TopicBrokers("broker-1", 4, 4)])
        self.update_topic(instance_id, AWKWARD, read_queue_num=8, write_queue_num=8)
        self.until(show, lambda topic: (topic.total_read_queue_num, topic.total_write_queue_num) == (8, 8))

        self.settled(instance_id)
        self.assertEqual(service.delete_topic(instance_id=instance_id, topic=AWKWARD).status_code, 204)
        self.until(lambda: self.names(instance_id, "topics"), lambda names: AWKWARD not in names)
        self.refused(400, "DMS.00400876", show)
        paths = {call["path"].partition("/topics/")[2] for call in self.cloud.calls()}
        self.assertEqual({path for path in paths if "RETRY" in path}, {ENCODED})
        self.delete_topics(instance_id, "spread")

    def test_topic_of_5(self):
        instance_id = self.instance_id_5
        self.create_topic(instance_id, name="orders", message_type="FIFO")
        topic = self.topics(instance_id)["orders"]
        self.assertEqual((topic.message_type, topic.total_read_queue_num, len(topic.brokers)), ("FIFO", 8, 1))
        self.refused(
            400,
            "DMS.00400062",
            lambda: self.create_topic(instance_id, name="other", message_type="NORMAL", brokers=["broker-0"]),
        )
        self.delete_topics(instance_id, "orders")

    def test_group(self):
        service, instance_id = self.service, self.instance_id
        show = lambda: service.show_group(instance_id=instance_id, group=AWKWARD)
        self.create_group(
            instance_id, name=AWKWARD, group_desc="orders", brokers=["broker-0"], broadcast=False, retry_max_time=16
        )
        for seen in (self.groups(instance_id)[AWKWARD], show()):
            self.assertEqual((seen.group_desc, seen.brokers, seen.permissions), ("orders", ["broker-0"], []))
            self.assertEqual((seen.enabled, seen.broadcast, seen.retry_max_time), (True, False, 16))

        self.usage(instance_id)
        self.settled(instance_id)
        body = UpdateConsumerGroup(enabled=False, broadcast=True, retry_max_time=10, brokers=["broker-0", "broker-1"])
        answer = service.update_consumer_group(instance_id=instance_id, group=AWKWARD, body=body)
        self.assertEqual(answer.status_code, 204)
        seen = self.until(show, lambda group: not group.enabled)
        self.assertEqual((seen.broadcast, seen.retry_max_time, seen.brokers), (True, 10, ["broker-0", "broker-1"]))

        self.batch_update(instance_id, name=AWKWARD, enabled=True, broadcast=True, retry_max_time=3, group_desc="new")
        self.assertEqual((show().enabled, show().retry_max_time, show().group_desc), (True, 3, "new"))

        answer = service.delete_consumer_group(instance_id=instance_id, group=AWKWARD)
        self.assertEqual(answer.status_code, 204)
        self.until(lambda: self.names(instance_id, "groups"), lambda names: AWKWARD not in names)
        self.refused(404, "DMS.10240405", show)

    def usage(self, instance_id):
        """Clients come, leave messages unread, and go."""
        service, group = self.service, dict(instance_id=instance_id, group=AWKWARD)
        self.create_topic(instance_id, name="consumed", queue_num=2, brokers=["broker-0"], permission="all")
        self.cloud.leave_unread(instance_id, AWKWARD, "consumed", 7)
        for members in (1, 0):
            self.cloud.connect(instance_id, AWKWARD, members)
            seen = service.show_consumer_connections(**group, limit=10, offset=0, is_detail=True)
            self.assertEqual((seen.group_name, seen.online, seen.total), (AWKWARD, members == 1, members))
            self.assertEqual([s.topic for client in seen.clients for s in client.subscriptions], ["consumed"] * members)
        seen = service.show_consumer_list_or_details(**group)
        self.assertEqual((seen.topics, seen.total), (["consumed"], 1))
        seen = service.show_consumer_list_or_details(**group, topic="consumed")
        self.assertEqual((seen.lag, seen.max_offset, seen.consumer_offset), (7, 7, 0))
        topic = dict(instance_id=instance_id, topic="consumed")
        self.assertEqual(service.list_consumer_group_of_topic(**topic).groups, [AWKWARD])
        [broker] = service.show_topic_status(**topic).brokers
        self.assertEqual([(q.min_offset, q.max_offset) for q in broker.queues], [(0, 7), (0, 0)])
        self.delete_topics(instance_id, "consumed")

    def test_group_of_5(self):
        service, instance_id = self.service, self.instance_id_5
        fields = dict(name="orders", broadcast=False, retry_max_time=16, consume_orderly=True)
        self.create_group(instance_id, **fields)
        group = self.groups(instance_id)["orders"]
        self.assertEqual((group.consume_orderly, group.enabled, group.group_desc), (True, True, None))
        self.batch_update(instance_id, **fields | {"consume_orderly": False, "enabled": True})
        self.assertFalse(self.groups(instance_id)["orders"].consume_orderly)

        body = CreateConsumerGroupOrBatchDeleteConsumerGroupReq(groups=["orders"])
        job = service.create_consumer_group_or_batch_delete_consumer_group(
            instance_id=instance_id, action="delete", body=body
        ).job_id
        self.succeeded(service, instance_id, job)
        self.assertEqual(self.state(instance_id)["groups"], [])
        self.assertEqual(self.groups(instance_id), {})

    def settled(self, instance_id):
        """Waits for tasks of which no answer told."""
        self.until(
            lambda: self.service.list_background_tasks(instance_id=instance_id, limit=100),
            lambda seen: all(task.status == "SUCCESS" for task in seen.tasks),
        )

    def complete(self, read):
        """The list when its lag is over: only then it agrees with the number of what remains, which has no lag."""
        answer = self.until(read, lambda seen: seen.remaining == seen.max - seen.total)
        self.assertEqual((answer.next_offset, answer.previous_offset), (-1, -1))
        return answer

    def names(self, instance_id, kind):
        return [item["name"] for item in self.state(instance_id)[kind]]

    def topics(self, instance_id):
        page = dict(instance_id=instance_id, limit=50, offset=0)
        answer = self.complete(lambda: self.service.list_rocket_instance_topics(**page))
        self.assertEqual(answer.total, len(answer.topics))
        return {topic.name: topic for topic in answer.topics}

    def create_topic(self, instance_id, **fields):
        self.settled(instance_id)
        body = CreateTopicOrBatchDeleteTopicReq(**fields)
        answer = self.service.create_topic_or_batch_delete_topic(instance_id=instance_id, body=body)
        self.assertEqual((answer.id, answer.job_id), (fields["name"], None))

    def update_topic(self, instance_id, topic, **fields):
        self.settled(instance_id)
        body = UpdateTopicReq(**fields)
        answer = self.service.update_topic(instance_id=instance_id, topic=topic, body=body)
        self.assertEqual(answer.status_code, 204)

    def delete_topics(self, instance_id, *names):
        self.settled(instance_id)
        body = CreateTopicOrBatchDeleteTopicReq(topics=list(names))
        answer = self.service.create_topic_or_batch_delete_topic(instance_id=instance_id, action="delete", body=body)
        self.succeeded(self.service, instance_id, answer.job_id)
        self.assertEqual(self.state(instance_id)["topics"], [])
        self.assertEqual(self.topics(instance_id), {})

    def groups(self, instance_id):
        page = dict(instance_id=instance_id, limit=50, offset=0)
        answer = self.complete(lambda: self.service.list_instance_consumer_groups(**page))
        self.assertEqual(answer.total, len(answer.groups))
        return {group.name: group for group in answer.groups}

    def create_group(self, instance_id, **fields):
        self.settled(instance_id)
        body = CreateConsumerGroupOrBatchDeleteConsumerGroupReq(**fields)
        answer = self.service.create_consumer_group_or_batch_delete_consumer_group(instance_id=instance_id, body=body)
        self.assertEqual((answer.name, answer.job_id), (fields["name"], None))

    def batch_update(self, instance_id, **fields):
        self.settled(instance_id)
        body = BatchUpdateConsumerGroupReq(groups=[BatchUpdateConsumerGroup(**fields)])
        job = self.service.batch_update_consumer_group(instance_id=instance_id, body=body).job_id
        self.succeeded(self.service, instance_id, job)
