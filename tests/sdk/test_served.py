"""All that the simulator serves was called.

But for IAM's token, which the SDK never asks for; the list of projects is no operation of the SDK, but its core asks for it
(test_account).
"""

import urllib.error
import urllib.request

import test_kafka
import test_rocketmq
from case import Case
from differences import DIFFERENCES
from loopback import urlopen
from service import Service, camel_case

# What Kafka's SDK has under paths of RocketMQ's that are served: with what it is called.
OF_ROCKETMQ = {
    "show_group": {"group": "orders"},
    "delete_group": {"group": "orders"},
    "show_kafka_topic_partition_diskusage": {},
}


class Served(Case):
    def test_every_served_operation_went_well(self):
        served, others = set(), {("kafka", camel_case(method)) for method in OF_ROCKETMQ}
        for engine, service, instance_id in (
            ("kafka", self.kafka(), test_kafka.Kafka.instance_id),
            ("rocketmq", self.rocketmq(), test_rocketmq.RocketMQ.instance_id),
        ):
            for operation, method, path in service.operations():
                path = path.replace("{engine}", engine).replace("{instance_id}", instance_id)
                if (engine, operation) not in others and (heard := self.heard(method, path)):
                    self.assertEqual(heard, operation, path)
                    served.add((engine, operation))
        self.assertEqual(served, Service.called)

    def test_what_is_rocketmqs_is_refused_to_an_instance_of_kafka(self):
        service, instance_id = self.kafka(), test_kafka.Kafka.instance_id
        for method, parameters in OF_ROCKETMQ.items():
            self.refused(400, "DMS.00400007", getattr(service, method), instance_id=instance_id, **parameters)

    def test_every_known_difference_was_met(self):
        self.assertEqual(DIFFERENCES.keys(), Service.met)

    def heard(self, method, path):
        """The operation that the simulator takes an unsigned call for, or None if it serves none there."""
        segments = [self.cloud.project_id if part == "{project_id}" else part.strip("{}") for part in path.split("/")]
        request = urllib.request.Request(self.cloud.url + "/".join(segments), method=method)
        try:
            urlopen(request, 30)
        except urllib.error.HTTPError as refusal:
            # What is not served is refused before the signature is looked at.
            if refusal.code == 404:
                return None
            self.assertEqual(refusal.code, 401)
            return self.cloud.calls()[-1]["operation"]
        self.fail(f"{method} {path} takes anybody")
