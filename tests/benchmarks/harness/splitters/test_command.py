"""`knary bench splitters` as a user meets it."""

from __future__ import annotations

import subprocess
import sys

import pytest


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "knary", "bench", "splitters", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_splitter_that_is_not_there_is_a_usage_error_with_near_ones() -> None:
    done = bench("stratifed")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: no splitter 'stratifed'; did you mean stratified?\n"


@pytest.mark.parametrize("name", ["exact", "random"])
def test_one_splitter_has_one_row(name: str) -> None:
    done = bench(name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith(f"{name} ")
