"""What opens an instance: its CA, the API's certificate, the bearer token, the kubeconfig.

Made at the first start and kept; every file is readable by its owner alone. The certificate is
renewed when it has expired or does not name the host; the kubeconfig is rewritten when the API's
address changes. It is written as JSON, which is YAML too and is read a hundred times as fast.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from simulator.errors import KnaryError
from simulator.instance.paths import InstancePaths

CONTEXT = "knary"
USER = "knary-admin"
_TOKEN_BYTES = 32
_TOKEN_LENGTH_MIN = 32


class CredentialsUnusable(KnaryError):
    """The instance's credentials cannot be read or written."""


@dataclass(frozen=True)
class Credentials:
    """The token, and the files of the API's certificate. `repr` does not show the token."""

    token: str
    certificate: Path
    key: Path

    def __repr__(self) -> str:
        return f"Credentials(certificate={self.certificate})"

    def server_context(self) -> ssl.SSLContext:
        """Return the TLS context of the API's port: TLS 1.2 or newer, HTTP/1.1."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        context.set_alpn_protocols(["http/1.1"])
        return context


def ensure_credentials(paths: InstancePaths, host: str, port: int, now: datetime) -> Credentials:
    """Make or renew what is missing or out of date; return what the servers need.

    `host` and `port` are where the API listens. Raise CredentialsUnusable.
    """
    folder = paths.certificates
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        token = _ensure_token(paths.token)
        authority = _ensure_certificates(folder, host, now)
        _ensure_kubeconfig(paths.kubeconfig, _kubeconfig(host, port, token, authority))
    except OSError as error:
        raise CredentialsUnusable(
            f"cannot keep the credentials in {paths.data}: {error.strerror}: "
            "make the folder writable, or choose another --data folder"
        ) from error
    return Credentials(token, folder / "server.crt", folder / "server.key")


def _ensure_token(path: Path) -> str:
    try:
        token = path.read_text(encoding="ascii").strip()
        os.chmod(path, 0o600)
    except FileNotFoundError:
        token = ""
    except UnicodeDecodeError:
        token = ""
    if len(token) < _TOKEN_LENGTH_MIN:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        _write(path, token.encode() + b"\n")
    return token


def _ensure_certificates(folder: Path, host: str, now: datetime) -> bytes:
    """Return the CA's certificate in PEM, after renewing what needs it."""
    authority, certificate = folder / "ca.crt", folder / "server.crt"
    files = (authority, folder / "ca.key", certificate, folder / "server.key")
    if all(file.is_file() for file in files):
        # `cryptography` takes 50 ms to import: only when there is something to look at.
        from simulator.instance import certificates

        pair = certificates.Pair(files[0].read_bytes(), files[1].read_bytes())
        if certificates.is_authority_usable(pair, now):
            served = certificates.Pair(files[2].read_bytes(), files[3].read_bytes())
            if not certificates.is_server_usable(served, pair, host, now):
                served = certificates.new_server(pair, host, now)
                _write(files[3], served.key)
                _write(files[2], served.certificate)
            return pair.certificate
    from simulator.instance import certificates

    pair = certificates.new_authority(now)
    served = certificates.new_server(pair, host, now)
    for file, content in zip(
        files, (pair.certificate, pair.key, served.certificate, served.key), strict=True
    ):
        _write(file, content)
    return pair.certificate


def _kubeconfig(host: str, port: int, token: str, authority: bytes) -> dict[str, Any]:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    cluster = {
        "server": f"https://{address}",
        "certificate-authority-data": base64.b64encode(authority).decode("ascii"),
    }
    context = {"cluster": CONTEXT, "user": USER, "namespace": "default"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": USER, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": context}],
        "preferences": {},
    }


def _ensure_kubeconfig(path: Path, document: dict[str, Any]) -> None:
    content = json.dumps(document, indent=2).encode() + b"\n"
    try:
        if path.read_bytes() == content:
            os.chmod(path, 0o600)
            return
    except FileNotFoundError:
        pass
    _write(path, content)


def _write(path: Path, content: bytes) -> None:
    """Put the file in place whole, readable by its owner alone from its first byte on."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
