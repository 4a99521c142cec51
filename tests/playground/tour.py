"""The tour in seven steps: what a newcomer watches, and what the cluster tests judge by its exit code."""

import json
import time

from changes import DRIFTS, EDITS
from cluster import VENDOR_DOMAINS, Kubectl, Operator, short
from environment import Environment
from manifests import EXAMPLES, second_instance, write_overlay
from ui import Failure, Live, command, done, heading, say, seconds

# A create takes a quarter of an hour in the service; here it takes a few seconds.
SPEED = 180
SHORTENED = {"pollInterval": "1s", "resyncInterval": "5s"}
SEARCH_WINDOW = "10s"
INSTANCES = "kafkainstances,rocketmqinstances"
# What the objects say of an instance and what is in it, in the simulator's words.
OURS = (
    *("description", "storageSpace", "retentionPolicy", "maintainBegin", "maintainEnd", "enableAcl", "tags"),
    *("topics", "groups", "quotas"),
)
# What goes wrong on the way: operation, the name in its body, what.
FAULTS = [
    ("ListInstances", None, {"status": 429, "code": "APIGW.0308", "message": "The throttling threshold has been reached"}),
    ("ShowInstance", None, {"status": 503, "code": "DMS.00500000", "message": "Service unavailable"}),
    ("CreateInstanceByEngine", "events", {"lost": "after"}),
    ("CreateInstanceByEngine", "shop", {"lost": "after"}),
]


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
  kubectl describe rocketmqinstance shop            # with its brokers and name servers
  kubectl edit topic orders                         # more partitions; try fewer too
  kubectl edit topic payments                       # more queues, or another permission
  kubectl edit consumergroup ledger                 # a group may be stopped: enabled
  kubectl explain topic.spec.rocketmq               # or .kafka
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
        heading("3. Instances of both engines and what lives in them, in one apply")
        overlay = write_overlay(self.env)
        for operation, name, effect in FAULTS:
            self.cloud.inject(operation, effect, match={"name": name})
        say("  The cloud will answer a 429 and a 503 on the way, and the creates of the instances events (Kafka) and shop")
        say("  (RocketMQ) will get no answer, though they work.")
        say(f"  {', '.join(EXAMPLES)}")
        say("  with this cloud's address, keys and password, in the least helpful order, the last object first:")
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
        met = [" ".join([c["operation"], *c["names"][:1], _mishap(c)]) for c in self.cloud.calls() if _mishap(c)]
        for mishap in dict.fromkeys(met):
            say(f"  met on the way: {mishap}")
        if left := self.cloud.faults():
            raise Failure(f"not met on the way: {left}")

    def edit(self):
        heading("5a. Edits")
        for edit in EDITS:
            self.kubectl.show("patch", edit.target, "--type=merge", "-p", json.dumps({"spec": edit.spec}))
        self._until("a storage job runs", lambda: "EXTENDING" in self._states())
        self.kubectl.show("get", INSTANCES)
        self._wait("Ready")
        for edit in EDITS:
            found = self._picture()
            for step in edit.path:
                found = found[step]
            where = "/".join(map(str, edit.path))
            if found != edit.value:
                raise Failure(f"all are Ready, but {where} is {found}, not {edit.value}")
            done(f"the cloud has {where} = {edit.value}")

    def drift(self):
        heading("5b. Changes behind the operator's back")
        wanted, ids = self._picture(), {i["name"]: i["id"] for i in self.cloud.state()["instances"]}
        for drift in DRIFTS:
            self.cloud.change(drift.method, drift.path, drift.body, ids)
            done(f"changed through the service's API: {drift.what}")
        self._until("the cloud is as the objects say again", lambda: self._picture() == wanted)
        self._wait("Synced")
        self.kubectl.show("events", "--for", "topic/orders")
        self.kubectl.show("events", "--for", "consumergroup/ledger")

    def crash(self):
        heading("6. SIGKILL in the middle of two creates")
        say("  One more instance of each engine; that of RocketMQ is bought with a user's password.")
        manifests = [
            second_instance(self.kubectl.get("kafkainstance", "events")),
            second_instance(self.kubectl.get("rocketmqinstance", "shop"), provider="by-password"),
        ]
        names = [manifest["metadata"]["name"] for manifest in manifests]
        self.cloud.inject("CreateInstanceByEngine", {"delayMs": 5000}, times=len(manifests))
        for name, manifest in zip(names, manifests):
            self.kubectl.show("apply", "-f", "-", stdin=json.dumps(manifest), shown=f"kubectl apply -f {name}.json")
        self._until("both creates have reached the cloud", lambda: self._unanswered_creates() == len(manifests))
        command(["kill", "-KILL", self.operator.process.pid], "their answers are still under way")
        self.operator.kill()
        self.operator.start(show=False)
        self._wait("Ready")
        self.kubectl.show("get", INSTANCES)
        for name, manifest in zip(names, manifests):
            instances = [i for i in self.cloud.state()["instances"] if i["name"] == name]
            if len(instances) != 1:
                raise Failure(f"there are {len(instances)} instances named {name}")
            wanted = [manifest["spec"][field] for field in ("description", "tags")]
            if (found := [instances[0][field] for field in ("description", "tags")]) != wanted:
                raise Failure(f"the mark of the create is left on {name}: {found}")
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

    def _objects(self):
        return self.kubectl.get("dms")["items"]

    def _secrets(self):
        return self.kubectl.get("secret")["items"]

    def _states(self):
        return [i.get("status", {}).get("state") for i in self.kubectl.get(INSTANCES)["items"]]

    def _picture(self):
        """What the cloud holds by name, without what no object asks for."""
        return {i["name"]: {key: _by_name(i[key]) for key in i if key in OURS} for i in self.cloud.state()["instances"]}

    def _unanswered_creates(self):
        creates = [c for c in self.cloud.calls() if c["operation"] == "CreateInstanceByEngine"]
        return sum(c["status"] is None and not c["lost"] for c in creates)


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


def _by_name(value):
    """A list of things, by their names, without when they were made; a quota goes by its client."""
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return value
    return {v.get("name") or v["client"]: {k: x for k, x in v.items() if k != "created_at"} for v in value}


def _mishap(call):
    """How the call went wrong, if the cloud was to blame."""
    if call["lost"]:
        return "got no answer"
    return f"got a {call['status']}" if call["status"] in (429, 503) else None
