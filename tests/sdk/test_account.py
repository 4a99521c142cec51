"""Who calls: keys and the project."""

import huaweicloudsdkkafka.v2 as kafka_sdk
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region

from case import Case
from environment import REGION


class Account(Case):
    def test_the_project_is_found_by_the_name_of_its_region(self):
        credentials = BasicCredentials(self.cloud.access_key, self.cloud.secret_key).with_iam_endpoint(self.cloud.url)
        region = Region(REGION, self.cloud.url)
        client = kafka_sdk.KafkaClient.new_builder().with_credentials(credentials).with_region(region).build()
        self.assertEqual(client.get_credentials().project_id, self.cloud.project_id)
        client.list_instances(kafka_sdk.ListInstancesRequest(engine="kafka"))

    def test_a_wrong_secret_key_is_refused(self):
        credentials = BasicCredentials(self.cloud.access_key, "another", self.cloud.project_id)
        client = kafka_sdk.KafkaClient.new_builder().with_credentials(credentials).with_endpoint(self.cloud.url).build()
        with self.assertRaises(ClientRequestException) as caught:
            client.list_available_zones(kafka_sdk.ListAvailableZonesRequest())
        self.assertEqual((caught.exception.status_code, caught.exception.error_code), (401, "APIGW.0301"))

    def test_zones_are_listed_by_both(self):
        for service in (self.kafka(), self.rocketmq()):
            answer = service.list_available_zones()
            zones = [zone for zone in answer.available_zones if not zone.sold_out and zone.default_az]
            self.assertEqual([(zone.name, zone.code) for zone in zones], [("AZ1", f"{REGION}a")])
            self.assertEqual(answer.region_id, REGION)
