"""A control plane and a simulator in one folder, ready for an operator."""

import json
import shutil
from pathlib import Path

import tools
from cloud import Cloud
from control_plane import ControlPlane
from processes import Processes, free_ports
from ui import Failure, Live

# The simulator serves one account; whoever knows these may call it.
ACCESS_KEY, SECRET_KEY = "PLAYGROUNDACCESSKEY", "playground-secret-key-not-a-real-one"
# As a Secret has them.
USER = {"username": "playground-user", "password": "playground-password-not-a-real-one", "domainName": "playground-account"}
PROJECT_ID = "0c1f2d3e4b5a69788796a5b4c3d2e1f0"
REGION = "eu-west-101"


class Environment:
    """Everything that `serve` describes in `env.json`."""

    def __init__(self, folder, programs, binaries):
        self.folder = Path(folder).resolve()
        self.kubectl, self.helm = Path(programs["kubectl"]), Path(programs["helm"])
        self.operator, self.simulator = binaries["dms-operator"], binaries["dms-simulator"]
        self.apiserver = self.kubeconfig = self.ca = self.audit_log = self.cloud = self.processes = None

    @classmethod
    def start(cls, folder, binaries, speed=None, left=False, flags=()):
        """Empties the folder and starts everything in it; without a speed there is no simulator, which takes more `flags`."""
        programs = tools.control_plane()
        env = cls(folder, programs, binaries)
        env._empty_folder()
        env.processes = Processes(env.folder, left)
        try:
            plane = ControlPlane(env.folder, programs, env.processes)
            plane.start()
            env.apiserver, env.kubeconfig, env.ca, env.audit_log = plane.url, plane.kubeconfig, plane.ca, plane.audit_log
            if speed:
                env._start_simulator(speed, flags)
            (env.folder / "env.json.new").write_text(json.dumps(env.describe(), indent=1))
            (env.folder / "env.json.new").rename(env.folder / "env.json")
        except BaseException:
            env.stop()
            raise
        return env

    @classmethod
    def attach(cls, folder, binaries):
        """The environment that another process serves in the folder."""
        known = json.loads((Path(folder) / "env.json").read_text())
        env = cls(folder, known, binaries)
        env.apiserver, env.kubeconfig, env.ca = known["apiserver"], Path(known["kubeconfig"]), Path(known["ca"])
        if simulator := known["simulator"]:
            env.cloud = Cloud(*(simulator[k] for k in ("url", "accessKey", "secretKey", "projectId")))
        return env

    def describe(self):
        cloud = self.cloud and {
            "url": self.cloud.url,
            "accessKey": self.cloud.access_key,
            "secretKey": self.cloud.secret_key,
            "user": USER,
            "projectId": self.cloud.project_id,
            "region": REGION,
        }
        return {
            "dir": str(self.folder),
            "kubeconfig": str(self.kubeconfig),
            "apiserver": self.apiserver,
            "ca": str(self.ca),
            "auditLog": str(self.audit_log),
            "kubectl": str(self.kubectl),
            "helm": str(self.helm),
            "simulator": cloud,
        }

    def stop(self):
        """Ends every process; the logs stay."""
        self.processes.stop()
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)

    def _empty_folder(self):
        if Processes.running(self.folder).members:
            raise Failure(f"the playground in {self.folder} is in use; `make down` ends what `make up` started")
        marker = self.folder / ".dms-playground"
        if self.folder.exists() and any(self.folder.iterdir()) and not marker.exists():
            raise Failure(f"{self.folder} holds something else: the playground wants a folder of its own")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        marker.touch()

    def _start_simulator(self, speed, flags):
        [port] = free_ports(1)
        self.cloud = Cloud(f"http://127.0.0.1:{port}", ACCESS_KEY, SECRET_KEY, PROJECT_ID)
        with Live(f"starting the simulator on {self.cloud.url}, {speed:g} times as fast as the service"):
            self.processes.start(
                "simulator",
                [
                    self.simulator,
                    f"--listen=127.0.0.1:{port}",
                    f"--speed={speed}",
                    f"--access-key={ACCESS_KEY}",
                    f"--secret-key={SECRET_KEY}",
                    f"--user-name={USER['username']}",
                    f"--password={USER['password']}",
                    f"--domain-name={USER['domainName']}",
                    f"--project-id={PROJECT_ID}",
                    *flags,
                ],
            )
            self.cloud.wait_until_up(self.processes.check)
