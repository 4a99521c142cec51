"""The tour in seven steps: what a newcomer watches, and what the cluster tests judge by its exit code."""

import json
import time

from cluster import VENDOR_DOMAINS, Kubectl, Operator, short
from environment import Environment
from manifests import EXAMPLES, second_instance, write_overlay
from ui import Failure, Live, command, done, heading, say, seconds

# A create takes a quarter of an hour in the service; here it takes a few seconds.
SPEED = 180
SHORTENED = {"pollInterval": "1s", "resyncInterval": "5s"}
SEARCH_WINDOW = "10s"
# What the tour edits to.
DESCRIPTION, RATE = "Edited in the tour", 20 * 2**20
FAULTS = {
    "ListInstances": {"status": 429, "code": "APIGW.0308", "message": "The throttling threshold has been reached"},
    "ShowInstance": {"status": 503, "code": "DMS.00500000", "message": "Service unavailable"},
    "CreateInstanceByEngine": {"lost": "after"},
}


def run(folder, binaries):
    """Returns the exit code; the folder keeps the logs and `tour.json`."""
    start = time.monotonic()
    env = None
    try:
        heading("1. Builds")
        done("the operator, the simulator and the control plane are built")
        begun = time.monotonic()
        heading("2. A control plane, a cloud, an operator")
        env = Environment.start(folder, binaries, SPEED)
        tour = Tour(env)
        tour.install()
        tour.apply()
        tour.wait_ready()
        tour.edit()
        tour.drift()
        memory = tour.operator.memory_mib()
        tour.crash()
        tour.delete()
        tour.report(time.monotonic() - begun, memory, binaries)
        return 0
    except Failure as failure:
        if env:
            _explain(env)
        say(f"\nThe tour failed after {seconds(time.monotonic() - start)}: {failure}")
        return 1
    finally:
        if env:
            with Live("ending every process"):
                env.stop()


def up(env):
    """The same playground with the examples applied, and what to type next."""
    tour = Tour(env)
    tour.install()
    tour.apply()
    tour.wait_ready()
    heading("It is yours")
    say(f"""\
  export KUBECONFIG={env.kubeconfig}
  export PATH={env.kubectl.parent}:$PATH

  kubectl get dms                                   # everything that the operator looks after
  kubectl describe kafkainstance events             # conditions and events
  kubectl edit topic orders                         # more partitions; try fewer too
  kubectl explain topic.spec.kafka
  curl -s {env.cloud.url}/_simulator/state          # what the cloud holds
  curl -s {env.cloud.url}/_simulator/calls?summary=true
  tail -f {env.folder}/operator.log
  make down                                         # when you have seen enough""")


def values(env):
    """What the tour tells the chart; without a simulator only the vendor's domains are allowed."""
    here = [env.cloud.url.removeprefix("http://")] if env.cloud else []
    return {
        **SHORTENED,
        "allowedEndpoints": VENDOR_DOMAINS + here,
        "extraArgs": [f"--create-search-window={SEARCH_WINDOW}"],
    }


