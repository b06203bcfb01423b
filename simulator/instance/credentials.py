"""What opens an instance: its CA, the API's certificate, the bearer token, the kubeconfig.

Made at the first start and kept; every file is readable by its owner alone. The certificate is
renewed when it has expired or does not name the host; the kubeconfig is rewritten when the API's
address changes. It is written as JSON, which is YAML too and is read a hundred times as fast.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    except (FileNotFoundError, UnicodeDecodeError):
        token = ""
    if len(token) < _TOKEN_LENGTH_MIN:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        _write(path, token.encode() + b"\n")
    return token


def _ensure_certificates(folder: Path, host: str, now: datetime) -> bytes:
    """Return the CA's certificate in PEM, after renewing what needs it."""
    files = [folder / name for name in ("ca.crt", "ca.key", "server.crt", "server.key")]
    kept = [file.read_bytes() if file.is_file() else b"" for file in files]
    record = folder / "issued.json"
    if _is_current(record, kept, host, now):
        for file in files:
            os.chmod(file, 0o600)
        return kept[0]
    # Here and not above: it takes 50 ms to import, and most starts do not need it.
    from simulator.instance import certificates

    authority = certificates.Pair(kept[0], kept[1])
    if not certificates.is_authority_usable(authority, now):
        authority = certificates.new_authority(now)
    server = certificates.new_server(authority, host, now)
    made = [*authority, *server]
    for file, content in zip(files, made, strict=True):
        _write(file, content)
    renew_at = now + timedelta(days=certificates.SERVER_DAYS - certificates.RENEW_BEFORE_DAYS)
    issued = {"of": _digest(made), "host": host, "from": now.timestamp()}
    _write(record, json.dumps(issued | {"renewAt": renew_at.timestamp()}).encode() + b"\n")
    return authority.certificate


def _is_current(record: Path, kept: list[bytes], host: str, now: datetime) -> bool:
    """Tell whether the record is of these very files, of this host and of this time."""
    try:
        issued = json.loads(record.read_bytes())
        if issued["of"] != _digest(kept) or issued["host"] != host:
            return False
        return bool(issued["from"] <= now.timestamp() < issued["renewAt"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return False


def _digest(contents: list[bytes]) -> str:
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


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
