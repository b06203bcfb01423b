"""A sample app as a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

from tests.support.launcher import ROOT, free_port
from tests.support.waiting import WITHIN_S


class AppProcess:
    """One app, by its package's name; `environment` is all that it gets beside PATH and PORT."""

    def __init__(self, package: str, environment: dict[str, str]) -> None:
        self.port = int(environment.get("PORT") or free_port())
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"sample_apps.{package}"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environment, "PORT": str(self.port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def await_listening(self) -> None:
        """Return when it says that it listens; fail when it ends before."""
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if b"listening on port" in line:
                return
        raise AssertionError(f"it ended: {b''.join(said).decode()}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Signal it and return its exit code and what it wrote since it listened."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=WITHIN_S)
        return self.process.returncode, output.decode()


@contextlib.contextmanager
def app(package: str, **environment: str) -> Iterator[AppProcess]:
    """Give an app that listens; nothing is left of it afterwards."""
    running = AppProcess(package, environment)
    try:
        running.await_listening()
        yield running
    finally:
        running.end(signal.SIGKILL)
