"""Compiles the gateway's modules with mypyc, from the very sources that Python would interpret.

`make compile` runs it as a program; hatchling runs it as a build hook, which does something only
when KNARY_COMPILE=1. What a process then does with the modules is in knary/compiled.py.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from knary import compiled  # noqa: E402

SWITCH = "KNARY_COMPILE"
MYPYC = "mypy[mypyc]>=1.18"
TYPED = ("msgspec", "uvloop")  # what mypy must see to know the types that gateway uses

# Cold, or made of classes that are not mypyc's: msgspec's structs. Of `words` there is one in C.
INTERPRETED = frozenset(
    f"gateway/{name}.py"
    for name in ("build", "contract", "control", "main", "native", "settings", "words")
)
WORDS = "gateway.words"  # in words.c: what neither Python nor mypyc can say
_NOTE_ON_SPEED = "warning: Treating generator comprehension as list"
LIBRARY = "knary_gateway"  # the one shared library in which all modules are


class CannotCompile(Exception):
    """Compiling failed or cannot begin; the message says what is missing, and the way out."""


class CompiledGateway(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the compiled modules into the wheel, which then is one for this Python and platform."""

    def dependencies(self) -> list[str]:
        """Return what the build needs besides hatchling: nothing unless it compiles."""
        if os.environ.get(SWITCH) != "1":
            return []
        own = self.metadata.core.dependencies
        return [MYPYC, *(one for one in own if re.split(r"[<>=!~;\[ ]", one)[0] in TYPED)]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into a folder of the build's own, and add what is in there."""
        if os.environ.get(SWITCH) != "1" or version == "editable":
            return
        self._place = Path(tempfile.mkdtemp(prefix="knary-wheel-"))
        try:
            made = build(ROOT / "gateway", self._place)
        except CannotCompile as error:
            sys.exit(f"knary: {error}")
        inside = Path("knary/_inside/gateway") / made.relative_to(self._place)
        build_data["force_include"][str(made)] = str(inside)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove the build's own folder."""
        if place := getattr(self, "_place", None):
            shutil.rmtree(place, ignore_errors=True)


def build(gateway: Path, target: Path, options: Sequence[str] = ()) -> Path:
    """Compile gateway's modules; return their folder, somewhere below `target`.

    It appears there in one step, whole. Raise CannotCompile when the machine lacks something; mypy
    prints its own errors and ends the process.
    """
    check_machine()
    with tempfile.TemporaryDirectory(prefix="knary-compile-") as scratch:
        work = Path(scratch)
        shutil.copytree(gateway, work / "gateway", ignore=_all_but_sources)
        with contextlib.chdir(work):
            mypyc, files = _run_mypyc(work, options)
        name = f"{compiled.digest(work / 'gateway')}-{mypyc}"
        final = compiled.home(target) / name
        fresh = final.with_name(f".{name}.{os.getpid()}")
        for module, file in files.items():
            # As packages do: mypyc derives a module's __file__ from its library's like that.
            place = fresh / f"{module.replace('.', '/')}{compiled.SUFFIX}"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    shutil.rmtree(final, ignore_errors=True)
    fresh.rename(final)
    return final


def check_machine() -> None:
    """Raise CannotCompile unless mypyc, a C compiler and Python's headers are here."""
    missing = [name for name in ("mypyc", "setuptools") if importlib.util.find_spec(name) is None]
    if missing:
        raise CannotCompile(f"to compile, {MYPYC} is needed: {missing[0]} is missing")
    named = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    command = shlex.split(named)[0]
    if shutil.which(command) is None:
        raise CannotCompile(
            f"to compile, a C compiler is needed, and {command!r} is not found: apt install gcc,"
            " xcode-select --install, or name one with CC=..."
        )
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.exists():
        raise CannotCompile(f"to compile, {header} is needed: apt install python3-dev")


def modules(gateway: Path) -> list[str]:
    """Return the sources to compile, relative to gateway's parent."""
    return [
        str(path.relative_to(gateway.parent))
        for path in sorted(gateway.rglob("*.py"))
        if path.name != "__init__.py"
        and path.relative_to(gateway.parent).as_posix() not in INTERPRETED
    ]


def _all_but_sources(folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if not name.endswith((".py", ".c"))
        and (name == "compiled" or not Path(folder, name).is_dir())
    }


def _run_mypyc(place: Path, options: Sequence[str]) -> tuple[str, dict[str, Path]]:
    """Compile in `place`, the working directory; return mypyc's version and files by module.

    Not by setup(): that would read the project's pyproject.toml as its own.
    """
    from importlib.metadata import version

    from mypyc.build import mypycify
    from setuptools import Distribution, Extension
    from setuptools.errors import CCompilerError

    paths = ["--config-file=", "--explicit-package-bases", *options, *modules(place / "gateway")]
    with _hushed():
        extensions = mypycify(paths, opt_level="3", debug_level="0", group_name=LIBRARY)
    extensions.append(Extension(WORDS, [str(place / "gateway" / "words.c")]))
    for each in extensions:
        each.extra_compile_args.append("-Wno-error")  # another compiler warns of other things
    command: Any = Distribution({"name": LIBRARY, "ext_modules": extensions}).get_command_obj(
        "build_ext"
    )
    command.build_lib, command.build_temp = "made", "objects"
    command.parallel = os.cpu_count()
    command.ensure_finalized()
    try:
        command.run()
    except CCompilerError as error:
        raise CannotCompile(f"the C compiler could not compile it: {error}") from error
    files = {each.name: place / command.get_ext_fullpath(each.name) for each in extensions}
    return version("mypy"), files


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Pass on what is printed meanwhile, but for mypyc's notes on speed, which trouble nobody."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        lines = printed.getvalue().splitlines()
        for line in lines:
            if _NOTE_ON_SPEED not in line:
                print(line)


def main(arguments: Sequence[str]) -> int:
    """Compile in place unless what is there fits; tell what was done."""
    parser = argparse.ArgumentParser(description="Compile the gateway's modules with mypyc.")
    parser.add_argument("--check", action="store_true", help="only say whether it can be done")
    parser.add_argument("--annotate", metavar="FILE", help="write mypyc's HTML about slow spots")
    chosen = parser.parse_args(arguments)
    gateway = ROOT / "gateway"
    try:
        check_machine()
        if chosen.check:
            return 0
        made = compiled.find(gateway)
        if made and not chosen.annotate and is_newer(made.folder, Path(__file__)):
            print(f"knary: the gateway is {made}, and up to date")
            return 0
        began = time.monotonic()
        count = len(modules(gateway))
        print(f"knary: compiling {count} modules with mypyc, a minute or two ...", flush=True)
        options = [f"--mypyc-annotate={Path(chosen.annotate).resolve()}"] if chosen.annotate else []
        folder = build(gateway, gateway, options)
    except CannotCompile as error:
        print(f"knary: {error}", file=sys.stderr)
        return 1
    for other in folder.parent.iterdir():
        if other != folder:
            shutil.rmtree(other)
    made = compiled.find(gateway)
    if made is None:
        print("knary: a source changed meanwhile; compile again", file=sys.stderr)
        return 1
    print(f"knary: {made} in {time.monotonic() - began:.0f} s; the next `knary up` runs it")
    print(f"knary: it is in {folder.relative_to(ROOT)}; `make compile-clean` removes it")
    return 0


def is_newer(made: Path, recipe: Path) -> bool:
    """Tell whether the modules were made after the recipe last changed."""
    return made.stat().st_mtime > recipe.stat().st_mtime


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
