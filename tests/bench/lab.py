"""Where a row is measured: a control plane, a simulator with a gateway's limit, the operator, many topics, and eyes on all."""

import base64
import calendar
import http.client
import json
import os
import ssl
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from cluster import VENDOR_DOMAINS, Kubectl, Operator
from environment import REGION, Environment
from ui import Failure, Live

API, GROUP = "dms.huaweicloud.com/v1alpha1", "dms.huaweicloud.com"
TOPICS = f"/apis/{API}/namespaces/default/topics"
# The gateway as it is known: calls a second for one user, and the time that an answer takes on the way.
LIMIT, LATENCY = 20, 0.05
# Jobs are sixty times as fast as in the service; topics are listed 5 s late, as there.
SPEED, LAG = 60, 5
PAGE = 50
THREADS = 6


class Lab:
    """Everything that a row needs; a context that ends what it started."""

    def __init__(self, folder, binaries, resync="10m", poll="5s", limit=LIMIT, latency=LATENCY):
        flags = [f"--rate-limit={limit}", f"--latency={round(latency * 1000)}ms", f"--topic-lag={LAG * SPEED}"]
        # Only what we make is listed: pages can be counted in the head.
        self.env = Environment.start(folder, binaries, SPEED, flags=[*flags, "--hide-system-topics", "--seed=1"])
        self.cloud, self.kubectl, self.operator = self.env.cloud, Kubectl(self.env), Operator(self.env)
        self.api, self.count = Api(self.env), 0
        self.values = {
            "pollInterval": poll,
            "resyncInterval": resync,
            "allowedEndpoints": VENDOR_DOMAINS + [self.cloud.url.removeprefix("http://")],
            "resources": {},
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.env.stop()

    def install(self):
        """The chart, the operator, and the Secret and ProviderConfig of all."""
        self.operator.install(self.values)
        self.operator.start()
        keys = {"accessKey": self.cloud.access_key, "secretKey": self.cloud.secret_key}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "huawei"}, "stringData": keys}
        provider = manifest("ProviderConfig", "default")
        provider["spec"] = {
            "region": REGION,
            "projectId": self.cloud.project_id,
            "endpoints": {"dms": self.cloud.url, "iam": self.cloud.url},
            "credentials": {"type": "AccessKey", "secretRef": {"name": "huawei"}},
        }
        self.apply([secret, provider])

    def instances(self, names, brokers=30):
        """Kafka instances that are Ready: 60,000 partitions each with 30 brokers."""
        self.apply([kafka_instance(name, brokers) for name in names])
        self.kubectl.run("wait", "--for=condition=Ready", "--timeout=300s", "kafkainstance", "--all")

    def settled_topics(self, by_instance):
        """Makes topics in the cloud and then their objects, which take them over; returns once all are Ready and Synced.

        They have all that topics have that the operator made, and cost no creates, which the gateway would slow down.
        """
        for instance, names in by_instance.items():
            self.cloud.fill(instance, names)
        time.sleep(LAG)
        topics = [topic(name, instance) for instance, names in by_instance.items() for name in names]
        with Watch(self.api) as watch:
            already = len(watch.topics)
            with Live(f"{len(topics)} objects for topics that are there") as live:
                self.api.create(TOPICS, topics, live)
            self.until("all of them are Ready and Synced", lambda: watch.settled() >= already + len(topics), 3600, watch)

    def restored_topics(self, by_instance):
        """The same several times as fast: objects as from a backup, with finalizer and status, while the operator is away.

        One of each instance is settled for real, and the others get its status.
        """
        self.settled_topics({instance: names[:1] for instance, names in by_instance.items()})
        self.operator.stop()
        for instance, names in by_instance.items():
            self.cloud.fill(instance, names[1:])
        firsts = [self.api.call(self.api.connect(), "GET", f"{TOPICS}/{names[0]}") for names in by_instance.values()]
        copies = [copy(first, name) for first, names in zip(firsts, by_instance.values()) for name in names[1:]]
        with Live(f"{len(copies)} objects, as if restored") as live:
            self.api.each(copies, self._restore, live)
        self.operator.start(show=False)
        with Watch(self.api) as watch:
            self.until("all of them are Ready and Synced", lambda: watch.settled() > len(copies), 1800, watch)

    def _restore(self, connection, item):
        self.api.call(connection, "POST", TOPICS, item)
        path = f"{TOPICS}/{item['metadata']['name']}/status"
        self.api.call(connection, "PATCH", path, {"status": item["status"]}, "application/merge-patch+json")

    def grow(self, count, instances, restored=False):
        """So many topics in so many instances, which are made at the first time; at rest."""
        if not self.count:
            self.instances(spread(count, instances))
        have = spread(self.count, instances)
        more = {instance: names[len(have[instance]) :] for instance, names in spread(count, instances).items()}
        if any(more.values()):
            (self.restored_topics if restored else self.settled_topics)(more)
        self.count = max(self.count, count)
        self.quiet()

    def restart(self, **values):
        """Ends the operator and starts it again, with other values of the chart if some are given; seconds until it is ready."""
        self.operator.stop()
        if values:
            self.values |= values
            self.operator.install(self.values)
        begun = time.time()
        self.operator.start(show=False)
        return time.time() - begun

    def limit(self, calls):
        """From now on the operator sends so many calls a second at most."""
        limits = {"rateLimit": {"requests": calls, "period": "1s"}}
        self.kubectl.run("patch", "providerconfig", "default", "--type=merge", "-p", json.dumps({"spec": limits}))

    def apply(self, manifests):
        self.kubectl.run("apply", "-f", "-", stdin=json.dumps(listed(manifests)))

    def until(self, what, holds, limit=600, watch=None):
        with Live(what) as live:
            while not holds():
                self.env.processes.check()
                if live.elapsed > limit:
                    raise Failure(f"waited {limit} s in vain: {what} ({watch and watch.picture()})")
                live.detail = watch.picture() if watch else ""
                time.sleep(0.1)
            return live.elapsed

    def quiet(self, seconds=10, limit=1800):
        """Returns once the operator has written nothing but its lease for that long."""
        self.until(f"no write for {seconds} s", lambda: self.audit().idle() > seconds, limit)

    def audit(self):
        return Audit(self.env.folder, "dms-operator")

    def cpu(self):
        """Seconds of CPU that the operator took so far."""
        fields = Path(f"/proc/{self.operator.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """(resident, its peak) of the operator, MiB."""
        status = Path(f"/proc/{self.operator.process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        return tuple(round(int(fields[name].split()[0]) / 1024, 1) for name in ("VmRSS", "VmHWM"))


class Api:
    """The API server as the admin's programs see it, over connections that stay open."""

    def __init__(self, env):
        config = json.loads(Path(env.kubeconfig).read_text())
        self.host = urlsplit(env.apiserver).netloc
        self.headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        ca = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
        self.tls = ssl.create_default_context(cadata=ca)

    def connect(self, timeout=60):
        return http.client.HTTPSConnection(self.host, context=self.tls, timeout=timeout)

    def call(self, connection, method, path, body=None, kind="application/json"):
        connection.request(method, path, body and json.dumps(body), self.headers | {"Content-Type": kind})
        response = connection.getresponse()
        text = response.read()
        if response.status >= 300:
            raise Failure(f"{method} {path}: {response.status} {text.decode(errors='replace')}")
        return json.loads(text)

    def create(self, path, objects, live=None):
        self.each(objects, lambda connection, item: self.call(connection, "POST", path, item), live)

    def patch(self, path, patches, live=None):
        """A merge patch for each name."""
        kind = "application/merge-patch+json"
        one = lambda connection, item: self.call(connection, "PATCH", f"{path}/{item[0]}", item[1], kind)
        self.each(list(patches.items()), one, live)

    def each(self, items, work, live=None):
        """Does the work for each item, several at a time."""
        queue, lock, failures, done = iter(items), threading.Lock(), [], [0]

        def worker():
            connection = self.connect()
            try:
                while not failures:
                    with lock:
                        item = next(queue, None)
                        done[0] += 1
                        if live:
                            live.detail = str(done[0])
                    if item is None:
                        return
                    work(connection, item)
            except (OSError, http.client.HTTPException, Failure) as failure:
                failures.append(failure)

        threads = [threading.Thread(target=worker) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise Failure(f"the API server: {failures[0]}")


class Watch:
    """Every topic as its last event showed it, and when it came to be so."""

    def __init__(self, api):
        self.api, self.topics, self.gone, self.failure, self._ended = api, {}, 0, None, False

    def __enter__(self):
        version = self._list()
        threading.Thread(target=self._run, args=(version,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._ended = True

    def settled(self):
        """How many are Ready and Synced, and no work in progress, as of their generation."""
        return sum(1 for seen in list(self.topics.values()) if seen["settled"])

    def last_of(self, names):
        """When the last of them settled."""
        return max(self.topics[name]["at"] for name in names)

    def picture(self):
        if self.failure:
            raise Failure(f"the watch of topics: {self.failure}")
        reasons = {}
        for seen in list(self.topics.values()):
            reasons[seen["reason"]] = reasons.get(seen["reason"], 0) + 1
        return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))

    def _list(self):
        """Everything anew; returns from where on to watch."""
        found = self.api.call(self.api.connect(), "GET", TOPICS)
        for item in found["items"]:
            self._see(item)
        for name in set(self.topics) - {item["metadata"]["name"] for item in found["items"]}:
            self._forget(name)
        return found["metadata"]["resourceVersion"]

    def _run(self, version):
        try:
            while not self._ended:
                self._follow(version)
                # The API server ends watches of a kind soon after the kind was made.
                version = self._list()
        except (OSError, ValueError, KeyError, http.client.HTTPException, Failure) as failure:
            self.failure = failure

    def _follow(self, version):
        connection = self.api.connect(timeout=None)
        query = f"?watch=true&resourceVersion={version}&timeoutSeconds=7200"
        connection.request("GET", TOPICS + query, headers=self.api.headers)
        response, rest = connection.getresponse(), b""
        while (part := response.read1(1 << 16)) and not self._ended:
            *lines, rest = (rest + part).split(b"\n")
            for event in map(json.loads, lines):
                if event["type"] == "ERROR":
                    return
                self._event(event)

    def _event(self, event):
        if event["type"] == "DELETED":
            self._forget(event["object"]["metadata"]["name"])
        else:
            self._see(event["object"])

    def _forget(self, name):
        self.gone += self.topics.pop(name, None) is not None

    def _see(self, topic):
        meta, status = topic["metadata"], topic.get("status", {})
        conditions = {c["type"]: c for c in status.get("conditions", [])}
        current = status.get("observedGeneration") == meta["generation"] == status.get("appliedGeneration")
        settled = current and all(conditions.get(name, {}).get("status") == "True" for name in ("Ready", "Synced"))
        before = self.topics.get(meta["name"])
        at = before["at"] if before and before["settled"] and settled else time.time()
        self.topics[meta["name"]] = {
            "settled": settled,
            "at": at,
            "reason": "Settled" if settled else conditions.get("Ready", {}).get("reason", "New"),
        }


class Audit:
    """What the API server wrote down of one user's writes."""

    def __init__(self, folder, account):
        self.user = f":{account}\""
        self.logs = sorted(folder.glob("audit*.log"), key=lambda log: log.stat().st_mtime)

    def writes(self, since=0.0, until=float("inf")):
        """By `verb resource`, without the lease."""
        counts = {}
        for at, verb, resource in self._entries():
            if since <= at < until:
                counts[f"{verb} {resource}"] = counts.get(f"{verb} {resource}", 0) + 1
        return dict(sorted(counts.items()))

    def idle(self):
        """Seconds since the last write."""
        return time.time() - max((at for at, *_ in self._entries(self.logs[-1:], 1 << 20)), default=0)

    def _entries(self, logs=None, tail=None):
        for log in logs or self.logs:
            with open(log) as lines:
                if tail and log.stat().st_size > tail:
                    lines.seek(log.stat().st_size - tail)
                    lines.readline()
                for line in lines:
                    if self.user not in line or '"verb":"watch"' in line or '"verb":"get"' in line:
                        continue
                    try:
                        entry = json.loads(line)
                    except ValueError:
                        continue  # half a line at the end
                    resource = entry["objectRef"]["resource"]
                    if entry["verb"] == "list" or resource in ("leases", "tokenreviews", "subjectaccessreviews"):
                        continue
                    if sub := entry["objectRef"].get("subresource"):
                        resource += f"/{sub}"
                    yield _seconds(entry["requestReceivedTimestamp"]), entry["verb"], resource


def manifest(kind, name):
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}}


