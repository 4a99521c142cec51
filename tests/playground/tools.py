"""The programs that the playground needs: what is missing is said, what can be built is built once and kept.

The control plane is pinned by `tests/control-plane/go.mod` and kept in a cache folder named by the hash of its `go.sum`.
A program that the folder `KUBEBUILDER_ASSETS` has is taken from there. The virtual environments with the vendor's SDK and
with what draws plots are pinned by the `requirements.txt` of `tests/sdk` and `tests/bench` and kept in the same way.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from ui import Failure, Live, say

ROOT = Path(__file__).resolve().parents[2]
GO_MODULE = ROOT / "tests" / "control-plane"
SDK = ROOT / "tests" / "sdk"
BENCH = ROOT / "tests" / "bench"
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "helm": "helm.sh/helm/v4/cmd/helm",
}
# What the programs say of their own version; kubectl and helm read it from the API server.
LDFLAGS = (
    "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3"
    " -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
)
PREREQUISITES = {
    "cargo": "builds the operator and the simulator; https://rustup.rs",
    "cc": "links what cargo builds; a C compiler such as gcc or clang",
    "go": "builds the control plane once, Go 1.26 or newer; https://go.dev/dl",
    "ensurepip": "makes python3's virtual environments; python3-venv in Debian",
}


def require(*names):
    """Fails with one line for each prerequisite that is neither on the PATH nor a part of this python."""
    missing = [n for n in names if not shutil.which(n) and not importlib.util.find_spec(n)]
    if missing:
        raise Failure("\n".join(f"missing: {n} ({PREREQUISITES[n]})" for n in missing))


def prerequisites():
    """What a build of everything needs on this machine."""
    return ["cargo", "cc"] + ([] if all(found(n) for n in PACKAGES) else ["go"])


def found(name):
    """Where a control plane program is, or None if it has yet to be built."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    for folder in ([Path(assets)] if assets else []) + [cache()]:
        if os.access(folder / name, os.X_OK):
            return folder / name
    return None


def cache():
    return _cache("control-plane", (GO_MODULE / "go.sum").read_bytes())


def control_plane(names=tuple(PACKAGES)):
    """Builds what is missing of the named programs; returns the path of each by name."""
    if not all(found(n) for n in names):
        require("go")
        with _alone_in(cache(), "the control plane"):
            missing = [n for n in names if not found(n)]
            if missing:
                say(f"  building {', '.join(missing)} once, about ten minutes on two cores; kept in {cache()}")
            for name in missing:
                _go_build(name)
    return {name: found(name) for name in names}


def sdk_python():
    """Where the python is that has the vendor's SDK, or None if its virtual environment has yet to be made."""
    return _python(_venv(SDK))


def sdk():
    """Makes the virtual environment with the vendor's SDK if need be; returns its python."""
    return _made(SDK, "the vendor's SDK")


def plots():
    """Makes the virtual environment that draws plots if need be; returns its python."""
    return _made(BENCH, "what draws the plots")


def release():
    """Builds the operator and the simulator in release mode; returns their paths by name."""
    require("cargo", "cc")
    run(["cargo", "build", "--release", "--bins", "--locked"], cwd=ROOT)
    return binaries()


def binaries():
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    return {name: ROOT / target / "release" / name for name in ("dms-operator", "dms-simulator")}


def run(argv, **options):
    """Runs a command whose output is the user's to read."""
    if subprocess.run([str(a) for a in argv], **options).returncode:
        raise Failure(f"failed: {' '.join(str(a) for a in argv)}")


def _venv(tests):
    # A virtual environment is of the python that made it.
    pinned = (tests / "requirements.txt").read_bytes()
    return _cache(tests.name, pinned + f"{sys.version} {sys.base_prefix}".encode())


def _python(folder):
    python = folder / "venv" / "bin" / "python"
    return python if (folder / ".complete").exists() and os.access(python, os.X_OK) else None


def _made(tests, what):
    folder = _venv(tests)
    if not _python(folder):
        require("ensurepip")
        with _alone_in(folder, "the virtual environment"):
            if not _python(folder):
                with Live(f"installing {what} once; kept in {folder}"):
                    _quietly([sys.executable, "-m", "venv", "--clear", folder / "venv"])
                    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "--disable-pip-version-check"]
                    _quietly([*pip, "--require-hashes", "-r", tests / "requirements.txt"])
                # Not before all of it is there.
                (folder / ".complete").touch()
    return _python(folder)


def _cache(kind, pinned):
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "dms-operator" / kind / hashlib.sha256(pinned).hexdigest()[:16]


@contextmanager
def _alone_in(folder, what):
    """Holds the folder's lock, so that two who build at once do not build in each other's files."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with Live(f"waiting for another build of {what}"):
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _quietly(argv):
    """Runs a command whose output is worth reading only if it fails."""
    done = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failure(f"failed: {' '.join(str(a) for a in argv)}\n{done.stdout}")


def _go_build(name):
    # Built beside its place and then renamed, so that nobody ever sees half a program.
    partial = cache() / f".{name}.{os.getpid()}"
    argv = ["go", "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", LDFLAGS, "-o", str(partial), PACKAGES[name]]
    tail, compiled = [], 0
    try:
        with Live(f"building {name}") as live:
            build = subprocess.Popen(argv, cwd=GO_MODULE, stderr=subprocess.PIPE, text=True)
            for line in build.stderr:
                compiled += not line.startswith("go: ")
                live.detail = f"{compiled} packages, {line.strip()}"
                tail = [*tail[-20:], line]
            if build.wait():
                raise Failure(f"failed to build {name}:\n{''.join(tail)}")
            partial.rename(cache() / name)
    finally:
        partial.unlink(missing_ok=True)
