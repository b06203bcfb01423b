"""`instance.json`: where a running instance answers. Written by the parent, read by commands."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

SCHEMA = 1


class Description(Struct, frozen=True, rename="camel"):
    """`gateway`, `api` and `console` are base URLs; `started` is RFC 3339; `pid` the parent's.

    `gateway_local` is where cluster-local hosts are answered too. `network` is "own" when replicas
    have networks of their own, "host" when they share this machine's.
    """

    pid: int
    version: str
    gateway: str
    api: str
    console: str
    domain: str
    splitter: str
    data_folder: str
    workers: int
    started: str
    gateway_local: str = ""
    network: str = "host"
    schema: int = SCHEMA


def encoded(description: Description) -> bytes:
    """Return it as one line of JSON."""
    return msgspec.json.encode(description) + b"\n"


def write(path: Path, description: Description) -> None:
    """Put the description in place whole, readable by its owner alone."""
    beside = path.with_name(path.name + ".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(beside, flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(encoded(description))
    beside.replace(path)


def read(path: Path) -> Description | None:
    """Return the description, or None when there is none that this version understands."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Description)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
