"""Drives HTTP/1.1 at a constant rate; a latency counts from the moment a request was planned.

python benchmarks/drivers/paced.py PORT HOST RATE_PER_S SECONDS CONNECTIONS WARM_S

Open loop, as wrk2: a proxy that stalls makes all requests late that were due meanwhile, and they
all count. Leaner than knary's own load generator (it looks at nothing but the length and the
status of an answer), so that one core can drive what nginx can take. Needs answers with a
Content-Length; prints JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sys
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LATE_S = 0.001  # a request that leaves later than this makes the driver look bad, not the proxy
GRACE_S = 2.0  # for answers after the last request was due
END = b"\r\n\r\n"
LENGTH = b"content-length: "


@dataclass(frozen=True)
class Pace:
    """How fast, how long, over how many connections; the first `warm_s` do not count."""

    port: int
    host: str
    rate_per_s: float
    seconds: float
    connections: int
    warm_s: float


class Connection:
    """Sends one request at a time; tells `on_answer` when it was answered."""

    def __init__(self, on_answer: Callable[[Connection], None]) -> None:
        self.planned = 0.0
        self.failed = 0
        self._on_answer = on_answer
        self._transport: asyncio.Transport
        self._is_over = False
        self._said = b""
        self._length = 0  # of an answer like the one before: head and body

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        self.failed += not self._is_over

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        """Nothing to do: one short request at a time."""

    def resume_writing(self) -> None:
        """Nothing to do."""

    def send(self, request: bytes, planned: float) -> None:
        self.planned = planned
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        said = self._said + data if self._said else data
        if len(said) < self._length or len(said) < whole_bytes(said):
            self._said = said
            return
        self._said, self._length = b"", len(said)
        if said[9:12] != b"200":
            self.failed += 1
        self._on_answer(self)

    def close(self) -> None:
        self._is_over = True
        self._transport.abort()


def whole_bytes(said: bytes) -> int:
    """Return how long the answer is that begins so; one more than there is when it is not known."""
    end = said.find(END)
    if end < 0:
        return len(said) + 1
    head = said[: end + 2].lower()
    at = head.find(LENGTH)
    length = 0 if at < 0 else int(head[at + len(LENGTH) : head.index(b"\r", at)])
    return end + len(END) + length


class Load:
    """Due requests leave on a free connection, or wait for one, in order."""

    def __init__(self, pace: Pace) -> None:
        self.connections: list[Connection] = []
        self.latencies = array("d")
        self.late = 0
        self.busy = 0.0  # share of a core that this driver used
        self.done = asyncio.Event()
        self._pace = pace
        self._request = f"GET / HTTP/1.1\r\nHost: {pace.host}\r\n\r\n".encode()
        self._waiting: deque[float] = deque()
        self._free: list[Connection] = []
        self._sent = self._answered = 0
        self._count = round(pace.rate_per_s * (pace.seconds + pace.warm_s))
        self._skip = round(pace.rate_per_s * pace.warm_s)
        self._began = 0.0
        self._alarm: Any = None

    async def run(self) -> None:
        from simulator.load.alarm import make_alarm

        loop = asyncio.get_running_loop()
        for _ in range(self._pace.connections):
            _, connection = await loop.create_connection(
                lambda: Connection(self._answer),  # type: ignore[arg-type,return-value]
                "127.0.0.1",
                self._pace.port,
            )
            self.connections.append(connection)  # type: ignore[arg-type]
        self._free = list(self.connections)
        gc.freeze()
        self._alarm = make_alarm(loop, self._pump)
        self._began = time.monotonic()
        self._pump()
        used = time.process_time()
        with contextlib.suppress(TimeoutError):  # a proxy that cannot keep up: what it did counts
            async with asyncio.timeout(self._pace.seconds + self._pace.warm_s + GRACE_S):
                await self.done.wait()
        self.busy = (time.process_time() - used) / (time.monotonic() - self._began)
        self._alarm.close()
        for connection in self.connections:
            connection.close()

    def _pump(self) -> None:
        now = time.monotonic()
        rate = self._pace.rate_per_s
        while self._sent < self._count:
            planned = self._began + self._sent / rate
            if planned > now:
                self._alarm.set(planned)
                return
            self._sent += 1
            if now - planned > LATE_S and self._sent > self._skip:
                self.late += 1
            if self._free:
                self._free.pop().send(self._request, planned)
            else:
                self._waiting.append(planned)

    def _answer(self, connection: Connection) -> None:
        self._answered += 1
        if self._answered > self._skip:
            self.latencies.append(time.monotonic() - connection.planned)
        if self._waiting:
            connection.send(self._request, self._waiting.popleft())
        else:
            self._free.append(connection)
        if self._answered == self._count:
            self.done.set()

    @property
    def unanswered(self) -> int:
        """Return how many requests were due and have no answer."""
        return self._count - self._answered


def report_of(load: Load) -> dict[str, float]:
    """Return percentiles in microseconds, and how often the driver itself was late."""
    ordered = sorted(load.latencies) or [float("inf")]
    last = len(ordered) - 1
    return {
        "requests": len(ordered),
        "failed": sum(each.failed for each in load.connections),
        "unanswered": load.unanswered,
        "late_share": load.late / max(1, len(ordered)),
        "driver_busy": load.busy,
        **{f"p{part}_us": ordered[round(last * part / 100)] * 1e6 for part in (50, 90, 99)},
        "max_us": ordered[-1] * 1e6,
    }


def drive(pace: Pace, cores: Iterable[int]) -> dict[str, float]:
    """Run this module on these cores; return its report. Raise BenchmarkError when it failed."""
    from instance import BenchmarkError

    from benchmarks.harness.drivers import wrk

    numbers = (pace.port, pace.host, pace.rate_per_s, pace.seconds, pace.connections, pace.warm_s)
    call = [sys.executable, __file__, *map(str, numbers)]
    said, _ = wrk.run(call, pace.seconds + pace.warm_s, cores)
    try:
        report: dict[str, float] = json.loads(said.strip().rpartition("\n")[2])
    except ValueError as error:
        raise BenchmarkError(f"no answers on port {pace.port}: {said.strip()}") from error
    if report["failed"]:
        raise BenchmarkError(f"{report['failed']} requests failed on port {pace.port}")
    return report


def main(arguments: Sequence[str]) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import instance
    import uvloop

    instance.make_importable()
    port, host, rate, seconds, connections, warm_s = arguments
    pace = Pace(int(port), host, float(rate), float(seconds), int(connections), float(warm_s))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        load = Load(pace)
        runner.run(load.run())
    print(json.dumps(report_of(load)))


if __name__ == "__main__":
    main(sys.argv[1:])
