"""What a client needs to know to reach the API, read from a kubeconfig."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simulator.errors import KnaryError


class BadKubeconfig(KnaryError):
    """The file is no kubeconfig that knary's own client can use."""


@dataclass(frozen=True)
class Endpoint:
    """Where the API answers, by which CA it is known, and what opens it: a token, a certificate.

    `authority_pem` "" stands for the CAs that this machine trusts.
    """

    host: str
    port: int
    token: str
    authority_pem: str
    folder: Path  # of the kubeconfig: the instance's data folder
    prefix: str = ""  # of every path
    certificate_pem: str = ""
    key_pem: str = ""
    verify: bool = True

    @property
    def authority(self) -> str:
        """Return HOST:PORT, an IPv6 host in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def address(self) -> str:
        return f"https://{self.authority}{self.prefix}"


def parse_kubeconfig(text: str, path: Path, context: str = "") -> Endpoint:
    """Return the endpoint of a context, "" for the current one.

    Raise BadKubeconfig, naming what is missing or not understood. JSON is tried first: knary writes
    its kubeconfig so, and reading it takes a hundredth of the time that importing a YAML parser
    does. Of the ways to say who one is, tokens and client certificates are understood.
    """
    document = _load(text, path)
    try:
        context_named = _named(
            document, "contexts", "context", context or document["current-context"]
        )
        cluster = _named(document, "clusters", "cluster", context_named["cluster"])
        user = _named(document, "users", "user", context_named["user"])
        server = urlsplit(cluster["server"])
        if server.scheme != "https":
            raise BadKubeconfig(f"{path}: the server {cluster['server']} is not https")
        token, certificate = _token(user, path), _pem(user, "client-certificate", path)
        if not token and not certificate:
            told = ", ".join(sorted(user)) or "nothing"
            raise BadKubeconfig(
                f"{path}: a user needs a token or a client certificate; this one has {told}"
            )
        return Endpoint(
            host=server.hostname or "127.0.0.1",
            port=server.port or 443,
            token=token,
            authority_pem=_pem(cluster, "certificate-authority", path),
            folder=path.absolute().parent,
            prefix=server.path.rstrip("/"),
            certificate_pem=certificate,
            key_pem=_pem(user, "client-key", path),
            verify=not cluster.get("insecure-skip-tls-verify"),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadKubeconfig(f"{path}: no kubeconfig that is understood: missing {error}") from error
    except (binascii.Error, ValueError) as error:
        raise BadKubeconfig(f"{path}: no kubeconfig that is understood: {error}") from error
    except OSError as error:
        raise BadKubeconfig(f"{path}: cannot read {error.filename}: {error.strerror}") from error


def _token(user: Any, path: Path) -> str:
    if file := user.get("tokenFile"):
        return path.absolute().parent.joinpath(str(file)).read_text(encoding="ascii").strip()
    return str(user.get("token") or "")


def _pem(part: Any, name: str, path: Path) -> str:
    """Return what a field has in it, or names: files are relative to the kubeconfig."""
    if data := part.get(f"{name}-data"):
        return base64.b64decode(data, validate=True).decode("ascii")
    if file := part.get(name):
        return path.absolute().parent.joinpath(str(file)).read_text(encoding="ascii")
    return ""


def _load(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        import yaml
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadKubeconfig(f"{path}: neither JSON nor YAML") from error


def _named(document: Any, plural: str, singular: str, name: str) -> Any:
    for entry in document[plural]:
        if entry["name"] == name:
            return entry[singular]
    raise KeyError(f"{plural} {name!r}")
