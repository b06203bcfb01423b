"""Gateway workers without a control plane: this process gives them their table, by the contract.

They are the very processes that `knary up` starts. What is missing is only who decides the table,
so that a benchmark can choose any.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import instance
from instance import BenchmarkError

from benchmarks.harness import processes

instance.make_importable()

from gateway.contract import (
    Ack,
    Backend,
    FrameReader,
    FromWorker,
    Hello,
    Idle,
    Refused,
    Route,
    RouteTable,
    Share,
    Split,
    from_worker,
)
from simulator.gatewaylink.frames import frames
from simulator.gatewaylink.settings import LinkSettings

HOST = "split.default.example.com"
ANSWER_S_MAX = 60.0  # far above what the real control plane grants
START_S_MAX = 15.0
PROBED = Path(__file__).with_name("probed_worker.py")


@dataclass
class OwnWorker:
    """One worker process, and this end of its control link."""

    process: subprocess.Popen[bytes]
    listener: socket.socket
    output: Path
    ready_fd: int
    table: RouteTable | None = None
    link: socket.socket | None = None
    _reader: FrameReader = field(default_factory=FrameReader)
    _answers: list[FromWorker] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    def accept(self) -> None:
        """Take the worker's connection, and its hello."""
        self.listener.settimeout(START_S_MAX)
        try:
            self.link, _ = self.listener.accept()
        except TimeoutError as error:
            said = self.output.read_text(errors="replace").strip()
            raise BenchmarkError(f"the worker did not connect: {said}") from error
        self._reader, self._answers = FrameReader(), []
        hello = self._answer()
        if not isinstance(hello, Hello):
            raise BenchmarkError(f"the worker began with {hello}")

    def hang_up(self) -> None:
        """Break the link, as a control plane that dies: the worker connects again."""
        assert self.link
        self.link.close()
        self.link, self.table = None, None

    def frames_to(self, table: RouteTable) -> list[bytes]:
        """Return what leads the worker to the table, as the control plane makes it."""
        return list(frames(self.table, table, LinkSettings().chunk_rows_max))

    def send_frames(self, made: list[bytes], table: RouteTable) -> None:
        """Send frames that lead to the table. `wait` is next."""
        assert self.link
        self.link.sendall(b"".join(made))
        self.table = table

    def send(self, table: RouteTable) -> float:
        """Send what leads to the table; return the moment before (time.monotonic)."""
        made = self.frames_to(table)
        began = time.monotonic()
        self.send_frames(made, table)
        return began

    def wait(self) -> float:
        """Return the moment of the acknowledgement. Raise BenchmarkError when it is refused."""
        assert self.table
        while True:
            match answer := self._answer():
                case Ack(version=version) if version == self.table.version:
                    return time.monotonic()
                case Refused():
                    raise BenchmarkError(f"the worker refused a table: {answer.why}")
                case Ack() | Idle() | Hello():
                    pass

    def wait_until_ready(self) -> None:
        """Return when the worker says that it accepts connections, or ended."""
        if select.select([self.ready_fd], [], [], START_S_MAX)[0]:
            os.read(self.ready_fd, 4096)

    def _answer(self) -> FromWorker:
        assert self.link
        deadline = time.monotonic() + ANSWER_S_MAX
        while not self._answers:
            ready, _, _ = select.select([self.link], [], [], deadline - time.monotonic())
            data = self.link.recv(65536) if ready else b""
            if not data:
                said = self.output.read_text(errors="replace").strip()
                raise BenchmarkError(f"the worker left, or did not answer in time: {said}")
            self._answers += [from_worker(body) for body in self._reader.feed(data)]
        return self._answers.pop(0)


@contextlib.contextmanager
def running(
    folder: Path,
    name: str,
    table: RouteTable,
    count: int = 1,
    *,
    probe_fd: int = -1,
    is_h2: bool = False,
    host: str = HOST,
) -> Iterator[tuple[int, list[OwnWorker]]]:
    """Yield the port and the workers that serve the table on it; end them afterwards.

    With `probe_fd` a worker writes there how long its event loop stood still. With `is_h2` the
    replicas speak h2c, and nothing is asked before it is yielded: it may not be supported.
    """
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        port = 0
        workers = []
        for index, listener in enumerate(listeners):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(4096)
            port = listener.getsockname()[1]
            place = folder / f"{name}-{index}"
            workers.append(_start(stack, place, index, listener, probe_fd))
        for worker in workers:
            worker.accept()
            worker.send(table)
            worker.wait()
            worker.wait_until_ready()
        if not is_h2:
            wait_until_served(port, host, workers[0])
        yield port, workers


def _start(
    stack: contextlib.ExitStack, place: Path, index: int, listener: socket.socket, probe_fd: int
) -> OwnWorker:
    place.mkdir()
    path = place / "control.sock"
    control = stack.enter_context(socket.socket(socket.AF_UNIX))
    control.bind(str(path))
    control.listen(1)
    startup: dict[str, Any] = {
        "worker": index,
        "listen_fd": listener.fileno(),
        "control_socket": str(path),
    }
    ready, ready_end = os.pipe()
    stack.callback(os.close, ready)
    startup["ready_fd"] = ready_end
    descriptors = [listener.fileno(), ready_end]
    command = [sys.executable, "-P", "-m", "knary.process", "gateway", json.dumps(startup)]
    if probe_fd >= 0:
        descriptors.append(probe_fd)
        command = [sys.executable, str(PROBED), str(probe_fd), json.dumps(startup)]
    process = stack.enter_context(
        processes.started(
            command, place / "output", environment=instance.environment(), descriptors=descriptors
        )
    )
    os.close(ready_end)
    worker = OwnWorker(process, control, place / "output", ready)
    stack.callback(lambda: worker.link and worker.link.close())
    return worker


def wait_until_served(port: int, host: str, worker: OwnWorker) -> None:
    """Return when the host is answered on the port."""
    deadline = time.monotonic() + START_S_MAX
    while not instance.answer(port, host):
        if worker.process.poll() is not None or time.monotonic() > deadline:
            said = worker.output.read_text(errors="replace").strip()
            raise BenchmarkError(f"the worker does not answer: {said}")
        time.sleep(0.02)


def split_table(backends: Sequence[str], protocol: str = "http1") -> RouteTable:
    """Return a table whose one route splits evenly over backends at these addresses."""
    keys = [f"default/split-{number:05d}" for number, _ in enumerate(backends, 1)]
    shares = tuple(Share(key, 10_000 // len(keys)) for key in keys)
    # h2load asks for the address that it connects to, hence the second name.
    route = Route("split", (HOST, "127.0.0.1"), Split("split", shares))
    rows = {
        key: Backend(key, (address,), protocol) for key, address in zip(keys, backends, strict=True)
    }
    return RouteTable(1, {"split": route}, rows)


@contextlib.contextmanager
def standins(folder: Path, *flags: str, count: int = 2) -> Iterator[list[tuple[str, int]]]:
    """Yield the addresses and process ids of `count` stand-in replicas."""
    program = Path(__file__).with_name("standin.py")
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            port = instance.free_port()
            process = stack.enter_context(
                processes.started(
                    [sys.executable, str(program), str(port), *flags],
                    folder / f"standin-{port}",
                )
            )
            found.append((f"127.0.0.1:{port}", process.pid))
        for address, _ in found:
            deadline = time.monotonic() + START_S_MAX
            while not instance.answer(int(address.rpartition(":")[2]), HOST):
                if time.monotonic() > deadline:
                    raise BenchmarkError("a stand-in replica did not start")
                time.sleep(0.02)
        yield found
