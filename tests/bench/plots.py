"""Draws docs/benchmarks/*.svg: `plots.py results.json FOLDER`, by a python that has matplotlib. The same figures give the
same files."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update(
    {"svg.hashsalt": "dms-operator", "svg.fonttype": "none", "font.family": "sans-serif", "axes.grid": True, "grid.alpha": 0.3}
)
import matplotlib.pyplot as plt


def main(results, folder):
    results = json.loads(Path(results).read_text())
    if row := results.get("create"):
        time_of_creates(row["figures"]["points"], folder / "create.svg")
    if row := results.get("memory"):
        memory(row["figures"]["points"], folder / "memory.svg")
        calls(row["figures"], folder / "calls.svg")


def time_of_creates(points, file):
    counts = [p["topics"] for p in points]
    axes = figure("topics in one kubectl apply", "seconds")
    axes.plot(counts, [p["secondsFromTheFirstCall"] for p in points], "o-", label="from the first call until all are Ready")
    axes.plot(counts, [p["kubectlSeconds"] for p in points], "s:", label="kubectl apply itself")
    axes.plot(counts, [p["floorSeconds"] for p in points], "k--", label="the API's floor")
    axes.set_yscale("log")
    save(axes, counts, file)


def memory(points, file):
    counts = [p["objects"] for p in points]
    megabytes = lambda name: [p[name] * 2**20 / 1e6 for p in points]
    axes = figure("objects", "resident memory of the operator, MB")
    axes.plot(counts, megabytes("grownMiB"), "o-", label="after they were made, one by one")
    axes.plot(counts, megabytes("restartedMiB"), "s-", label="of a process that began with them")
    axes.axhline(100, color="k", linestyle="--", label="to stay below")
    axes.set_ylim(bottom=0)
    save(axes, counts, file)


def calls(figures, file):
    counts = [p["objects"] for p in figures["points"]]
    axes = figure("objects", "calls to the cloud a minute at rest")
    looked = f"{figures['instances']} instances, looked at once a minute"
    axes.plot(counts, [p["callsAMinute"] for p in figures["points"]], "o-", label=looked)
    axes.plot(counts, counts, "k--", label="one call an object")
    axes.set_yscale("log")
    save(axes, counts, file)


def figure(x, y):
    _, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_xscale("log")
    return axes


def save(axes, counts, file):
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.legend()
    # Neither when nor by what: the figures alone decide.
    axes.figure.savefig(file, metadata={"Date": None, "Creator": None})
    plt.close(axes.figure)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
