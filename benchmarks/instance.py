"""A knary of a benchmark's own: on free ports, in a folder that is gone afterwards.

It is used as a user would: by the `knary` command, and by HTTP to the gateway.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.errors import BenchmarkError
from benchmarks.harness.loopback import answer, free_port

ROOT = Path(__file__).resolve().parent.parent
IMAGE = "registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go:73fbdd56"
START_S_MAX = 30.0
STOP_S_MAX = 30.0
COMMAND_S_MAX = 90.0


def environment() -> dict[str, str]:
    """Return this process's environment, in which `python -P -m knary` is this checkout's."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def make_importable() -> None:
    """Let this process import knary's folders, when it runs from a checkout without a set-up."""
    if importlib.util.find_spec("simulator") is None:
        sys.path.append(str(ROOT))


def knary(*arguments: str) -> list[str]:
    """Return the argument list that runs a knary command with this Python."""
    return [sys.executable, "-P", "-m", "knary", *arguments]


class Instance:
    """One running `knary up`."""

    def __init__(self, data: Path, *flags: str) -> None:
        """Start it; the ports that `flags` do not name are free ones. Call `wait_ready` next."""
        self.data = data
        self.port = free_port()
        # Without their own help `knary up` would look for the default ports first.
        arguments = ["up", "--data", str(data), "--port", str(self.port), "--api-port", "0"]
        self._output = (data.parent / f"{data.name}.out").open("w+b")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            knary(*arguments, "--local-port", "0", "--console-port", "0", *flags),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=environment(),
        )

    def wait_ready(self) -> None:
        """Wait for the ready line. Raise BenchmarkError with what it said instead."""
        deadline = time.monotonic() + START_S_MAX
        while "knary is ready" not in self.output():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise BenchmarkError(f"`knary up` did not get ready: {self.output().strip()}")
            time.sleep(0.02)

    def output(self) -> str:
        return Path(self._output.name).read_text(errors="replace")

    def run(self, *arguments: str) -> str:
        """Run a knary command against this instance; return what it printed."""
        done = subprocess.run(
            knary(*arguments, "--data", str(self.data)),
            capture_output=True,
            text=True,
            env=environment(),
            timeout=COMMAND_S_MAX,
            check=False,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise BenchmarkError(f"`knary {' '.join(arguments)}` failed: {said}")
        return done.stdout

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.run("status", "-o", "json"))
        return status

    def revisions(self, service: str, count: int, splits: str = "") -> list[str]:
        """Create a Service with that many revisions, all alike; return their names, oldest first.

        `splits` are the percents of the revisions, "50,50"; without them the newest has all.
        """
        self.run("service", "create", service, "--image", IMAGE, "--port", "8080")
        for number in range(2, count + 1):
            self.run("service", "update", service, "--env", f"RELEASE={number}")
        names = [f"{service}-{number:05d}" for number in range(1, count + 1)]
        if splits:
            self.split(service, dict(zip(names, map(int, splits.split(",")), strict=True)))
        return names

    def split(self, service: str, percents: dict[str, int]) -> None:
        """Give the revisions these percents; return when the very next request obeys."""
        shares = ",".join(f"{name}={percent}" for name, percent in percents.items())
        self.run("service", "update", service, "--traffic", shares)

    def stop(self) -> None:
        """Stop it as Ctrl-C would; kill it when that does not help."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._output.close()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Yield a temporary folder with a short path: Unix sockets live in it."""
    path = Path(tempfile.mkdtemp(prefix="knary-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def running(*flags: str) -> Iterator[Instance]:
    """Yield an instance that is ready; stop it and remove its folder afterwards."""
    with folder() as path:
        instance = Instance(path / "data", *flags)
        try:
            instance.wait_ready()
            yield instance
        finally:
            instance.stop()


def first_answer(
    port: int, host: str, wanted: bytes, wait_s: float, process: subprocess.Popen[bytes]
) -> float:
    """Ask until the answer is a 200 that holds `wanted`; return that moment (time.monotonic).

    Raise BenchmarkError when `process` ends first or the time is up.
    """
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if answer(port, host).startswith(wanted):
            return time.monotonic()
        if process.poll() is not None:
            raise BenchmarkError(f"the process ended with {process.returncode}")
        time.sleep(0.001)
    raise BenchmarkError(f"no 200 for {host} within {wait_s:g} s")


def percents_of(text: str) -> Sequence[int]:
    """Return 50/50 as (50, 50). Raise ValueError unless they sum to 100."""
    percents = tuple(int(part) for part in text.split("/"))
    if sum(percents) != 100 or min(percents) < 0:
        raise ValueError(f"{text}: percents must sum to 100")
    return percents
