"""A whole knary as a user has it: `knary up` in a process of its own, and what one does with it.

with Instance() as knary:
    knary.run("service", "create", "hello", "--image", HELLO)
    assert knary.get("hello").text == "Hello World!\\n"
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from knary.compiled import SWITCH
from simulator.client import ApiClient
from simulator.instance import description as descriptions
from simulator.instance.description import Description
from simulator.instance.lock import is_alive
from simulator.instance.paths import InstancePaths
from simulator.launcher.keeper import PROCESS_NAME
from simulator.load.generator import Load
from simulator.load.plan import Answer, LoadPlan
from simulator.load.report import LoadReport
from simulator.load.schedule import ConstantRate
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
KNARY = (sys.executable, "-P", "-m", "knary")
IMAGES = "registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go"
HELLO = f"{IMAGES}:73fbdd56"
FREE_PORTS = ("--port", "0", "--local-port", "0", "--api-port", "0", "--console-port", "0")
READY = "knary is ready"

COMMAND_S_MAX = 40.0  # below a test's own time-out, so that the log is shown
REQUEST_S_MAX = 20.0


class Reply(NamedTuple):
    """The gateway's answer. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    text: str


class Finished(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


class RunningLoad(NamedTuple):
    """A load that goes on; `answers` grows, the report is whole once it ended."""

    answers: list[Answer]
    report: LoadReport

    @property
    def failures(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.error]


def is_keeper(pid: int) -> bool:
    """Tell whether the process keeps the replicas' own networks."""
    try:
        return Path(f"/proc/{pid}/comm").read_bytes() == PROCESS_NAME + b"\n"
    except OSError:
        return False


def environment(data: Path) -> dict[str, str]:
    """Return a user's environment with an empty home, whose instance is the one in `data`."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(data.parent / "home"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "KNARY_DATA": str(data),
        "NO_COLOR": "1",
        **{name: os.environ[name] for name in ("TMPDIR", SWITCH) if name in os.environ},
    }


class Instance:
    """`knary up OPTIONS` on free ports. Its folder is its own, unless `data` is given.

    Leaving the context stops it, and insists that no process of it is left.
    """

    def __init__(
        self, *options: str, data: Path | None = None, ports: tuple[str, ...] = FREE_PORTS
    ) -> None:
        self._options = (*ports, *options)
        self._scratch = Path(tempfile.mkdtemp(prefix="knary-test-"))
        self.data = data or self._scratch / "data"
        self.paths = InstancePaths(self.data)
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: set[int] = set()

    # Its life ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it and wait for its ready line; fail with what it said when it ends instead."""
        self.launch()

        def is_up() -> bool:
            if self.parent.poll() is not None:
                raise AssertionError(f"knary up ended: {self.out}{self.err}\n{self.log}")
            return READY in self.out

        eventually("the ready line", is_up, COMMAND_S_MAX)
        self.pids()

    def launch(self) -> None:
        """Start it and wait for nothing."""
        with self._file("out").open("wb") as out, self._file("err").open("wb") as err:
            self._process = subprocess.Popen(
                [*KNARY, "up", *self._options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment(self.data),
                start_new_session=True,  # so that a signal of the terminal is sent by the test
            )

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does; return its exit status once every process of it is gone."""
        self.pids()
        self.parent.send_signal(number)
        status = self.wait()
        assert self.left_over() == []
        return status

    def wait(self) -> int:
        """Return its exit status when it has ended."""
        return self.parent.wait(COMMAND_S_MAX)

    def kill(self) -> None:
        """Kill the parent, which is the death of all; return when they are gone."""
        self.pids()
        self.parent.kill()
        self.wait()
        eventually("the end of all processes", lambda: not self.left_over())

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(KeyboardInterrupt):
                self.stop()
        shutil.rmtree(self._scratch, ignore_errors=True)

    @property
    def parent(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was never started"
        return self._process

    # What it says ------------------------------------------------------------------------------

    @property
    def out(self) -> str:
        return self._file("out").read_text()

    @property
    def err(self) -> str:
        return self._file("err").read_text()

    @property
    def log(self) -> str:
        return self.paths.log.read_text() if self.paths.log.exists() else ""

    @property
    def description(self) -> Description:
        found = descriptions.read(self.paths.description)
        assert found is not None, "it does not run"
        return found

    def status(self) -> dict[str, Any]:
        """Return the status document."""
        return dict(json.loads(self.run("status", "-o", "json").out))

    def pids(self) -> dict[str, list[int]]:
        """Return its processes: parent, launcher, control-plane, gateway, keeper, replica."""
        found: dict[str, list[int]] = {"parent": [self.parent.pid]}
        names = {"launcher": "launcher", "control-plane": "control-plane", "gateway": "gateway"}
        children = children_of(self.parent.pid)
        for pid, words in children.items():
            name = (
                names.get(words[words.index("knary.process") + 1], "")
                if ("knary.process" in words)
                else ""
            )
            found.setdefault(name or "other", []).append(pid)
        for launcher in found.get("launcher", []):
            for pid in children_of(launcher):
                found.setdefault("keeper" if is_keeper(pid) else "replica", []).append(pid)
        self._seen.update(pid for pids in found.values() for pid in pids)
        return found

    def pid(self, name: str) -> int:
        """Return the process of that name, the first of several; wait until there is one."""

        def there() -> list[int]:
            return self.pids().get(name, [])

        return eventually(f"a process {name}", there)[0]

    def left_over(self) -> list[int]:
        """Return the processes that were seen and live yet."""
        return [pid for pid in self._seen if is_alive(pid) and not has_ended(pid)]

    # What one does with it ---------------------------------------------------------------------

    def run(self, *words: str, check: bool = True, stdin: str = "") -> Finished:
        """Run a command line of `knary` on it; with `check` it must succeed."""
        try:
            done = subprocess.run(
                [*KNARY, *words],
                input=stdin,
                text=True,
                capture_output=True,
                env=environment(self.data),
                timeout=COMMAND_S_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            said = f"{late.stdout!r}{late.stderr!r}\n{self.log}"
            raise AssertionError(f"knary {' '.join(words)} does not end: {said}") from late
        if check:
            said = f"{done.stdout}{done.stderr}\n{self.log}"
            assert done.returncode == 0, f"knary {' '.join(words)}: {said}"
        return Finished(done.returncode, done.stdout, done.stderr)

    def api(self) -> ApiClient:
        """Return a client of its API; the caller closes it."""
        return ApiClient.from_kubeconfig(self.paths.kubeconfig)

    @property
    def gateway(self) -> tuple[str, int]:
        parts = urlsplit(self.description.gateway)
        return parts.hostname or "", parts.port or 0

    @property
    def gateway_local(self) -> tuple[str, int]:
        parts = urlsplit(self.description.gateway_local)
        return parts.hostname or "", parts.port or 0

    def get(self, service: str, path: str = "/", namespace: str = "default") -> Reply:
        """Ask a service through the gateway, on a connection of its own."""
        return self.request(f"{service}.{namespace}.example.com", path=path)

    def request(
        self,
        host: str,
        *,
        method: str = "GET",
        path: str = "/",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        inside: bool = False,
    ) -> Reply:
        """Ask the gateway, or with `inside` its cluster-local port, for a host."""
        where = self.gateway_local if inside else self.gateway
        connection = http.client.HTTPConnection(*where, timeout=REQUEST_S_MAX)
        try:
            connection.request(method, path, body, {"Host": host, **(headers or {})})
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read().decode())
        finally:
            connection.close()

    def texts(self, service: str, count: int) -> list[str]:
        """Return the bodies of so many answers, all of which must be 200, on one connection."""
        connection = http.client.HTTPConnection(*self.gateway, timeout=REQUEST_S_MAX)
        texts = []
        try:
            for _ in range(count):
                connection.request("GET", "/", headers={"Host": f"{service}.default.example.com"})
                answer = connection.getresponse()
                texts.append(answer.read().decode())
                assert answer.status == 200, texts[-1]
        finally:
            connection.close()
        return texts

    @contextlib.contextmanager
    def load(self, service: str, rate_per_s: float = 200.0) -> Iterator[RunningLoad]:
        """Keep asking a service at that rate while the block runs, over up to 64 connections."""
        with loading(self.gateway, f"{service}.default.example.com", rate_per_s) as running:
            yield running

    def _file(self, name: str) -> Path:
        return self._scratch / name


@contextlib.contextmanager
def loading(
    gateway: tuple[str, int], host: str, rate_per_s: float = 200.0
) -> Iterator[RunningLoad]:
    """Keep asking a gateway for a host while the block runs, over up to 64 connections."""
    plan = LoadPlan(*gateway, host, ConstantRate(rate_per_s))
    answers: list[Answer] = []
    loop = asyncio.new_event_loop()
    load = Load(plan, answers.append)
    running = RunningLoad(answers, load.report)
    thread = threading.Thread(target=loop.run_until_complete, args=(load.run(),))
    thread.start()
    try:
        eventually("the load's first answers", lambda: len(answers) > 5)
        yield running
    finally:
        loop.call_soon_threadsafe(load.end)
        thread.join(REQUEST_S_MAX)
        loop.close()


def children_of(pid: int) -> dict[int, list[str]]:
    """Return the command lines of a process's children, by process id."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,command="], text=True, capture_output=True, check=True
    )
    rows = [line.split() for line in listing.stdout.splitlines()]
    return {int(row[0]): row[2:] for row in rows if row[1] == str(pid)}


def has_ended(pid: int) -> bool:
    """Tell whether the process is gone, or only waits to be reaped."""
    state = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], text=True, capture_output=True, check=False
    )
    return state.stdout.strip()[:1] in ("", "Z")
