"""The examples, turned towards the simulated cloud with kustomize, as a user would turn them towards another region."""

import json
import os

from environment import USER
from tools import ROOT

EXAMPLES = ("examples/kafka", "examples/rocketmq", "examples/password")


def write_overlay(env):
    """A kustomization of the examples that changes the address, the keys and the password."""
    overlay = env.folder / "examples"
    overlay.mkdir()
    files = [f for folder in EXAMPLES for f in sorted((ROOT / folder).glob("*.yaml"))]
    endpoints = {"dms": env.cloud.url, "iam": env.cloud.url}
    keys = {"accessKey": env.cloud.access_key, "secretKey": env.cloud.secret_key}
    kustomization = {
        "resources": [os.path.relpath(f, overlay) for f in files],
        "patches": [
            _patch({"kind": "ProviderConfig"}, "/spec/endpoints", endpoints),
            _patch({"kind": "Secret", "name": "huawei"}, "/stringData", keys),
            _patch({"kind": "Secret", "name": "huawei-password"}, "/stringData", USER),
        ],
    }
    (overlay / "kustomization.yaml").write_text(json.dumps(kustomization, indent=1))
    return overlay


def second_instance(first, provider=None):
    """Another instance with the settings of the first, by another ProviderConfig if one is named."""
    spec = {k: v for k, v in first["spec"].items() if k not in ("name", "instanceId")}
    if provider:
        spec["providerConfigRef"] = {"name": provider}
    name = f"second-{first['metadata']['name']}"
    return {"apiVersion": first["apiVersion"], "kind": first["kind"], "metadata": {"name": name}, "spec": spec}


def _patch(target, path, value):
    return {"target": target, "patch": json.dumps([{"op": "add", "path": path, "value": value}])}
