"""knary's kubeconfig is read as JSON or YAML; what cannot be used is named."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.access.kubeconfig import BadKubeconfig, parse_kubeconfig

PATH = Path("/data/kubeconfig")


def document() -> dict[str, Any]:
    authority = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "knary",
        "contexts": [{"name": "knary", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [
            {
                "name": "c",
                "cluster": {
                    "server": "https://127.0.0.1:6443",
                    "certificate-authority-data": authority,
                },
            }
        ],
        "users": [{"name": "u", "user": {"token": "secret"}}],
    }


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump], ids=["JSON", "YAML"])
def test_the_current_context_is_the_endpoint(write: Any) -> None:
    endpoint = parse_kubeconfig(write(document()), PATH)
    assert (endpoint.host, endpoint.port, endpoint.token) == ("127.0.0.1", 6443, "secret")
    assert endpoint.authority_pem == "-----BEGIN CERTIFICATE-----"
    assert (endpoint.address, endpoint.folder) == ("https://127.0.0.1:6443", Path("/data"))


def test_an_ipv6_address_is_written_in_brackets() -> None:
    changed = document()
    changed["clusters"][0]["cluster"]["server"] = "https://[::1]:6443"
    assert parse_kubeconfig(json.dumps(changed), PATH).address == "https://[::1]:6443"


def broken(*path: Any, value: Any = None) -> str:
    whole = document()
    parent: Any = whole
    for key in path[:-1]:
        parent = parent[key]
    if value is None:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("", "kubeconfig", id="empty"),
        pytest.param("{", "neither JSON nor YAML", id="neither JSON nor YAML"),
        pytest.param(broken("users", 0, "user", "token"), "token", id="no token"),
        pytest.param(broken("current-context"), "current-context", id="no context"),
        pytest.param(broken("current-context", value="x"), "contexts 'x'", id="unknown context"),
        pytest.param(
            broken("clusters", 0, "cluster", "certificate-authority-data", value="?"),
            "kubeconfig",
            id="no base64",
        ),
    ],
)
def test_what_cannot_be_used_is_named(text: str, what: str) -> None:
    with pytest.raises(BadKubeconfig, match=what) as caught:
        parse_kubeconfig(text, PATH)
    assert str(PATH) in str(caught.value)
