"""The real launcher as a process of its own, and a plain connection to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from simulator.launcher.protocol import (
    Command,
    Executable,
    Exited,
    ForkedApp,
    Hello,
    LineReader,
    Listing,
    Report,
    Spawn,
    Started,
    encode,
    report,
)
from tests.support.waiting import WITHIN_S

ROOT = Path(__file__).resolve().parents[2]

R = TypeVar("R", bound=Report)


class LauncherProcess:
    """Runs from construction to `end`; closing `life` is what the death of its parent does."""

    def __init__(self, folder: Path, **settings: float | str) -> None:
        self.socket = folder / "l.sock"
        self.replica_folders = folder / "replicas"
        self.replica_folders.mkdir(exist_ok=True)
        life_read, self._life = os.pipe()
        ready_read, ready_write = os.pipe()
        given = {
            "socket": str(self.socket),
            "life_fd": life_read,
            "ready_fd": ready_write,
            "replica_folders": str(self.replica_folders),
            **settings,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "knary.process", "launcher", json.dumps(given)],
            pass_fds=(life_read, ready_write),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        os.close(life_read)
        os.close(ready_write)
        with os.fdopen(ready_read) as ready:
            self.ready = json.loads(ready.readline() or "{}")

    @property
    def pid(self) -> int:
        return self.process.pid

    def close_life(self) -> None:
        """Do what the parent's death does."""
        if self._life >= 0:
            os.close(self._life)
            self._life = -1

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """End it as its parent's death does; return its exit status."""
        self.close_life()
        return self.process.wait(timeout=WITHIN_S)

    def __enter__(self) -> LauncherProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.end()


class Connection:
    """A blocking connection: commands out, reports in, in order."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(WITHIN_S)
        self._socket.connect(str(path))
        self._lines = LineReader()
        self._reports: list[Report] = []
        self.hello = self.next(Hello)
        self.listing = self.next(Listing)

    def send(self, *commands: Command) -> None:
        self._socket.sendall(b"".join(map(encode, commands)))

    def next(self, kind: type[R]) -> R:
        """Return the next report, which has to be of that kind."""
        while not self._reports:
            data = self._socket.recv(65536)
            assert data, "the launcher closed the connection"
            self._reports += map(report, self._lines.feed(data))
        first = self._reports.pop(0)
        assert isinstance(first, kind), f"want {kind.__name__}, got {first}"
        return first

    def ends(self) -> bool:
        """Read on; tell whether the launcher closed the connection."""
        return not self._socket.recv(65536)

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def run(self, spawn: Spawn) -> Exited:
        """Spawn, and wait for the end."""
        self.send(spawn)
        self.next(Started)
        return self.next(Exited)


def python(id_: str, folder: Path, code: str, **environment: str) -> Spawn:
    """Return the order for a little Python program; it imports nothing of the environment's."""
    return program(id_, folder, sys.executable, "-I", "-S", "-c", code, **environment)


def program(id_: str, folder: Path, *argv: str, **environment: str) -> Spawn:
    return Spawn(id_, Executable(argv), environment, str(folder), str(folder / f"{id_}.log"))


def helloworld(id_: str, folder: Path, port: int, **environment: str) -> Spawn:
    given = {"PORT": str(port), **environment}
    app = ForkedApp("helloworld_go")
    return Spawn(id_, app, given, str(folder), str(folder / f"{id_}.log"), port)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def lives(pid: int) -> bool:
    """Tell whether the process exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:  # reaped between opening the file and reading it
        return False
    except FileNotFoundError:
        return not Path("/proc").is_dir()


def said(log: Path | str) -> str:
    """Return what a replica has logged so far."""
    path = Path(log)
    return path.read_text() if path.exists() else ""
