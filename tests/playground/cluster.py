"""kubectl and helm as a user runs them, and the operator as its rendered pod would run it."""

import json
import os
import re
import signal
import subprocess
import time

from control_plane import write_kubeconfig
from loopback import urlopen
from processes import free_ports, resident_mib
from tools import ROOT
from ui import Failure, Live, command, say

RELEASE, NAMESPACE = "dms-operator", "dms-system"
CHART = ROOT / "charts" / "dms-operator"
VENDOR_DOMAINS = ["*.myhuaweicloud.com", "*.myhuaweicloud.eu"]


class Kubectl:
    """As the cluster's admin."""

    def __init__(self, env):
        self.argv = [str(env.kubectl), f"--kubeconfig={env.kubeconfig}"]
        self.environ = environ(env)

    def show(self, *args, stdin=None, shown=None):
        """Runs it before the user's eyes; returns what it printed."""
        command(shown or ["kubectl", *args])
        return _indent(self.run(*args, stdin=stdin))

    def run(self, *args, stdin=None):
        result = subprocess.run([*self.argv, *args], input=stdin, cwd=ROOT, env=self.environ, capture_output=True, text=True)
        if result.returncode:
            raise Failure(f"kubectl {' '.join(args)}: {(result.stderr or result.stdout).strip()}")
        return result.stdout

    def popen(self, *args):
        """The running command, with all that it prints in its stdout."""
        return subprocess.Popen(
            [*self.argv, *args], env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def get(self, *args):
        return json.loads(self.run("get", "-o", "json", *args))


class Operator:
    """The chart's Deployment, run by hand: there is no node that would run its pod.

    Its command, arguments and environment are those that the API server holds, its identity is a token of the chart's
    service account, and only the address that it listens on is our own choice.
    """

    def __init__(self, env):
        self.env = env
        self.kubectl = Kubectl(env)
        self.process = self.url = None

    def install(self, values):
        """Installs the chart, or upgrades it, with these values; returns once its kinds are there."""
        path = self.env.folder / "values.json"
        path.write_text(json.dumps(values, indent=1))
        argv = ["upgrade", "--install", RELEASE, short(CHART), "--namespace", NAMESPACE, "--create-namespace"]
        argv += ["--values", short(path)]
        command(["helm", *argv])
        result = subprocess.run([self.env.helm, *argv], cwd=ROOT, env=environ(self.env), capture_output=True, text=True)
        if result.returncode:
            raise Failure(f"helm: {result.stderr.strip()}")
        _indent(result.stdout.split("\nNOTES:")[0])
        self.kubectl.show("wait", "--for=condition=Established", "crd", "--all")

    def rendered(self):
        """(argv, environment) of the pod's container, with the token of its service account."""
        [deployment] = self.kubectl.get("deployment", "-n", NAMESPACE)["items"]
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        account = pod["serviceAccountName"]
        kubeconfig = self.env.folder / "operator.kubeconfig"
        token = self.kubectl.run("create", "token", account, "-n", NAMESPACE, "--duration=24h").strip()
        write_kubeconfig(kubeconfig, self.env.apiserver, self.env.ca, account, token, NAMESPACE)

        fields = {
            "metadata.namespace": NAMESPACE,
            "metadata.name": f"{deployment['metadata']['name']}-by-hand",
            "spec.nodeName": "none",
            "spec.serviceAccountName": account,
        }
        variables = {e["name"]: _value(e, fields) for e in container.get("env", [])}
        words = [_expand(a, variables) for a in container.get("command", ["dms-operator"]) + container.get("args", [])]
        listen = f"127.0.0.1:{free_ports(1)[0]}"
        words = [f"--listen={listen}" if w.startswith("--listen=") else w for w in words]
        self.url = f"http://{listen}"
        return [str(self.env.operator), *words[1:]], variables | {"KUBECONFIG": str(kubeconfig)}

    def start(self, show=True):
        """Returns once it is ready."""
        argv, variables = self.rendered()
        if show:
            command([short(self.env.operator), *argv[1:]])
        with Live("starting the operator") as live:
            self.process = self.env.processes.start("operator", argv, variables)
            while not self._ready():
                self.env.processes.check()
                if live.elapsed > 60:
                    raise Failure(f"the operator is not ready after a minute: {self.env.processes.tail('operator')}")
                live.detail = "waiting for /readyz"
                time.sleep(0.05)

    def kill(self):
        """SIGKILL: it gets no chance to tidy up."""
        self.process.stop(signal.SIGKILL)
        self.env.processes.forget(self.process)

    def stop(self):
        """SIGTERM, as the kubelet would; it must end by itself and well."""
        self.env.processes.stop(self.process)
        if code := self.process.popen.returncode:
            raise Failure(f"the operator ended with {code}: {self.env.processes.tail('operator')}")

    def memory_mib(self):
        return resident_mib(self.process.pid)

    def _ready(self):
        try:
            with urlopen(f"{self.url}/readyz", 2):
                return True
        except OSError:
            return False


def short(path):
    """The path as seen from the repository, where commands run."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def environ(env):
    """For kubectl and helm: the admin's kubeconfig, nothing in the user's home, and no memory of which kinds there are."""
    homes = {f"HELM_{n}_HOME": str(env.folder / "helm" / n.lower()) for n in ("CACHE", "CONFIG", "DATA")}
    return os.environ | homes | {"KUBECONFIG": str(env.kubeconfig), "KUBECACHEDIR": os.devnull}


def _value(entry, fields):
    if "value" in entry:
        return entry["value"]
    path = entry.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
    if path not in fields:
        raise Failure(f"the chart's environment variable {entry['name']} cannot be resolved without a node: {entry}")
    return fields[path]


def _expand(text, variables):
    """$(NAME) as the kubelet expands it."""
    return re.sub(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)", lambda m: variables.get(m[1], m[0]), text)


def _indent(text):
    for line in text.rstrip().splitlines():
        say(f"    {line}")
    return text
