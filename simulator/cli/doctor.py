"""`knary doctor`: can this machine run knary? Each check says what to do when it cannot."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click

from simulator.cli import output
from simulator.cli.exits import FAILED, OK
from simulator.cli.instance import Instance, instance_option
from simulator.cli.up import holder_of
from simulator.errors import KnaryError
from simulator.instance.options import API_PORT, CONSOLE_PORT, GATEWAY_PORT

PYTHON_MIN = (3, 11)
DESCRIPTORS_MIN = 1024  # below, a few hundred connections exhaust the gateway
PACKAGES = (
    "aiohttp", "click", "cryptography", "httptools", "msgspec", "numpy", "rich", "uvloop",
    "yaml",
)  # fmt: skip


class Finding(NamedTuple):
    """`level` is "ok", "warn" or "fail"; `way_out` says what to do about the latter two."""

    level: str
    what: str
    way_out: str = ""


@click.command("doctor")
@instance_option
def doctor(instance: Instance) -> int:
    """Check whether this machine can run knary, line by line.

    Ends with status 1 when a check fails; warnings do not count.

    \b
    Example:
      knary doctor
    """
    checks: tuple[Callable[[Instance], Iterator[Finding]], ...] = (
        _python,
        _system,
        _packages,
        _gateway,
        _descriptors,
        _network,
        _data_folder,
        _running,
        _clients,
    )
    findings = [finding for check in checks for finding in check(instance)]
    coloured = output.is_coloured(sys.stdout)
    for finding in findings:
        output.line(line_of(finding, coloured=coloured))
    return FAILED if any(finding.level == "fail" for finding in findings) else OK


def line_of(finding: Finding, *, coloured: bool) -> str:
    """Return "ok    what" or "fail  what: way out"."""
    colour = {"ok": "32", "warn": "33", "fail": "31"}[finding.level]
    level = f"{finding.level:<5}"
    shown = f"\x1b[{colour}m{level}\x1b[0m" if coloured else level
    return f"{shown} {finding.what}" + (f": {finding.way_out}" if finding.way_out else "")


def _python(_instance: Instance) -> Iterator[Finding]:
    version = platform.python_version()
    if sys.version_info >= PYTHON_MIN:
        yield Finding("ok", f"Python {version}")
    else:
        wanted = ".".join(map(str, PYTHON_MIN))
        yield Finding("fail", f"Python {version}", f"install Python {wanted} or newer")


def _system(_instance: Instance) -> Iterator[Finding]:
    name = f"{platform.system()} {platform.release()} ({platform.machine()})"
    if platform.system() in ("Linux", "Darwin"):
        yield Finding("ok", name)
    else:
        yield Finding("fail", name, "knary runs on Linux and macOS; on Windows use WSL 2")


def _packages(_instance: Instance) -> Iterator[Finding]:
    import importlib

    missing = []
    for package in PACKAGES:
        try:
            importlib.import_module(package)
        except ImportError:
            missing.append(package)
    if missing:
        names = ", ".join(missing)
        yield Finding("fail", f"packages missing: {names}", "install knary again with pip")
    else:
        yield Finding("ok", f"{len(PACKAGES)} packages load")


def _gateway(_instance: Instance) -> Iterator[Finding]:
    """Say which modules a gateway that starts now would run."""
    from knary.compiled import NotCompiled, chosen, is_outdated

    try:
        found = chosen(os.environ)
    except NotCompiled as error:
        yield Finding("fail", "gateway: cannot start", str(error))
        return
    if found is None and is_outdated(os.environ):
        what = "gateway: interpreted, for its compiled modules are older than its sources"
        yield Finding("warn", what, "run `make compile`")
    else:
        yield Finding("ok", f"gateway: {found or 'interpreted'}")
    how = "by a lock, some us a request: less when compiled" if found is None else "without a lock"
    yield Finding("ok", f"several workers would take the turns of a split together, {how}")


def _descriptors(_instance: Instance) -> Iterator[Finding]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # what gateway and API raise theirs to
    if hard == resource.RLIM_INFINITY:
        yield Finding("ok", "any number of open files allowed")
    elif hard >= DESCRIPTORS_MIN:
        yield Finding("ok", f"{hard} open files allowed")
    else:
        what = f"only {hard} open files allowed"
        yield Finding("warn", what, "this is the hard limit: have it raised by the system")


def _network(_instance: Instance) -> Iterator[Finding]:
    """Say how replicas would listen; without the kernel's leave nothing fails."""
    from simulator.netns import obstacle

    why = obstacle()
    if not why:
        yield Finding("ok", "each replica gets a network of its own; PORT is its container's")
        return
    what = f"replicas share this machine's network, each with a leased PORT ({why})"
    if platform.system() == "Linux":
        yield Finding("warn", what, "docs/networks.md says who may allow more")
    else:
        yield Finding("ok", what)


def _data_folder(instance: Instance) -> Iterator[Finding]:
    """Try the folder, or the nearest that exists above it, with a database as knary's is."""
    folder = instance.data
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    other = "choose another with --data or KNARY_DATA"
    try:
        with tempfile.TemporaryDirectory(prefix=".knary-doctor-", dir=folder) as trial:
            mode = _journal_mode(Path(trial) / "trial.sqlite")
    except (OSError, sqlite3.Error) as error:
        yield Finding("fail", f"data folder {instance.data} is not writable ({error})", other)
        return
    if mode != "wal":
        what = f"data folder {instance.data}: SQLite's write-ahead log does not work there"
        yield Finding("fail", what, f"is it a network folder? {other}")
        return
    free_mib = shutil.disk_usage(folder).free // (1024 * 1024)
    yield Finding("ok", f"data folder {instance.data}, {free_mib} MiB free")


def _journal_mode(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as database:
        (mode,) = database.execute("PRAGMA journal_mode=WAL").fetchone()
        database.execute("CREATE TABLE trial (value)")
        database.commit()
    return str(mode)


def _running(instance: Instance) -> Iterator[Finding]:
    """Say where the instance answers when it runs, else whether the default ports are free."""
    try:
        pid = holder_of(instance.paths.lock)
        if pid is not None:
            gateway = instance.description()["gateway"]
            yield Finding("ok", f"knary runs (pid {pid}), gateway {gateway}")
            return
    except (KnaryError, OSError) as error:
        yield Finding("warn", f"{instance.paths.lock}: {error}", "is it starting or stopping?")
        return
    yield Finding("ok", "no knary runs on this data folder")
    for name, port in (("gateway", GATEWAY_PORT), ("API", API_PORT), ("console", CONSOLE_PORT)):
        if _is_free(port):
            yield Finding("ok", f"port {port} is free for the {name}")
        else:
            what = f"port {port} is taken, which is the {name}'s default"
            yield Finding("warn", what, "`knary up` takes the next free one and says so")


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _clients(_instance: Instance) -> Iterator[Finding]:
    for name in ("kubectl", "kn"):
        found = shutil.which(name, path=os.environ.get("PATH"))
        without = f"no {name} on the PATH; not needed: knary brings commands of its own"
        yield Finding("ok", f"{name} is {found}" if found else without)
