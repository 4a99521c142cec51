"""A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager. No node, no root."""

import base64
import json
import secrets
import time
import urllib.request

from loopback import urlopen
from processes import free_ports
from ui import Failure, Live

CONTROLLERS = (
    "namespace-controller,garbage-collector-controller,serviceaccount-controller,serviceaccount-token-controller,"
    "root-ca-certificate-publisher-controller,clusterrole-aggregation-controller,deployment-controller,"
    "replicaset-controller,validatingadmissionpolicy-status-controller"
)
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


class ControlPlane:
    """Started by `start`; then `url`, `ca`, `kubeconfig` (the admin's) and `audit_log` lead to it."""

    def __init__(self, folder, programs, processes):
        self.folder, self.programs, self.processes = folder, programs, processes
        self.ca, self.kubeconfig, self.audit_log = (folder / n for n in ("certs/apiserver.crt", "kubeconfig", "audit.log"))
        self.url = None

    def start(self):
        """Returns once the API server is ready and its controllers run."""
        client, peer, port = free_ports(3)
        self.url, token = f"https://127.0.0.1:{port}", secrets.token_hex(16)
        self._write("sa.key", _signing_key())
        self._write("tokens.csv", f"{token},admin,admin,system:masters\n")
        self._write("audit-policy.json", json.dumps(AUDIT_POLICY))
        etcd = f"http://127.0.0.1:{client}"
        with Live("starting etcd, kube-apiserver and kube-controller-manager") as live:
            self._run(
                "etcd",
                ("--data-dir", self.folder / "etcd"),
                ("--unsafe-no-fsync",),
                ("--listen-client-urls", etcd),
                ("--advertise-client-urls", etcd),
                ("--listen-peer-urls", f"http://127.0.0.1:{peer}"),
            )
            self._run(
                "kube-apiserver",
                ("--etcd-servers", etcd),
                ("--bind-address", "127.0.0.1"),
                ("--secure-port", port),
                ("--cert-dir", self.folder / "certs"),
                ("--service-cluster-ip-range", "10.0.0.0/24"),
                ("--service-account-key-file", self.folder / "sa.key"),
                ("--service-account-signing-key-file", self.folder / "sa.key"),
                ("--service-account-issuer", "https://kubernetes.default.svc"),
                ("--token-auth-file", self.folder / "tokens.csv"),
                ("--authorization-mode", "RBAC"),
                ("--audit-policy-file", self.folder / "audit-policy.json"),
                ("--audit-log-path", self.audit_log),
                ("--endpoint-reconciler-type", "none"),
            )
            self._wait_ready(token, live)
            write_kubeconfig(self.kubeconfig, self.url, self.ca, "admin", token)
            self._run(
                "kube-controller-manager",
                ("--kubeconfig", self.kubeconfig),
                ("--root-ca-file", self.ca),
                ("--service-account-private-key-file", self.folder / "sa.key"),
                ("--use-service-account-credentials=true",),
                ("--leader-elect=false",),
                ("--bind-address", "127.0.0.1"),
                ("--secure-port=0",),
                (f"--controllers={CONTROLLERS}",),
            )

    def _run(self, name, *flags):
        self.processes.start(name, [self.programs[name], *(part for flag in flags for part in flag)])

    def _wait_ready(self, token, live):
        request = urllib.request.Request(f"{self.url}/readyz", headers={"Authorization": f"Bearer {token}"})
        while live.elapsed < 120:
            self.processes.check()
            try:
                with urlopen(request, 5, self.ca):
                    return
            except OSError as error:  # an HTTPError too: 500 until every check has passed
                live.detail = str(error)
            time.sleep(0.1)
        raise Failure(f"the API server is not ready after two minutes: {self.processes.tail('kube-apiserver')}")

    def _write(self, name, text):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)


def write_kubeconfig(path, url, ca, user, token, namespace="default"):
    """A kubeconfig with one user and one context; JSON is YAML too."""
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(ca.read_bytes()).decode()}
    path.touch(mode=0o600)
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "playground",
                "clusters": [{"name": "playground", "cluster": cluster}],
                "users": [{"name": user, "user": {"token": token}}],
                "contexts": [
                    {"name": "playground", "context": {"cluster": "playground", "user": user, "namespace": namespace}}
                ],
            },
            indent=1,
        )
    )


def _signing_key():
    # A P-256 key in SEC1 form (RFC 5915) without its optional public half: any number below the order, which begins
    # with 32 one-bits, is a key, so the first byte is kept small.
    secret = bytes([1]) + secrets.token_bytes(31)
    der = bytes.fromhex("30310201010420") + secret + bytes.fromhex("a00a06082a8648ce3d030107")
    return f"-----BEGIN EC PRIVATE KEY-----\n{base64.encodebytes(der).decode()}-----END EC PRIVATE KEY-----\n"
