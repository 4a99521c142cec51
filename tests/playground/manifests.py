"""The examples, turned towards the simulated cloud with kustomize, as a user would turn them towards another region."""

import json
import os

from tools import ROOT

EXAMPLES = "examples/kafka"


def write_overlay(env):
    """A kustomization of the examples that changes the address and the keys."""
    overlay = env.folder / "kafka"
    overlay.mkdir()
    files = sorted((ROOT / EXAMPLES).glob("*.yaml"))
    endpoints = {"dms": env.cloud.url, "iam": env.cloud.url}
    keys = {"accessKey": env.cloud.access_key, "secretKey": env.cloud.secret_key}
    kustomization = {
        "resources": [os.path.relpath(f, overlay) for f in files],
        "patches": [
            {
                "target": {"kind": "ProviderConfig"},
                "patch": json.dumps([{"op": "add", "path": "/spec/endpoints", "value": endpoints}]),
            },
            {
                "target": {"kind": "Secret"},
                "patch": json.dumps([{"op": "add", "path": "/stringData", "value": keys}]),
            },
        ],
    }
    (overlay / "kustomization.yaml").write_text(json.dumps(kustomization, indent=1))
    return overlay


def second_instance(first, name="second"):
    """Another instance with the settings of the first."""
    spec = {k: v for k, v in first["spec"].items() if k not in ("name", "instanceId", "description")}
    return {"apiVersion": first["apiVersion"], "kind": first["kind"], "metadata": {"name": name}, "spec": spec}
