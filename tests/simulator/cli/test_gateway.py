"""`knary gateway` on the command line: what it checks before anything starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.cli.main import run

GOOD = "routes: [{hosts: [a], split: [{name: v, to: [b:1]}]}]\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_text(GOOD)
    return path


def test_check_says_that_a_file_is_right(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gateway", "-f", str(file), "--check"]) == 0
    assert capsys.readouterr().out == f"{file} is right: 1 route\n"


@pytest.mark.parametrize("words", [["--check"], []], ids=["checked", "started"])
def test_a_bad_file_is_a_usage_error_with_its_place(
    file: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(GOOD.replace("b:1", "b"))
    assert run(["gateway", "-f", str(file), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"Error: {file}:1:46: each entry of `to` is an address, not 'b'")


def test_a_file_that_is_not_there_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["gateway", "-f", str(tmp_path / "none.yaml"), "--check"]) == 2
    assert "none.yaml: cannot be read: No such file or directory" in capsys.readouterr().err


def test_without_a_file_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gateway"]) == 2
    assert "name one with -f FILE" in capsys.readouterr().err


def test_a_setting_that_cannot_be_is_refused_before_anything_starts(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["gateway", "-f", str(file), "--set", "head_s=5"]) == 2
    assert "there is no setting 'head_s'; did you mean" in capsys.readouterr().err


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["gateway", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Routes of knary gateway"
