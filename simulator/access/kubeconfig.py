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
    """Where the API answers, by which CA it is known, and the token that opens it."""

    host: str
    port: int
    token: str
    authority_pem: str
    folder: Path  # of the kubeconfig: the instance's data folder

    @property
    def authority(self) -> str:
        """Return HOST:PORT, an IPv6 host in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def address(self) -> str:
        return f"https://{self.authority}"


def parse_kubeconfig(text: str, path: Path) -> Endpoint:
    """Return the endpoint of the current context. Raise BadKubeconfig, naming what is missing.

    JSON is tried first: knary writes its kubeconfig so, and reading it takes a hundredth of the
    time that importing a YAML parser does. Only what knary itself writes is understood: a CA in
    the file, a bearer token.
    """
    document = _load(text, path)
    try:
        context = _named(document, "contexts", "context", document["current-context"])
        cluster = _named(document, "clusters", "cluster", context["cluster"])
        user = _named(document, "users", "user", context["user"])
        server = urlsplit(cluster["server"])
        authority = base64.b64decode(cluster["certificate-authority-data"], validate=True)
        return Endpoint(
            host=server.hostname or "127.0.0.1",
            port=server.port or 443,
            token=user["token"],
            authority_pem=authority.decode("ascii"),
            folder=path.absolute().parent,
        )
    except (KeyError, TypeError) as error:
        raise BadKubeconfig(f"{path}: no kubeconfig of knary's: missing {error}") from error
    except (binascii.Error, ValueError) as error:
        raise BadKubeconfig(f"{path}: no kubeconfig of knary's: {error}") from error


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
