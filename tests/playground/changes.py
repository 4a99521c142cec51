"""What the tour changes in the examples: through their objects, and behind the operator's back."""

from typing import Any, NamedTuple, Optional


class Edit(NamedTuple):
    """An edit of an object's spec, and what the cloud has of it in the end: where, and what."""

    target: str
    spec: dict
    path: tuple
    value: Any


class Drift(NamedTuple):
    """A call to the service as its console would make it; names of instances in the path stand for their ids."""

    what: str
    method: str
    path: str
    body: Optional[dict]


RATE = 20 * 2**20
TEXT = "Edited in the tour"

EDITS = [
    Edit("topic/orders", {"kafka": {"partitions": 9}}, ("events", "topics", "orders", "partition"), 9),
    # On two brokers.
    Edit("topic/payments", {"rocketmq": {"queueNum": 12}}, ("shop", "topics", "payments", "queues", 1, "write"), 6),
    Edit("consumergroup/billing", {"description": TEXT}, ("events", "groups", "billing", "description"), TEXT),
    Edit("consumergroup/ledger", {"rocketmq": {"maxRetries": 3}}, ("shop", "groups", "GID_ledger", "retryMaxTime"), 3),
    Edit("kafkauserquota/importer", {"producerByteRate": RATE}, ("events", "quotas", "importer", "producer-byte-rate"), RATE),
    Edit("rocketmqinstance/mail", {"enableAcl": True}, ("mail", "enableAcl"), True),
    Edit("kafkainstance/events", {"description": TEXT}, ("events", "description"), TEXT),
    Edit("kafkainstance/events", {"storageSpace": 900}, ("events", "storageSpace"), 900),
    Edit("rocketmqinstance/shop", {"storageSpace": 800}, ("shop", "storageSpace"), 800),
]

KAFKA, ROCKETMQ, MAIL = (f"v2/{{project}}/instances/{{{name}}}" for name in ("events", "shop", "mail"))
RETENTION = {"topics": [{"id": "shop.audit", "retention_time": 1}]}
UNTAGGED = {"action": "delete", "tags": [{"key": "env"}]}
SLOW = {
    "user": "",
    "client": "importer",
    "user-default": False,
    "client-default": False,
    "producer-byte-rate": 1024,
    "consumer-byte-rate": 1024,
}
FEW = {"permission": "sub", "read_queue_num": 2, "write_queue_num": 2}
DISABLED = {"groups": [{"name": "GID_ledger", "enabled": False}]}
BY_HAND = {"description": "Changed by hand"}

DRIFTS = [
    Drift("Kafka: the retention of topic shop.audit", "PUT", f"{KAFKA}/topics", RETENTION),
    Drift("Kafka: topic orders, which is deleted", "POST", f"{KAFKA}/topics/delete", {"topics": ["orders"]}),
    Drift("Kafka: group billing, which is deleted", "POST", f"{KAFKA}/groups/batch-delete", {"group_ids": ["billing"]}),
    Drift("Kafka: the quota", "PUT", "v2/kafka/{project}/instances/{events}/kafka-user-client-quota", SLOW),
    Drift("Kafka: the instance's tag env, which is deleted", "POST", "v2/{project}/kafka/{events}/tags/action", UNTAGGED),
    Drift("Kafka: the instance's description", "PUT", KAFKA, BY_HAND),
    Drift("RocketMQ: permission and queues of topic payments", "PUT", f"{ROCKETMQ}/topics/payments", FEW),
    Drift("RocketMQ: group GID_ledger, which may not consume", "PUT", f"{ROCKETMQ}/groups", DISABLED),
    Drift("RocketMQ: group postmen, which is deleted", "DELETE", f"{MAIL}/groups/postmen", None),
    Drift("RocketMQ: the instance's tag env, which is deleted", "POST", "v2/{project}/rocketmq/{shop}/tags/action", UNTAGGED),
    Drift("RocketMQ: the instance's description", "PUT", ROCKETMQ, BY_HAND),
]
