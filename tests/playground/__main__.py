"""The playground: a real control plane, a simulated cloud, and the operator, all on loopback.

    python3 tests/playground COMMAND        (make demo, make up, ... call this)

    control-plane       builds the control plane, if need be, and says where it is
    demo [--dir DIR]    the tour: everything from installing the chart to an empty cloud; exit code 0 if it worked
    up, down            the same environment, left running, and its end
    test                every test there is, level by level
    lint                rustfmt, clippy, helm lint
    serve --dir DIR     an environment for a test in another language, see below
    operator --dir DIR  installs the chart in a served environment and says how to run the operator, see below

`serve` starts a control plane, and a simulator unless `--speed 0` says otherwise, in DIR (emptied first). When all is
ready it writes DIR/env.json, prints one line to stdout, `ready DIR/env.json`, and waits. It ends, and everything that it
started with it, when its stdin is closed or it gets SIGTERM or SIGINT, or by itself when a process dies (exit code 1; the
logs are DIR/*.log). env.json:

    {"dir": .., "kubeconfig": the admin's, "apiserver": url, "ca": file, "auditLog": file, "kubectl": .., "helm": ..,
     "simulator": null | {"url": .., "accessKey": .., "secretKey": .., "projectId": .., "region": ..,
                              "user": {"username": .., "password": .., "domainName": ..}}}

`operator` runs `helm upgrade --install` with the values of the file `--values` (JSON; without it those of the tour), makes a kubeconfig with a token of the chart's service account and prints one line of JSON to stdout:

    {"argv": [..], "env": {..}, "url": where it will listen}

That is the rendered pod's command with nothing changed but the address it listens on. Run it with this environment and no
other; it is ready when GET url/readyz says 200.

`--binaries DIR` takes dms-operator and dms-simulator from DIR; without it they are built in release mode.
"""

import argparse
import contextlib
import json
import os
import select
import signal
import sys
from pathlib import Path

import suite
import tools
import tour
from cluster import Operator
from environment import Environment
from processes import Processes
from ui import Failure, say

HOME = tools.ROOT / ".playground"


def main():
    parser = argparse.ArgumentParser(prog="playground", description="see the top of tests/playground/__main__.py")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        sub = commands.add_parser(name)
        sub.set_defaults(function=function)
        if name in ("demo", "serve", "operator"):
            sub.add_argument("--dir", type=Path, required=name != "demo", default=HOME / "demo")
            sub.add_argument("--binaries", type=Path)
        if name == "serve":
            sub.add_argument("--speed", type=float, default=tour.SPEED)
        if name == "operator":
            sub.add_argument("--values", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return options.function(options)
    except Failure as failure:
        print(f"\n{failure}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def control_plane(_):
    for path in tools.control_plane().values():
        say(path)


def demo(options):
    binaries = _binaries(options)
    return tour.run(options.dir, binaries)


def up(_):
    env = Environment.start(HOME / "up", _binaries(None), speed=tour.SPEED, left=True)
    try:
        tour.up(env)
    except BaseException:
        env.stop()
        raise


def down(_):
    group = Processes.running(HOME / "up")
    say("\n".join(f"ending {p.name}" for p in group.members) or "nothing is up")
    group.stop()


def serve(options):
    # stdout belongs to whoever started us
    with contextlib.redirect_stdout(sys.stderr):
        env = Environment.start(options.dir, _binaries(options), options.speed)
    try:
        print(f"ready {env.folder / 'env.json'}", flush=True)
        while not select.select([sys.stdin], [], [], 1)[0] or os.read(sys.stdin.fileno(), 4096):
            env.processes.check()
    except KeyboardInterrupt:
        pass
    finally:
        env.stop()


def operator(options):
    with contextlib.redirect_stdout(sys.stderr):
        env = Environment.attach(options.dir, _binaries(options))
        op = Operator(env)
        op.install(json.loads(options.values.read_text()) if options.values else tour.values(env))
        argv, environ = op.rendered()
    print(json.dumps({"argv": argv, "env": environ, "url": op.url}))


def test(_):
    suite.run()


def lint(_):
    suite.lint()


def _binaries(options):
    if options and options.binaries:
        return {name: options.binaries.resolve() / name for name in ("dms-operator", "dms-simulator")}
    tools.require(*tools.prerequisites())
    return tools.release()


COMMANDS = {
    "control-plane": control_plane,
    "demo": demo,
    "up": up,
    "down": down,
    "test": test,
    "lint": lint,
    "serve": serve,
    "operator": operator,
}

if __name__ == "__main__":
    sys.exit(main())
