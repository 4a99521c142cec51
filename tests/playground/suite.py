"""`make test` and `make lint`: every level of tests one after the other, each with its time."""

import shutil
import subprocess
import sys
import time

import tools
from ui import Failure, Live, heading, say, seconds

HERE = tools.ROOT / "tests" / "playground"
LEVELS = {
    "plan and units": lambda: _test("--lib", "--bins"),
    "contract": lambda: _test("--test", "contract"),
    "sdk": lambda: tools.run([tools.sdk(), tools.SDK, tools.binaries()["dms-simulator"]]),
    "world": lambda: _test("--test", "world"),
    "cluster": lambda: _test("--test", "cluster"),
}


def run():
    tools.require(*tools.prerequisites(), *([] if tools.sdk_python() else ["ensurepip"]))
    times = {}
    # With empty caches the control plane takes longer than anything else, so it is built beside the rest.
    log = tools.ROOT / ".playground" / "control-plane.log"
    log.parent.mkdir(exist_ok=True)
    with open(log, "w") as out:
        plane = subprocess.Popen([sys.executable, HERE, "control-plane"], stdout=out, stderr=out)
    try:
        _level(times, "release build", tools.release)
        _level(times, "test build", lambda: _test("--no-run"))
        for name in ("plan and units", "contract", "sdk", "world"):
            _level(times, name, LEVELS[name])
        _level(times, "clippy and rustfmt", _rust_lint)
        _level(times, "control plane", lambda: _wait(plane, log))
    finally:
        if plane.poll() is None:
            plane.terminate()
            plane.wait()
    _level(times, "helm lint", _helm_lint)
    _level(times, "tour", lambda: tools.run([sys.executable, HERE, "demo"], cwd=tools.ROOT))
    _level(times, "cluster", LEVELS["cluster"])
    # One row with few objects, so that the benchmarks still run when somebody wants their figures.
    _level(times, "bench", lambda: tools.run([sys.executable, tools.BENCH, "--smoke", "change"], cwd=tools.ROOT))

    heading("All passed")
    for name, taken in times.items():
        say(f"  {name:20} {seconds(taken):>12}")
    say(f"  {'together':20} {seconds(sum(times.values())):>12}")


def lint():
    _rust_lint()
    _helm_lint()


def _level(times, name, work):
    heading(name)
    start = time.monotonic()
    work()
    times[name] = time.monotonic() - start


def _test(*args):
    _cargo("test", "--locked", *args)


def _cargo(*args):
    tools.run(["cargo", *args], cwd=tools.ROOT)


def _rust_lint():
    for program, args in (
        ("rustfmt", ("fmt", "--check")),
        ("cargo-clippy", ("clippy", "--locked", "--all-targets", "--", "-D", "warnings")),
    ):
        if shutil.which(program):
            _cargo(*args)
        else:
            say(f"  {program} is not installed, so what it checks stays unchecked (rustup component add)")


def _helm_lint():
    helm = tools.control_plane(["helm"])["helm"]
    tools.run([helm, "lint", "--strict", "charts/dms-operator"], cwd=tools.ROOT)


def _wait(plane, log):
    with Live(f"building it; {log}"):
        failed = plane.wait()
    if failed:
        raise Failure(log.read_text())
