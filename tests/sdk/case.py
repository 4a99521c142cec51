"""What the tests have in common: the simulator that all of them call, and the SDK's clients for it."""

import time
import unittest

import huaweicloudsdkkafka.v2 as kafka_sdk
import huaweicloudsdkrocketmq.v2 as rocketmq_sdk
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from service import Service

# Of the simulator's zones, three that are not sold out and have IPv6.
ZONES = ["d539378ec1314c85b76fefa3f7071458", "9f1c5806706d4c1fb0eb72f0a9b18c77", "38b0f7a602344246bcb0da47b5d548e7"]
NETWORK = {"vpc_id": "vpc-1", "subnet_id": "subnet-1", "security_group_id": "group-1"}


class Case(unittest.TestCase):
    """`cloud` is the simulator as the playground knows it; who runs the tests sets it."""

    cloud = None
    maxDiff = None

    @classmethod
    def credentials(cls):
        return BasicCredentials(cls.cloud.access_key, cls.cloud.secret_key, cls.cloud.project_id)

    @classmethod
    def kafka(cls):
        client = kafka_sdk.KafkaClient.new_builder().with_credentials(cls.credentials())
        return Service("kafka", kafka_sdk, client.with_endpoint(cls.cloud.url).build())

    @classmethod
    def rocketmq(cls):
        client = rocketmq_sdk.RocketMQClient.new_builder().with_credentials(cls.credentials())
        return Service("rocketmq", rocketmq_sdk, client.with_endpoint(cls.cloud.url).build())

    @classmethod
    def state(cls, instance_id):
        """The instance as the simulator knows it, or None."""
        return next((i for i in cls.cloud.state()["instances"] if i["id"] == instance_id), None)

    def refused(self, status, code, call, **parameters):
        """The call is refused, and the SDK can say with which code."""
        with self.assertRaises(ClientRequestException) as caught:
            call(**parameters)
        error = caught.exception
        self.assertEqual((error.status_code, error.error_code), (status, code), error)
        self.assertTrue(error.error_msg and error.request_id)

    @staticmethod
    def until(read, holds, limit=20):
        """Reads until it holds, and returns what was read."""
        deadline = time.monotonic() + limit
        while not holds(value := read()):
            assert time.monotonic() < deadline, f"still {value}"
            time.sleep(0.02)
        return value

    @classmethod
    def running(cls, service, instance_id):
        """Waits for the instance, and returns it as the SDK shows it."""
        return cls.until(lambda: service.show_instance(instance_id=instance_id), lambda seen: seen.status == "RUNNING")

    @classmethod
    def succeeded(cls, service, instance_id, job_id):
        """Waits for the job's task, and returns it as the SDK shows it."""
        show = lambda: service.show_background_task(instance_id=instance_id, task_id=job_id)
        [task] = cls.until(show, lambda seen: [task.status for task in seen.tasks] == ["SUCCESS"]).tasks
        return task
