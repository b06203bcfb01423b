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


def test_another_context_can_be_named() -> None:
    whole = document()
    whole["contexts"].append({"name": "kind", "context": {"cluster": "k", "user": "u"}})
    whole["clusters"].append({"name": "k", "cluster": {"server": "https://10.0.0.5/k8s/c/"}})
    endpoint = parse_kubeconfig(json.dumps(whole), PATH, "kind")
    assert (endpoint.host, endpoint.port, endpoint.prefix) == ("10.0.0.5", 443, "/k8s/c")
    assert endpoint.authority_pem == ""  # whom this machine trusts
    with pytest.raises(BadKubeconfig, match="contexts 'other'"):
        parse_kubeconfig(json.dumps(whole), PATH, "other")


def test_certificates_and_tokens_may_be_files_beside_it(tmp_path: Path) -> None:
    for name in ("ca", "cert", "key", "token"):
        (tmp_path / name).write_text(f"the {name}\n")
    whole = document()
    whole["clusters"][0]["cluster"] = {
        "server": "https://10.0.0.5:6443",
        "certificate-authority": "ca",
        "insecure-skip-tls-verify": True,
    }
    whole["users"][0]["user"] = {
        "client-certificate": str(tmp_path / "cert"),
        "client-key-data": base64.b64encode(b"KEY").decode(),
    }
    endpoint = parse_kubeconfig(json.dumps(whole), tmp_path / "config")
    assert (endpoint.authority_pem, endpoint.certificate_pem) == ("the ca\n", "the cert\n")
    assert (endpoint.key_pem, endpoint.token, endpoint.verify) == ("KEY", "", False)
    whole["users"][0]["user"] = {"tokenFile": "token"}
    assert parse_kubeconfig(json.dumps(whole), tmp_path / "config").token == "the token"
    whole["users"][0]["user"] = {"tokenFile": "none"}
    with pytest.raises(BadKubeconfig, match=r"cannot read .*none: No such file"):
        parse_kubeconfig(json.dumps(whole), tmp_path / "config")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (broken("users", 0, "user", value={"exec": {}}), "this one has exec"),
        (broken("clusters", 0, "cluster", "server", value="http://a"), "http://a is not https"),
    ],
)
def test_a_way_in_that_is_not_understood_is_named(text: str, what: str) -> None:
    with pytest.raises(BadKubeconfig, match=what):
        parse_kubeconfig(text, PATH)
