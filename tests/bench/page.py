"""docs/benchmarks.md: the table between its marks is made of the results, the rest is kept by hand."""

import json

import tools
from tools import ROOT
from ui import Failure, done

FOLDER = ROOT / "docs" / "benchmarks"
RESULTS, PAGE = FOLDER / "results.json", ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- made by tests/bench -->", "<!-- end of what tests/bench made -->"


def write_page():
    """Renews the table and the plots."""
    results = json.loads(RESULTS.read_text())
    before, begin, rest = PAGE.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Failure(f"{PAGE}: the marks of the table are missing")
    PAGE.write_text(f"{before}{BEGIN}\n\n{table(results)}\n{END}{after}")
    tools.run([tools.plots(), tools.BENCH / "plots.py", RESULTS, FOLDER])
    done(f"{PAGE.relative_to(ROOT)} and its plots are renewed")


def table(results):
    """A line for each figure that has a target, and on which machine they were taken."""
    lines = ["| what | measured | to reach | | again by |", "|---|---|---|---|---|"]
    for name in sorted(results, key=lambda name: results[name]["order"]):
        row = results[name]
        what = row["what"]
        for verdict in row["verdicts"]:
            reached = "yes" if verdict["reached"] else "**no**"
            lines.append(f"| {what} | {verdict['figure']} | {verdict['target']} | {reached} | `make bench ROW={name}` |")
            what = ""
    lines.append("")
    machines = {json.dumps(row["machine"], sort_keys=True) for row in results.values()}
    for machine in map(json.loads, sorted(machines)):
        lines.append(
            f"Measured on {machine['cores']} cores with {machine['memoryGiB']} GiB ({machine['system']}), which the API server,"
            f" etcd, the simulator and the operator share; kube-apiserver {machine['kubernetes']}, rustc {machine['rustc']}."
        )
    return "\n".join(lines) + "\n"
