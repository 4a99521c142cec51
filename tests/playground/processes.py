"""Processes that we started, and only those: ended by process id, once we are sure that it is still the same process."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from ui import Failure


class Process:
    def __init__(self, name, pid, identity, popen=None):
        self.name, self.pid, self.identity, self.popen = name, pid, identity, popen

    def alive(self):
        if self.popen:
            return self.popen.poll() is None
        return self.identity is not None and _identity(self.pid) == self.identity

    def stop(self, sig=signal.SIGTERM, grace=15):
        """Sends the signal and waits for the end; after the grace it is killed."""
        if self.alive():
            os.kill(self.pid, sig)
        deadline = time.monotonic() + grace
        while self.alive():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.05)


class Processes:
    """A group in one folder: each process logs to `<name>.log` there.

    They end with this process, also if it is killed, unless they are `left` running on purpose.
    """

    def __init__(self, folder, left=False):
        self.folder, self.left, self.members = Path(folder), left, []

    def start(self, name, argv, env=None):
        with open(self.folder / f"{name}.log", "ab") as log:
            popen = subprocess.Popen(
                [str(a) for a in argv],
                cwd=self.folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us: we end them in order
                preexec_fn=None if self.left else _end_with_parent,
            )
        process = Process(name, popen.pid, _identity(popen.pid), popen)
        self.members.append(process)
        self._save()
        return process

    def stop(self, *which):
        """Ends the given processes, or all, the last started first."""
        for process in reversed(which or list(self.members)):
            process.stop()
            self.forget(process)

    def forget(self, process):
        self.members.remove(process)
        self._save()

    def check(self):
        """Fails if one has ended by itself."""
        for process in self.members:
            if not process.alive():
                raise Failure(f"{process.name} has ended by itself: {self.tail(process.name)}")

    def tail(self, name, lines=15):
        path = self.folder / f"{name}.log"
        last = path.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join([str(path), *last])

    @classmethod
    def running(cls, folder):
        """What was started in the folder, by whomever, and still runs."""
        group, path = cls(folder), Path(folder) / "processes.json"
        saved = json.loads(path.read_text()) if path.exists() else []
        processes = [Process(p["name"], p["pid"], p["identity"]) for p in saved]
        group.members = [p for p in processes if p.alive()]
        return group

    def _save(self):
        members = [{"name": p.name, "pid": p.pid, "identity": p.identity} for p in self.members]
        (self.folder / "processes.json").write_text(json.dumps(members, indent=1))


def free_ports(count):
    """Loopback ports that nobody uses at this moment, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


def resident_mib(pid):
    """Resident memory in MiB, or None where it cannot be read."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return next(round(int(line.split()[1]) / 1024, 1) for line in status.splitlines() if line.startswith("VmRSS"))


def _identity(pid):
    """When the process started: with the pid, it tells a process from a later one of the same number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return None
        return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True).stdout.strip() or None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state == "Z" else fields[18]


def _end_with_parent():
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG; all of it is throwaway then
