"""Programs of others, which a test runs when they are there; and whether long forms are wanted."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

FULL_VARIABLE = "KNARY_CONFORMANCE"


def program(name: str) -> str | None:
    """Return a program's path: by KNARY_NAME, on the PATH, or beside this Python."""
    beside = Path(sys.executable).with_name(name)
    return (
        os.environ.get(f"KNARY_{name.upper()}")
        or shutil.which(name)
        or (str(beside) if beside.is_file() else None)
    )


def needs(name: str, install: str) -> pytest.MarkDecorator:
    """Skip without the program, and say how it is installed."""
    return pytest.mark.skipif(program(name) is None, reason=f"no {name}: {install}")


def is_full() -> bool:
    """Tell whether the long forms are to run (`make conformance`)."""
    return os.environ.get(FULL_VARIABLE) == "full"
