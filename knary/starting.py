"""Starts `knary up` as a child that does not outlive its owner, and learns where it answers.

One end of a socket pair goes along: the instance writes one line of JSON when it is ready, and
stops when the other end is closed. So it also stops when this process is killed with -9.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from knary.problems import NotStarted

READY_S_MAX = 60.0
STOP_S_MAX = 60.0
_LINE_BYTES_MAX = 65_536
FREE_PORTS = ("--port", "0", "--local-port", "0", "--api-port", "0", "--console-port", "0")
# What a test run asks of its own Python is not for knary's.
_PYTHON_ONLY_OURS = frozenset(("PYTHONWARNINGS", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG"))


class Running:
    """A knary of ours, until `stop`. `description` is its `instance.json`."""

    def __init__(
        self, process: subprocess.Popen[bytes], owner: socket.socket, description: dict[str, Any]
    ) -> None:
        self.process = process
        self.description: Mapping[str, Any] = description
        self._owner = owner

    @property
    def data(self) -> Path:
        """Return the instance's data folder."""
        return Path(self.description["dataFolder"])

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which programs find it."""
        found = self.description
        return {
            "KUBECONFIG": str(self.data / "kubeconfig"),
            "KNARY_DATA": str(self.data),
            "KNARY_GATEWAY": found["gateway"],
            "KNARY_GATEWAY_LOCAL": found["gatewayLocal"],
            "KNARY_API": found["api"],
            "KNARY_CONSOLE": found["console"],
            "KNARY_DOMAIN": found["domain"],
        }

    def stop(self) -> None:
        """Stop it in order, and return when nothing of it is left."""
        _end(self.process, self._owner)


def start(options: Sequence[str], ready_s_max: float = READY_S_MAX) -> Running:
    """Start `knary up OPTIONS`; return when it is ready. Raise NotStarted with what it said."""
    ours, theirs = socket.socketpair()
    with contextlib.ExitStack() as undo, tempfile.TemporaryFile() as errors:
        undo.callback(ours.close)  # also when there will be no process
        with theirs:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-P", "-m", "knary", "up"),
                    *("--owner-fd", str(theirs.fileno())),
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=_environment(os.environ),
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for its owner, who then stops it
            )
        undo.callback(_end, process, ours)
        line = _line(ours, ready_s_max)
        if not line.endswith(b"\n"):
            _let_go(ours)  # it is to stop, if it runs
            raise NotStarted(_why(process, errors, ready_s_max))
        undo.pop_all()
        return Running(process, ours, json.loads(line))


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in own.items() if name not in _PYTHON_ONLY_OURS}


def _line(ours: socket.socket, wait_s_max: float) -> bytes:
    """Return the line that it writes; what there is when it ends, or takes too long."""
    ours.settimeout(wait_s_max)
    line = bytearray()
    with contextlib.suppress(OSError):
        while not line.endswith(b"\n") and len(line) < _LINE_BYTES_MAX:
            if not (more := ours.recv(_LINE_BYTES_MAX)):
                break
            line += more
    return bytes(line)


def _let_go(ours: socket.socket) -> None:
    """End the pair, whoever else has our end: processes that were forked meanwhile have it too."""
    with contextlib.suppress(OSError):
        ours.shutdown(socket.SHUT_RDWR)
    ours.close()


def _end(process: subprocess.Popen[bytes], ours: socket.socket) -> None:
    """Stop it; return when it is gone."""
    _let_go(ours)
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _why(process: subprocess.Popen[bytes], errors: BinaryIO, ready_s_max: float) -> str:
    try:
        status = process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        return f"knary up was not ready after {ready_s_max:g} s"
    errors.seek(0)
    said = errors.read().decode("utf-8", "replace").strip()
    return f"knary up ended with status {status}: {said or 'it said nothing'}"
