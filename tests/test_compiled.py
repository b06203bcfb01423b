"""The compiled gateway: it is used when it fits the sources, and never when it does not."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from knary import compiled
from knary.compiled import SWITCH, NotCompiled
from tests.support.instance import Instance

ROOT = Path(__file__).resolve().parent.parent


def with_sources(place: Path) -> Path:
    """Return a folder with gateway's sources below `place`."""
    made = place / "gateway"
    shutil.copytree(
        ROOT / "gateway", made, ignore=shutil.ignore_patterns("__pycache__", "compiled")
    )
    return made


def with_modules(gateway: Path) -> Path:
    """Put what looks like compiled modules of these sources in their place."""
    made = compiled.home(gateway) / f"{compiled.digest(gateway)}-1.2.3"
    (made / "gateway").mkdir(parents=True)
    for name in ("gateway/exchange", "knary_gateway__mypyc"):
        (made / f"{name}{compiled.SUFFIX}").touch()
    return made


def test_modules_made_of_these_sources_are_found(tmp_path: Path) -> None:
    gateway = with_sources(tmp_path)
    assert compiled.find(gateway) is None
    made = with_modules(gateway)
    found = compiled.find(gateway)
    assert found == (made, "1.2.3")
    assert str(found) == "compiled (mypyc 1.2.3)"
    assert sorted(found.modules()) == ["gateway.exchange", "knary_gateway__mypyc"]


@pytest.mark.parametrize("change", ["edited", "added", "removed", "renamed"])
def test_modules_made_of_other_sources_are_not(tmp_path: Path, change: str) -> None:
    gateway = with_sources(tmp_path)
    with_modules(gateway)
    source = gateway / "http1" / "head.py"
    if change == "edited":
        source.write_text(source.read_text() + "\n")
    elif change == "added":
        (gateway / "http1" / "more.py").touch()
    elif change == "removed":
        source.unlink()
    else:
        source.rename(source.with_name("heads.py"))
    assert compiled.find(gateway) is None
    assert "older than its sources: run `make compile`" in compiled.why_not(gateway)


def test_a_digest_of_nothing_but_sources(tmp_path: Path) -> None:
    gateway = with_sources(tmp_path)
    before = compiled.digest(gateway)
    (gateway / "__pycache__").mkdir()
    (gateway / "__pycache__" / "exchange.pyc").touch()
    with_modules(gateway)
    assert compiled.digest(gateway) == before


@pytest.mark.parametrize("wish", ["2", "yes", "true"])
def test_a_wish_that_is_none_is_refused(wish: str) -> None:
    with pytest.raises(NotCompiled, match=f"{SWITCH} is '{wish}'; set it to 0 or 1"):
        compiled.chosen({SWITCH: wish})


def test_interpreted_is_always_to_be_had() -> None:
    assert compiled.chosen({SWITCH: "0"}) is None
    compiled.use({SWITCH: "0"})


def test_what_is_not_of_the_gateway_is_left_to_others(tmp_path: Path) -> None:
    with_modules(with_sources(tmp_path))
    found = compiled.find(tmp_path / "gateway")
    assert found
    finder = compiled.CompiledModules(found)
    assert finder.find_spec("gateway.contract") is None
    assert finder.find_spec("exchange") is None
    spec = finder.find_spec("gateway.exchange")
    assert spec
    assert spec.origin == str(found.folder / "gateway" / f"exchange{compiled.SUFFIX}")


def in_a_process(root: Path, wish: str, program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(root), SWITCH: wish},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_worker_that_cannot_have_what_was_asked_for_says_why_and_ends(tmp_path: Path) -> None:
    with_sources(tmp_path)
    shutil.copytree(ROOT / "knary", tmp_path / "knary")
    program = "from knary.process import main; raise SystemExit(main(['gateway', '{}']))"
    done = in_a_process(tmp_path, "1", program)
    assert done.returncode == 1
    assert "gateway failed: KNARY_COMPILED is 1, and the gateway is not compiled" in done.stderr
    assert "Traceback" not in done.stderr


def test_status_and_doctor_say_which_one_runs() -> None:
    expected = str(compiled.chosen(os.environ) or "interpreted")
    with Instance() as knary:
        status = json.loads(knary.run("status", "-o", "json").out)
        assert status["build"] == expected
        assert [worker["build"] for worker in status["workers"]] == [expected]
        assert f"ok    gateway: {expected}\n" in knary.run("doctor").out


@pytest.mark.parametrize(
    "path", sorted((ROOT / "gateway").rglob("*.py")), ids=lambda path: path.name
)
def test_no_function_catches_different_errors_under_one_name(path: Path) -> None:
    """In mypyc's eyes a name has the type of the first: any other error is a TypeError there."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            caught: dict[str, set[str]] = {}
            for handler in ast.walk(function):
                if isinstance(handler, ast.ExceptHandler) and handler.name and handler.type:
                    caught.setdefault(handler.name, set()).add(ast.unparse(handler.type))
            assert [name for name, types in caught.items() if len(types) > 1] == [], function.name


def test_whoever_has_no_compiler_is_told_so_in_a_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "hatch_build.py"],
        env={**os.environ, "CC": str(tmp_path / "cc"), SWITCH: "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("knary: to compile, ")
