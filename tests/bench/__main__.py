"""The numbers of docs/benchmarks.md: `python3 tests/bench [ROW ...]`; without a row all are measured, which takes about an hour.

    python3 tests/bench [--smoke] [--binaries DIR] [--folder DIR] [ROW ...]
    python3 tests/bench page             the page and its plots, from docs/benchmarks/results.json

Each row has a playground of its own: a real API server, the simulator with the gateway's limit, the operator's release
binary under the chart's account. Its figures go to docs/benchmarks/results.json, those of other rows stay there.
`--smoke` does the same with few objects, in a minute a row, and keeps its figures to itself.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests" / "playground"))

import tools
from page import RESULTS, write_page
from lab import Lab
from rows import FULL, ROWS, SHARED, SMOKE
from ui import Failure, heading, say, seconds

ALL = ROWS | SHARED


def main():
    parser = argparse.ArgumentParser(prog="bench", description="see the top of tests/bench/__main__.py")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join([*ALL, "page"]))
    parser.add_argument("--smoke", action="store_true", help="few objects, and no figures for the page")
    parser.add_argument("--binaries", type=Path, help="where dms-operator and dms-simulator are; without it they are built")
    parser.add_argument("--folder", type=Path, default=ROOT / ".playground" / "bench")
    options = parser.parse_args()
    if unknown := set(options.rows) - {*ALL, "page"}:
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(options)
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def run(options):
    rows = [name for name in ALL if name in (options.rows or ALL)]
    sizes = SMOKE if options.smoke else FULL
    if rows:
        if options.binaries:
            binaries = {name: options.binaries.resolve() / name for name in ("dms-operator", "dms-simulator")}
        else:
            tools.require(*tools.prerequisites())
            binaries = tools.release()
    failed = []
    for name in rows:
        if name in ROWS:
            with going_on(name, failed):
                measure(name, options, lambda row: row(options.folder / name, binaries, sizes))
    if shared := [name for name in rows if name in SHARED]:
        heading(f"One lab for {', '.join(shared)}")
        with going_on(", ".join(shared), failed), Lab(options.folder / "shared", binaries, resync="1m") as lab:
            lab.install()
            for name in shared:
                measure(name, options, lambda row: row(lab, sizes))
    if not options.smoke:
        write_page()
    if failed:
        raise Failure("without figures: " + ", ".join(failed))
    return 0


@contextlib.contextmanager
def going_on(name, failed):
    """The other rows are measured all the same."""
    try:
        yield
    except Failure as failure:
        say(f"\n  {name} failed: {failure}")
        failed.append(name)


def measure(name, options, work):
    """Does a row's work, says what came of it, and keeps it."""
    row = ALL[name]
    heading(f"{name}: {row.__doc__}")
    begun = time.monotonic()
    figures, verdicts = work(row)
    say(json.dumps(figures, indent=1))
    for verdict in verdicts:
        say(f"  {'reached' if verdict.reached else 'NOT REACHED':12} {verdict.figure}  (to reach: {verdict.target})")
    say(f"  took {seconds(time.monotonic() - begun)}")
    if not options.smoke:
        keep(name, figures, verdicts)


def keep(name, figures, verdicts):
    """Puts a row's figures beside those of the others."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[name] = {
        "order": list(ALL).index(name),
        "what": ALL[name].__doc__,
        "figures": figures,
        "verdicts": [verdict._asdict() for verdict in verdicts],
        "machine": machine(),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def machine():
    """What the figures depend on, and nothing that names the machine."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()
    kubernetes = re.search(r"k8s.io/kubernetes (v\S+)", (tools.GO_MODULE / "go.mod").read_text())
    return {
        "cores": os.cpu_count(),
        "memoryGiB": round(memory / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "rustc": rustc[1] if len(rustc) > 1 else "unknown",
        "kubernetes": kubernetes[1] if kubernetes else "unknown",
    }


if __name__ == "__main__":
    sys.exit(main())
