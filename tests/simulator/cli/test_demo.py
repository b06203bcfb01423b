"""`knary demo` before anything is started; tests/journeys has it whole."""

from __future__ import annotations

import sys

import pytest

from simulator.cli.main import run


def test_the_grpc_demo_without_its_library_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    assert run(["demo", "--grpc"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "pip install 'knary[grpc]'" in said.err
