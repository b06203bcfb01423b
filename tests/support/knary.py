"""The `knary` command as a process, in a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from knary.compiled import SWITCH
from simulator.instance.environment import child_environment
from tests.support.waiting import eventually

WITHIN_S = 60.0


def environment(home: Path) -> dict[str, str]:
    """Return an environment whose home and temporary folder are `home`, with nothing of ours."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("KNARY")}
    own |= {SWITCH: os.environ[SWITCH]} if SWITCH in os.environ else {}
    own |= {"HOME": str(home), "TMPDIR": str(home), "XDG_DATA_HOME": str(home / "data")}
    return child_environment(own)


def knary(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; one that does not end is told to, and fails with what it said."""
    command = [sys.executable, "-P", "-m", "knary", *words]
    with subprocess.Popen(
        command,
        env={**environment(home), **settings},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=WITHIN_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
            raise AssertionError(f"{words} did not end within {WITHIN_S} s:\n{out}{err}") from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    """Start a command; its output is to be read from `stdout`."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "knary", *words],
        env=environment(home),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], text: str) -> list[str]:
    """Return the lines up to the one with this text. Fail when the output ends before."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"{text!r} never came:\n{''.join(lines)}")


def pids_of(home: Path, data: Path) -> set[int]:
    """Return every process of a running instance."""
    found = json.loads(knary(home, "status", "-o", "json", "--data", str(data)).stdout)
    processes = [found["parent"], found["controlPlane"], *found["workers"], *found["replicas"]]
    return {process["pid"] for process in processes if process.get("pid")}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def all_gone(pids: set[int]) -> None:
    """Wait until none of the processes is left."""
    assert pids
    eventually(f"the processes {sorted(pids)} end", lambda: not any(map(is_alive, pids)))
