"""All that the simulator serves and the SDK can call was called."""

import urllib.error
import urllib.request

import test_kafka
import test_rocketmq
from case import Case
from differences import DIFFERENCES
from loopback import urlopen
from service import Service


class Served(Case):
    def test_every_served_operation_was_called_with_success(self):
        done = {call["operation"] for call in self.cloud.calls() if (call["status"] or 500) < 300}
        served = set()
        for engine, service, instance_id in (
            ("kafka", self.kafka(), test_kafka.Kafka.instance_id),
            ("reliability", self.rocketmq(), test_rocketmq.RocketMQ.instance_id),
        ):
            for operation, method, path in service.operations():
                path = path.replace("{engine}", engine).replace("{instance_id}", instance_id)
                if heard := self.heard(method, path):
                    self.assertEqual(heard, operation, path)
                    served.add((engine, operation))
        print(f"{len(served)} operations are served", flush=True)
        self.assertEqual({operation for _, operation in served} - done, set())

    def test_every_known_difference_was_met(self):
        self.assertEqual(DIFFERENCES.keys() - Service.seen, set())

    def heard(self, method, path):
        """The operation that the simulator takes an unsigned call for, or None if it is served by nobody."""
        segments = [self.cloud.project_id if part == "{project_id}" else part.strip("{}") for part in path.split("/")]
        request = urllib.request.Request(self.cloud.url + "/".join(segments), method=method)
        try:
            urlopen(request, 30)
        except urllib.error.HTTPError as refusal:
            if refusal.code == 404:
                return None
            self.assertEqual(refusal.code, 401)
            return self.cloud.calls()[-1]["operation"]
        self.fail(f"{method} {path} takes anybody")
