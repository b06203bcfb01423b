"""How knary's own processes are started."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "arguments",
    [[], ["gateway"], ["nobody", "{}"], ["gateway", "{}", "more"]],
    ids=["nothing", "no settings", "unknown", "too much"],
)
def test_whoever_calls_it_otherwise_is_told_how(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "knary.process", *arguments],
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    expected = (
        "usage: python -P -m knary.process gateway|control-plane|launcher|load SETTINGS_JSON\n"
    )
    assert done.stderr == expected


def test_settings_that_cannot_be_read_are_an_exit_status_and_a_line_in_the_log() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "knary.process", "control-plane", "{}"],
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Object missing required field `description`" in done.stderr


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param("ulimit -Sn 300; ulimit -Hn 700", "700", id="to the hard limit"),
        pytest.param("ulimit -n 400", "400", id="no further"),
    ],
)
def test_a_process_allows_itself_all_the_open_files_there_may_be(
    limits: str, expected: str
) -> None:
    program = "import resource; from knary.process import allow_open_files; allow_open_files(); "
    program += "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    done = subprocess.run(
        ["sh", "-c", f'{limits}; exec "$0" -c "$1"', sys.executable, program],
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stdout.strip() == expected