class Tour:
    def __init__(self, env):
        self.env, self.cloud = env, env.cloud
        self.kubectl, self.operator = Kubectl(env), Operator(env)

    def install(self):
        say(f"  Shortened for the tour: polling {SHORTENED['pollInterval']}, resync {SHORTENED['resyncInterval']}, and")
        say(f"  the search for a create whose answer was lost {SEARCH_WINDOW}. Allowed besides the vendor's domains: our cloud.")
        self.operator.install(values(self.env))
        say("  No node runs the pod, so its command is run here, with a token of the chart's service account; only")
        say("  the address that it listens on is another one.")
        self.operator.start()

    def apply(self):
        heading("3. A Kafka instance and what lives in it, in one apply")
        overlay = write_overlay(self.env)
        for operation, effect in FAULTS.items():
            self.cloud.inject(operation, effect)
        say("  The cloud will answer a 429 and a 503 on the way, and the instance's create will get no answer, though it works.")
        say(f"  {EXAMPLES} with this cloud's address and keys, in the least helpful order, the last object first:")
        kustomize = ["kustomize", "--load-restrictor=LoadRestrictionsNone", short(overlay)]
        manifests = self.kubectl.run(*kustomize)
        manifests = "---\n".join(reversed(manifests.split("---\n")))
        self.applied = self.env.folder / "applied.yaml"
        self.applied.write_text(manifests)
        shown = f"kubectl {' '.join(kustomize)} | kubectl apply -f -"
        self.kubectl.show("apply", "-f", "-", stdin=manifests, shown=shown)

    def wait_ready(self):
        heading("4. Until all is Ready")
        self._wait("Ready")
        self.kubectl.show("get", "dms")
        met = {c["operation"]: _mishap(c) for c in self.cloud.calls() if _mishap(c)}
        for operation, mishap in met.items():
            say(f"  met on the way: {operation} {mishap}")
        if missed := FAULTS.keys() - met.keys():
            raise Failure(f"not met on the way: the faults of {', '.join(missed)}")

    def edit(self):
        heading("5a. Edits")
        instance = self._the("kafkainstance")
        topic = self.kubectl.get("topic", "orders")
        quota = self._the("kafkauserquota")
        storage = instance["spec"]["storageSpace"] + 100 * instance["spec"]["brokerNum"]
        partitions = topic["spec"]["kafka"]["partitions"] + 3
        self._patch("topic/orders", {"kafka": {"partitions": partitions}})
        self._patch(f"kafkauserquota/{quota['metadata']['name']}", {"producerByteRate": RATE})
        name = instance["metadata"]["name"]
        self._patch(f"kafkainstance/{name}", {"description": DESCRIPTION, "storageSpace": storage})
        self._until("the storage job runs", lambda: self._state_of(name) == "EXTENDING")
        self.kubectl.show("get", "kafkainstance", name)
        self._wait("Ready")
        [there] = self._instances(name)
        [orders] = [t for t in there["topics"] if t["name"] == "orders"]
        found = (there["storageSpace"], there["description"], orders["partition"], there["quotas"][0]["producer-byte-rate"])
        if found != (storage, DESCRIPTION, partitions, RATE):
            raise Failure(f"all are Ready, but storage, description, partitions and rate are {found}")
        done(f"the cloud has it all: {storage} GB, {partitions} partitions, {RATE} bytes a second")

    def drift(self):
        heading("5b. Changes behind the operator's back")
        wanted = self._picture()
        [instance] = self._instances(self._the("kafkainstance")["metadata"]["name"])
        topics = [t["status"]["externalName"] for t in self.kubectl.get("topic")["items"]]
        quota = self._the("kafkauserquota")["status"]["observed"]
        id, tag = instance["id"], sorted(instance["tags"])[0]
        changes = [
            (f"the retention of topic {topics[1]}", lambda: self.cloud.change_topic(id, topics[1], retention_time=1)),
            ("the instance's description", lambda: self.cloud.change_instance(id, description="Changed by hand")),
            (f"tag {tag}, which is deleted", lambda: self.cloud.delete_tag(id, tag)),
            ("the quota", lambda: self.cloud.change_quota(id, quota, 1024, 1024)),
            (f"topic {topics[0]}, which is deleted", lambda: self.cloud.delete_topic(id, topics[0])),
        ]
        for what, change in changes:
            change()
            done(f"changed through the service's API: {what}")
        self._until("the cloud is as the objects say again", lambda: self._picture() == wanted)
        self._wait("Synced")
        self.kubectl.show("events", "--for", "topic/orders")

    def crash(self):
        heading("6. SIGKILL in the middle of a create")
        manifest = second_instance(self._the("kafkainstance"))
        name = manifest["metadata"]["name"]
        sent = self._creates()
        self.cloud.inject("CreateInstanceByEngine", {"delayMs": 5000})
        self.kubectl.show("apply", "-f", "-", stdin=json.dumps(manifest), shown=f"kubectl apply -f {name}.json")
        self._until("the create has reached the cloud", lambda: self._creates() > sent)
        command(["kill", "-KILL", self.operator.process.pid], "its answer is still under way")
        self.operator.kill()
        self.operator.start(show=False)
        self._wait("Ready")
        self.kubectl.show("get", "kafkainstance")
        instances = self._instances(name)
        if len(instances) != 1:
            raise Failure(f"there are {len(instances)} instances named {name}")
        if instances[0]["tags"] != manifest["spec"].get("tags", {}):
            raise Failure(f"the mark of the create is left on {name}: {instances[0]['tags']}")
        done(f"the cloud has one instance named {name}, not two, and no mark is left on it")

    def delete(self):
        heading("7. Everything goes")
        self.kubectl.show("delete", "--wait=false", "-f", short(self.applied))
        self.kubectl.show("delete", "--wait=false", "dms", "--all")
        self._until("every object is gone", lambda: not self._objects() and not self._secrets(), limit=90)
        self._until("the cloud is empty", lambda: not self.cloud.state()["instances"])
        self.operator.stop()

    def report(self, taken, memory, binaries):
        calls = self.cloud.calls_by_operation()
        numbers = {
            "tourSeconds": round(taken, 1),
            "operatorMiBAtRest": memory,
            "binaryMiB": {n: round(p.stat().st_size / 2**20, 1) for n, p in binaries.items()},
            "callsByOperation": calls,
        }
        (self.env.folder / "calls.json").write_text(json.dumps(self.cloud.calls(), indent=1))
        (self.env.folder / "tour.json").write_text(json.dumps(numbers, indent=1))
        heading(f"Done in {seconds(taken)}")
        say("  calls to the cloud, the tour's own changes among them:")
        for name, count in calls.items():
            say(f"  {count:5} {name}")
        say(f"  operator at rest: {memory} MiB; " + ", ".join(f"{n}: {s} MiB" for n, s in numbers["binaryMiB"].items()))
        say(f"  logs and numbers: {short(self.env.folder)}")

    def _wait(self, condition, limit=90):
        """`kubectl wait` for every object, while the line shows how far they are."""
        args = ["wait", f"--for=condition={condition}", f"--timeout={limit}s", "dms", "--all"]
        command(["kubectl", *args])
        with Live(f"all are {condition}") as live:
            wait = self.kubectl.popen(*args)
            while wait.poll() is None:
                self.env.processes.check()
                live.detail = ", ".join(f"{o['metadata']['name']} {_reason(o, condition)}" for o in self._objects())
                time.sleep(0.3)
            if wait.returncode:
                raise Failure(f"not all are {condition} after {limit} s: {wait.communicate()[0].strip()}")

    def _until(self, what, holds, limit=60):
        with Live(what) as live:
            while not holds():
                self.env.processes.check()
                if live.elapsed > limit:
                    raise Failure(f"waited {limit} s in vain: {what}")
                time.sleep(0.2)

    def _patch(self, target, spec):
        self.kubectl.show("patch", target, "--type=merge", "-p", json.dumps({"spec": spec}))

    def _objects(self):
        return self.kubectl.get("dms")["items"]

    def _secrets(self):
        return self.kubectl.get("secret")["items"]

    def _the(self, kind):
        return self.kubectl.get(kind)["items"][0]

    def _state_of(self, name):
        return self.kubectl.get("kafkainstance", name).get("status", {}).get("state")

    def _picture(self):
        """What the cloud holds, without what no object asks for."""
        ours = ("name", "description", "storageSpace", "retentionPolicy", "maintainBegin", "maintainEnd", "tags", "quotas")
        instances = [{k: i[k] for k in ours} | {"topics": _topics(i)} for i in self.cloud.state()["instances"]]
        return sorted(instances, key=lambda i: i["name"])

    def _creates(self):
        return self.cloud.calls_by_operation().get("CreateInstanceByEngine", 0)

    def _instances(self, name):
        return [i for i in self.cloud.state()["instances"] if i["name"] == name]


def _reason(thing, condition):
    """The reason of a condition that does not hold yet, or its name."""
    for c in thing.get("status", {}).get("conditions", []):
        if c["type"] == condition:
            return condition if c["status"] == "True" else c["reason"]
    return "Pending"


def _explain(env):
    """What is not Ready, and where the logs are."""
    heading("What is not as it should be")
    kubectl = Kubectl(env)
    try:
        for thing in kubectl.get("dms")["items"]:
            if _reason(thing, "Ready") != "Ready" or _reason(thing, "Synced") != "Synced":
                kubectl.show("describe", f"{thing['kind'].lower()}/{thing['metadata']['name']}")
    except Failure as failure:
        say(f"  (kubectl: {failure})")
    say("  logs:")
    for log in sorted(env.folder.glob("*.log")):
        say(f"    {short(log)}")


def _topics(instance):
    topics = [{k: v for k, v in t.items() if k != "created_at"} for t in instance["topics"]]
    return sorted(topics, key=lambda t: t["name"])


def _mishap(call):
    """How the call went wrong, if the cloud was to blame."""
    if call["lost"]:
        return "the answer was lost"
    return call["status"] if call["status"] in (429, 503) else None
