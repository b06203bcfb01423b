"""The gateway's compiled modules: whether there are any that fit, and how a process uses them.

`make compile` and a wheel built with KNARY_COMPILE=1 put extension modules into
gateway/compiled/PYTHON/DIGEST-MYPYC/, where DIGEST is that of all of gateway's sources. Ordinary
imports never look there: a process asks for them (`use`), and gets those of exactly the sources
that it would otherwise interpret. So what is out of date is never used.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from knary.inside import folder

SWITCH = "KNARY_COMPILED"  # 0: never; 1: or not at all; unset: when they fit
SUFFIX = EXTENSION_SUFFIXES[0]  # like .cpython-311-x86_64-linux-gnu.so: names Python and platform
_DIGEST_CHARACTERS = 20


class NotCompiled(Exception):
    """Compiled modules were asked for, and none fit; the message says the way out."""


class Compiled(NamedTuple):
    """Compiled modules that fit the sources."""

    folder: Path
    mypyc: str  # the version that made them

    def __str__(self) -> str:
        return f"compiled (mypyc {self.mypyc})"

    def modules(self) -> dict[str, Path]:
        """Return each module's file by the module's full name; they lie as packages do."""
        return {
            path.relative_to(self.folder).as_posix().removesuffix(SUFFIX).replace("/", "."): path
            for path in self.folder.rglob(f"*{SUFFIX}")
        }


def digest(gateway: Path) -> str:
    """Return what stands for all sources in the folder: 2 ms for 400 KiB.

    All, not only those that are compiled: mypyc copies constants of other modules into them.
    """
    found = hashlib.sha256()
    for path in sorted(path for kind in ("*.py", "*.c") for path in gateway.rglob(kind)):
        data = path.read_bytes()
        name = path.relative_to(gateway).as_posix()
        found.update(f"{name}\0{len(data)}\0".encode() + data)
    return found.hexdigest()[:_DIGEST_CHARACTERS]


def home(gateway: Path) -> Path:
    """Return the folder of what is compiled for this Python."""
    return gateway / "compiled" / SUFFIX.strip(".").partition(".")[0]


def find(gateway: Path) -> Compiled | None:
    """Return the modules that fit the sources, None when there are none."""
    for place in home(gateway).glob(f"{digest(gateway)}-*"):
        return Compiled(place, place.name.partition("-")[2])
    return None


def chosen(environment: Mapping[str, str]) -> Compiled | None:
    """Return what a gateway started with this environment uses; None: the interpreted modules.

    Raise NotCompiled when it asks for what is not there.
    """
    gateway, wish = folder() / "gateway", environment.get(SWITCH, "")
    if wish not in ("", "0", "1"):
        raise NotCompiled(f"{SWITCH} is {wish!r}; set it to 0 or 1, or not at all")
    if wish == "0" or (not wish and not home(gateway).is_dir()):
        return None
    found = find(gateway)
    if found is None and wish == "1":
        raise NotCompiled(f"{SWITCH} is 1, and {why_not(gateway)}")
    return found


def why_not(gateway: Path) -> str:
    """Say why nothing fits, and the way out."""
    if _has_any(gateway):
        return "the gateway's compiled modules are older than its sources: run `make compile`"
    python = ".".join(map(str, sys.version_info[:2]))
    return f"the gateway is not compiled for this Python {python}: see docs/compiled.md"


def is_outdated(environment: Mapping[str, str]) -> bool:
    """Tell whether there are compiled modules that would be used if they fitted the sources."""
    gateway = folder() / "gateway"
    return environment.get(SWITCH) != "0" and _has_any(gateway) and find(gateway) is None


def _has_any(gateway: Path) -> bool:
    return any(home(gateway).glob("[!.]*-*"))


def use(environment: Mapping[str, str]) -> None:
    """Let this process import gateway's compiled modules, if it shall.

    Call it before importing any of gateway. Raise NotCompiled as `chosen` does.
    """
    found = chosen(environment)
    if found is not None:
        sys.meta_path.insert(0, CompiledModules(found))


class CompiledModules:
    """Finds the compiled modules by name, before Python finds their sources."""

    def __init__(self, compiled: Compiled) -> None:
        self._files = compiled.modules()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 (Python's protocol)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        file = self._files.get(fullname)
        if file is None:
            return None
        loader = ExtensionFileLoader(fullname, str(file))
        return spec_from_file_location(fullname, file, loader=loader)