def listed(manifests):
    return {"apiVersion": "v1", "kind": "List", "items": manifests}


def kafka_instance(name, brokers):
    """The largest flavour."""
    return manifest("KafkaInstance", name) | {
        "spec": {
            "engineVersion": "2.7",
            "productId": "c6.16u32g.cluster",
            "brokerNum": brokers,
            "storageSpace": 100 * brokers,
            "storageSpecCode": "dms.physical.storage.ultra.v2",
            "availableZones": ["eu-west-101a"],
            "vpcId": "ead6c5ff-1d5b-4b0e-9a7c-0f4b7a0f3c11",
            "subnetId": "3cb6afa2-6c1e-4d0c-8a55-2d1f0c9b7e22",
            "securityGroupId": "aa75ae22-93f4-4f7a-bb0d-7e5a1c6d8f33",
        }
    }


def topic(name, instance, hours=72):
    return manifest("Topic", name) | {
        "spec": {
            "instanceRef": {"kind": "KafkaInstance", "name": instance},
            "kafka": {"partitions": 3, "replication": 3, "retentionHours": hours},
        }
    }


def copy(topic, name):
    """A topic's object as another's would be."""
    meta = {"name": name, "finalizers": topic["metadata"]["finalizers"]}
    return topic | {"metadata": meta, "status": topic["status"] | {"externalName": name}}


def topic_names(count, prefix="topic"):
    return [f"{prefix}-{n:05}" for n in range(count)]


def spread(count, instances):
    """Names of so many topics by instance; fewer are the first of more."""
    share = -(-count // instances)
    return {f"i-{n:02}": topic_names(max(0, min(share, count - n * share)), f"t{n:02}") for n in range(instances)}


def _seconds(text):
    """A time as the API server prints it: UTC, with microseconds."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    base = time.strptime(whole, "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(base) + float(f"0.{fraction or 0}")
