"""The rows of the table: what is done, what is measured, and what it must reach.

A row returns a `Row`: the figures by name, and verdicts that compare some of them with a target.
"""

import json
import math
import threading
import time
from datetime import datetime
from typing import NamedTuple

from lab import LAG, LATENCY, LIMIT, PAGE, TOPICS, Lab, Watch, listed, spread, topic, topic_names
from ui import Failure, Live, say

# How many creates the operator has under way at once in an instance.
CREATES_AT_ONCE = 4
HOUR = 3600
WRITES = ("Create", "Update", "Delete", "Batch", "Resize")


class Verdict(NamedTuple):
    """A figure beside its target, in words, and whether it is reached."""

    figure: str
    target: str
    reached: bool


class Sizes(NamedTuple):
    """How much of everything; small for a smoke test."""

    many: int
    some: int
    instances: int
    intervals: int
    minutes: float
    points: tuple
    applied: tuple


FULL = Sizes(many=10_000, some=1_000, instances=20, intervals=3, minutes=3, points=(100, 300, 1_000, 3_000, 10_000), applied=(100, 300, 1_000, 3_000))
SMOKE = Sizes(many=120, some=60, instances=3, intervals=1, minutes=0.3, points=(60, 120), applied=(60,))


def drift(folder, binaries, sizes):
    """All topics of one instance at rest, compared with the cloud once an interval; one is changed by hand at last."""
    interval = 60 if sizes is FULL else 10
    with Lab(folder, binaries, resync=f"{interval}s") as lab:
        lab.install()
        lab.instances(["main"])
        names = topic_names(sizes.many)
        lab.restored_topics({"main": names})
        lab.quiet()
        # Objects that were looked at together are spread over the next interval.
        time.sleep(2 * interval)
        lab.cloud.forget_calls()
        begun, cpu = time.time(), lab.cpu()
        with Live(f"{sizes.intervals} intervals of {interval} s at rest"):
            time.sleep(sizes.intervals * interval)
        calls, writes, cpu = lab.cloud.calls_by_operation(), lab.audit().writes(since=begun), lab.cpu() - cpu
        mended = _by_hand(lab, names[len(names) // 2])
    lists = calls.pop("ListInstanceTopics", 0) / sizes.intervals
    others = {name: count for name, count in calls.items() if "Topic" in name or "Group" in name}
    pages = math.ceil(sizes.many / PAGE)
    figures = {
        "topics": sizes.many,
        "intervalSeconds": interval,
        "intervals": sizes.intervals,
        "listCallsAnInterval": round(lists, 1),
        "pages": pages,
        "otherCalls": calls,
        "apiServerWrites": writes,
        "operatorCpuSecondsAnInterval": round(cpu / sizes.intervals, 2),
        "mendedAfterSeconds": round(mended, 1),
    }
    return figures, [
        Verdict(f"{lists:g} list calls an interval", f"{pages}", lists <= pages),
        Verdict(f"{sum(others.values())} other calls on behalf of topics", "0", not others),
        Verdict(f"{sum(writes.values())} writes to the API server but the lease", "0", not writes),
    ]


def create(folder, binaries, sizes):
    """Topics made by one `kubectl apply`."""
    points = []
    for count in sizes.applied:
        with Lab(folder, binaries) as lab:
            points.append(_created(lab, count)[0])
            say(f"    {json.dumps(points[-1])}")
    judged = next(point for point in points if point["topics"] >= sizes.some)
    ratio, writes = judged["ratio"], judged["apiServerWritesPerObject"]
    return {"points": points}, [
        Verdict(f"{judged['topics']} topics in {ratio} x the floor of {judged['floorSeconds']} s", "1.1 x", ratio <= 1.1),
        Verdict(f"{writes} writes to the API server an object", "4", writes <= 4),
    ]


def change(folder, binaries, sizes):
    """The same topics modified by one `kubectl apply`, then deleted by one `kubectl delete`."""
    with Lab(folder, binaries) as lab:
        _, names = _created(lab, sizes.some)
        lab.quiet()
        file = _file(lab, "modified", [topic(name, "main", hours=96) for name in names])
        with Watch(lab.api) as watch:
            done, calls = (lambda: _all(watch, names)), "UpdateInstanceTopic"
            modify = _run(lab, ["apply", "-f", file], len(names), "modified", done, calls, watch)
            lab.quiet()
            argv, calls = ["delete", "--wait=false", "-f", file], "BatchDeleteInstanceTopic"
            delete = _run(lab, argv, len(names), "gone", lambda: watch.gone >= len(names), calls, watch, LAG)
        [instance] = lab.cloud.state()["instances"]
        if instance["topics"]:
            raise Failure(f"{len(instance['topics'])} topics are left in the cloud")
    figures = {"topics": sizes.some, "modify": modify, "delete": delete}
    verdicts = []
    for name, run in (("modify", modify), ("delete", delete)):
        verdicts.append(Verdict(f"{name}: {run['ratio']} x the floor of {run['floorSeconds']} s", "1.2 x", run["ratio"] <= 1.2))
    return figures, verdicts


def memory(lab, sizes):
    """More and more topics over many instances; resident memory at rest, and of a process that begins with them."""
    points = []
    for count in sizes.points:
        lab.grow(count, sizes.instances)
        time.sleep(60 if sizes is FULL else 5)
        grown = lab.memory()
        ready = lab.restart()
        lab.quiet()
        lab.cloud.forget_calls()
        begun = time.time()
        time.sleep(120 if sizes is FULL else 10)
        calls = sum(lab.cloud.calls_by_operation().values()) * 60 / (time.time() - begun)
        fresh = lab.memory()
        points.append(
            {
                "objects": count,
                "grownMiB": grown[0],
                "grownPeakMiB": grown[1],
                "restartedMiB": fresh[0],
                "restartedPeakMiB": fresh[1],
                "readyAfterSeconds": round(ready, 1),
                "callsAMinute": round(calls, 1),
            }
        )
        say(f"    {json.dumps(points[-1])}")
    last = points[-1]
    worst = max(last["grownMiB"], last["restartedMiB"])
    thousand = next(p for p in points if p["objects"] >= sizes.some)
    objects = max(last["objects"] - thousand["objects"], 1)
    per_object = (last["restartedMiB"] - thousand["restartedMiB"]) * 1024 / objects
    figures = {"instances": sizes.instances, "points": points, "growthKiBPerObject": round(per_object, 2)}
    megabytes = worst * 2**20 / 1e6
    return figures, [Verdict(f"{megabytes:.0f} MB with {last['objects']} objects", "100 MB (stretch: 60)", megabytes < 100)]


def restart(lab, sizes):
    """The operator ends and comes back to objects at rest."""
    lab.grow(sizes.many, sizes.instances, restored=True)
    lab.cloud.forget_calls()
    begun = time.time()
    ready = lab.restart()
    with Live("a minute and a half at rest again"):
        time.sleep(90 if sizes is FULL else 15)
    calls, writes = lab.cloud.calls_by_operation(), lab.audit().writes(since=begun)
    changes = {name: count for name, count in calls.items() if name.startswith(WRITES)}
    figures = {
        "objects": sizes.many,
        "readyAfterSeconds": round(ready, 1),
        "cloudWrites": changes,
        "apiServerWrites": writes,
        "cloudReads": {name: count for name, count in calls.items() if name not in changes},
    }
    return figures, [
        Verdict(f"{sum(changes.values())} writes to the cloud", "0", not changes),
        Verdict(f"{sum(writes.values())} writes to the API server but the lease", "0", not writes),
        Verdict(f"ready after {ready:.1f} s", "a few seconds", ready <= 10),
    ]


def edit(lab, sizes):
    """Edits while the resync of all others takes every call that the limit allows."""
    lab.grow(sizes.many, sizes.instances, restored=True)
    # Half of the calls that the lists alone would take.
    interval, limit = 10, max(1, round(sizes.many / PAGE / 10 / 2))
    lab.limit(limit)
    lab.restart(resyncInterval=f"{interval}s")
    lab.quiet()
    with Live("a storm of resyncs"):
        time.sleep(2 * interval)
        lab.cloud.forget_calls()
        time.sleep(3 * interval)
    storm = sum(lab.cloud.calls_by_operation().values()) / (3 * interval)
    waits = []
    for n, names in enumerate(list(spread(sizes.many, sizes.instances).values())[:10]):
        waits.append(_first_call(lab, names[-1], hours=100 + n))
        time.sleep(1)
    figures = {
        "topics": sizes.many,
        "resyncIntervalSeconds": interval,
        "limitCallsASecond": limit,
        "stormCallsASecond": round(storm, 1),
        "secondsToFirstCall": [round(wait, 2) for wait in waits],
    }
    return figures, [Verdict(f"{max(waits):.2f} s at most, of {len(waits)} edits", "2 s", max(waits) <= 2)]


def hot(folder, binaries, sizes):
    """One instance says "busy" to every change, while topics of all are edited."""
    poll, seconds = 5, sizes.minutes * 60
    with Lab(folder, binaries, poll=f"{poll}s") as lab:
        lab.install()
        instances = [f"i-{n:02}" for n in range(sizes.instances)]
        lab.instances(instances)
        by_instance = spread(sizes.some, sizes.instances)
        lab.settled_topics(by_instance)
        lab.quiet()
        with Watch(lab.api) as watch:
            others = [name for instance in instances[1:] for name in by_instance[instance]]
            calm = _edited(lab, watch, others, 90)
            busy = {"status": 400, "code": "DMS.00400026", "message": "The instance is busy."}
            hot_id = next(i["id"] for i in lab.cloud.state()["instances"] if i["name"] == instances[0])
            for operation in ("CreateInstanceTopic", "UpdateInstanceTopic", "BatchDeleteInstanceTopic"):
                lab.cloud.inject(operation, busy, times=0, match={"instance": hot_id})
            lab.cloud.forget_calls()
            begun = time.time()
            lab.api.patch(TOPICS, {name: _retention(91) for name in by_instance[instances[0]]})
            under = _edited(lab, watch, others, 92)
            with Live(f"{seconds:g} s of a busy instance"):
                time.sleep(max(0, begun + seconds - time.time()))
            polls = (time.time() - begun) / poll
            calls = [c for c in lab.cloud.calls() if hot_id in c["path"]]
            writes = lab.audit().writes(since=begun + 60) if sizes is FULL else {}
            lab.cloud.heal()
            healed = lab.until("the hot one is as its objects say", lambda: _all(watch, by_instance[instances[0]]), 300, watch)
    changes = sum(c["operation"] == "UpdateInstanceTopic" for c in calls)
    figures = {
        "instances": sizes.instances,
        "topicsOfEach": len(by_instance[instances[0]]),
        "busySeconds": round(seconds),
        "pollIntervalSeconds": poll,
        "othersEditedInSeconds": {"calm": round(calm, 1), "oneIsHot": round(under, 1)},
        "callsToTheHotOne": len(calls),
        "changesTriedOnTheHotOne": changes,
        "pollIntervals": round(polls, 1),
        "apiServerWritesAfterTheFirstMinute": writes,
        "hotOneMendedAfterSeconds": round(healed, 1),
    }
    return figures, [
        Verdict(f"the others took {under / calm:.2f} x the time without a hot one", "1.1 x, or a second more", under <= 1.1 * calm + 1),
        Verdict(f"{changes / polls:.2f} changes tried a polling interval", "bounded: 1", changes <= polls + 2),
    ]


def _created(lab, count):
    """Topics created by one `kubectl apply` on a new instance: the figures, and the names."""
    lab.install()
    lab.instances(["main"])
    names = topic_names(count)
    file = _file(lab, "created", [topic(name, "main") for name in names])
    lab.quiet(5)
    with Watch(lab.api) as watch:
        ready = lambda: _all(watch, names)
        figures = _run(lab, ["apply", "-f", file], count, "Ready", ready, "CreateInstanceTopic", watch)
    figures["creates"] = figures.pop("batchCalls")
    floor = max(figures["kubectlSeconds"], count / LIMIT, count * LATENCY / CREATES_AT_ONCE) + LAG
    span = figures["secondsFromTheFirstCall"]
    figures |= {"topics": count, "floorSeconds": round(floor, 2), "ratio": round(span / floor, 3)}
    return figures, names


def _run(lab, argv, count, what, done, operation, watch, lag=0):
    """Runs kubectl on so many topics and waits for its end and for that of the work; what it cost.

    What is made or deleted shows in the list after the lag and not before.
    """
    lab.cloud.forget_calls()
    begun, cpu = time.time(), lab.cpu()
    kubectl = []

    def run():
        lab.kubectl.run(*argv)
        kubectl.append(time.time() - begun)

    threading.Thread(target=run, daemon=True).start()
    lab.until(f"kubectl {argv[0]}, until all are {what}", lambda: kubectl and done(), 3 * HOUR, watch)
    total, cpu = time.time() - begun, lab.cpu() - cpu
    time.sleep(2)
    load = lab.cloud.load()
    main = load[operation]
    writes = lab.audit().writes(since=begun)
    batches = math.ceil(count / PAGE)
    floor = max(kubectl[0], batches / LIMIT, batches * LATENCY) + lag
    first = min(_stamp(entry["first"]) for entry in load.values()) - begun
    return {
        "kubectlSeconds": round(kubectl[0], 1),
        "seconds": round(total, 1),
        "secondsFromTheFirstCall": round(total - first, 1),
        "calls": {name: entry["calls"] for name, entry in load.items()},
        "refused": {a: n for entry in load.values() for a, n in entry["answers"].items() if not a.startswith("2")},
        "batchCalls": main["calls"],
        "itemsACall": round(main["names"] / main["calls"], 1),
        "mostAtOnce": main["mostAtOnce"],
        "floorSeconds": round(floor, 2),
        "ratio": round(total / floor, 3),
        "apiServerWrites": writes,
        "apiServerWritesPerObject": round(sum(writes.values()) / count, 2),
        "operatorCpuSeconds": round(cpu, 1),
    }


def _all(watch, names):
    return all(watch.topics.get(name, {}).get("settled") for name in names)


def _edited(lab, watch, names, hours):
    """Seconds from the first edit of topics until all of them are applied."""
    begun = time.time()
    lab.api.patch(TOPICS, {name: _retention(hours) for name in names})
    lab.until(f"{len(names)} edits are applied", lambda: _all(watch, names), 900, watch)
    return watch.last_of(names) - begun


def _first_call(lab, name, hours):
    """Seconds from an edit until the first call that changes the topic."""
    begun = time.time()
    lab.api.patch(TOPICS, {name: _retention(hours)})
    found = []

    def called():
        found[:] = [c for c in lab.cloud.calls()[-400:] if c["operation"] == "UpdateInstanceTopic" and name in c["names"]]
        return found

    lab.until(f"the first call for {name}", called, 300)
    return _stamp(found[0]["time"]) - begun


def _by_hand(lab, name):
    """Seconds until a change behind the operator's back is mended."""
    [instance] = lab.cloud.state()["instances"]
    body = {"topics": [{"id": name, "retention_time": 1}]}
    lab.cloud.change("PUT", "v2/{project}/instances/{instance}/topics", body, {"instance": instance["id"]})
    begun = time.time()
    changed = lambda: [c for c in lab.cloud.calls() if c["operation"] == "UpdateInstanceTopic" and name in c["names"]]
    lab.until("a change by hand is mended", lambda: len(changed()) > 1, 900)
    return _stamp(changed()[-1]["time"]) - begun


def _retention(hours):
    return {"spec": {"kafka": {"retentionHours": hours}}}


def _stamp(text):
    """A time as the simulator prints it, to the microsecond."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")


def _file(lab, name, manifests):
    path = lab.env.folder / f"{name}.json"
    path.write_text(json.dumps(listed(manifests)))
    return path


# By name; those of the second line are measured in one lab, if they are measured together.
ROWS = {"drift": drift, "create": create, "change": change, "hot": hot}
SHARED = {"memory": memory, "restart": restart, "edit": edit}
