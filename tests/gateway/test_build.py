"""Which modules the tests themselves run: what was asked for, or they would prove nothing."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from types import BuiltinFunctionType, FunctionType

import pytest

from gateway import build, forwarding
from knary.compiled import SWITCH, find
from knary.inside import folder

asked_for = os.environ.get(SWITCH) == "1"


def test_the_modules_are_compiled_if_and_only_if_that_was_asked_for() -> None:
    assert build.compiled() is asked_for
    assert build.build() == (str(find(folder() / "gateway")) if asked_for else "interpreted")
    assert type(forwarding.request_head) is (BuiltinFunctionType if asked_for else FunctionType)


@pytest.mark.skipif(not asked_for, reason=f"{SWITCH} is not 1")
def test_every_module_that_was_compiled_is_the_one_that_is_imported() -> None:
    found = find(folder() / "gateway")
    assert found
    files = found.modules()
    assert {name: Path(str(importlib.import_module(name).__file__)) for name in files} == files
    assert {"gateway.exchange", "gateway.http1.head", "gateway.upstream.pool"} <= files.keys()
