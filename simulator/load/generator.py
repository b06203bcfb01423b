"""Sends what the plan says, when it says so, and reports each answer as it comes.

Open loop: a request is due at its planned moment whether or not earlier ones were answered. It
leaves on a connection with room, or on a new one, or waits for one when `connections_max` are
busy; its latency counts from the planned moment in each case.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from simulator.load.alarm import Alarm, make_alarm
from simulator.load.connection import Carrier, Connection, Exchange, Owner
from simulator.load.occupancy import Occupancy
from simulator.load.plan import Answer, LoadPlan
from simulator.load.report import LoadReport
from simulator.load.schedule import AsFastAsPossible, moments

if TYPE_CHECKING:
    from simulator.load.multiplexed import MultiplexedConnection

Observer = Callable[[Answer], None]

SWEEP_INTERVAL_S = 0.05  # how exactly a time-out is kept
CLOSE_WAIT_S_MAX = 1.0


async def run_load(plan: LoadPlan, observe: Observer | None = None) -> LoadReport:
    """Carry out the plan and return its report. No failure of the server raises."""
    return await Load(plan, observe).run()


class Load:
    """A load that can be watched while it runs, and ended before its schedule does."""

    def __init__(self, plan: LoadPlan, observe: Observer | None = None) -> None:
        self.report = LoadReport(plan)
        self._plan = plan
        self._observe = observe
        self._connections_max = max(1, plan.part.share_of(plan.connections_max))
        self._new_connection = connection_maker(plan)
        # HTTP/1.1 reuses the connection that was busy last; streams go round all connections.
        self._take_from = -1 if plan.protocol == "http1" else 0
        self._roomy: list[Carrier] = []
        self._open: set[Carrier] = set()
        self._connecting = 0
        self._waiting: deque[Exchange] = deque()
        self._due: Iterator[float] = iter(())
        self._next: float | None = None
        self._sequence = 0
        self._over = 0
        self._left = 0
        self._began = 0.0
        self._stopped = False
        self._done = asyncio.Event()
        self._closed = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._alarm: Alarm | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._ender: asyncio.TimerHandle | None = None

    @property
    def began(self) -> float:
        """Return the moment (time.monotonic) from which answers count their seconds."""
        return self._began

    @property
    def in_flight(self) -> int:
        """Return how many requests are due and have no answer yet."""
        return self._sequence - self._over

    @property
    def sent(self) -> int:
        """Return how many requests were due so far: the next one has this sequence number."""
        return self._sequence

    async def run(self, begin: float | None = None) -> LoadReport:
        """Send everything, wait for every answer (each at most its time-out), close, report.

        Moments count from `begin` (time.monotonic), so that several processes begin as one; from
        now on when that is None.
        """
        loop = asyncio.get_running_loop()
        self._began = time.monotonic() if begin is None else begin
        if begin is not None:
            await asyncio.sleep(begin - time.monotonic())
        occupancy = Occupancy()
        self._alarm = make_alarm(loop, self._pump)
        self._sweeper = loop.call_later(SWEEP_INTERVAL_S, self._sweep, loop)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                self._start()
                await self._done.wait()
                self.report.occupied_share = occupancy.share()
            finally:  # also when cancelled: nothing may be sent while the group winds up
                self._stopped = True
                self._sweeper.cancel()
                self._alarm.close()
                if self._ender is not None:
                    self._ender.cancel()
                for connection in tuple(self._open):
                    connection.close()
        if self._open:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), CLOSE_WAIT_S_MAX)
        return self.report

    def end(self) -> None:
        """Send nothing more; `run` returns when what is under way was answered."""
        self._next = None
        self._left = 0
        self._check_done()

    # When requests are due.

    def _start(self) -> None:
        schedule, part = self._plan.schedule, self._plan.part
        if isinstance(schedule, AsFastAsPossible):
            self._left = sys.maxsize if schedule.count is None else part.share_of(schedule.count)
            if schedule.duration_s is not None:
                loop = asyncio.get_running_loop()
                self._ender = loop.call_later(schedule.duration_s, self.end)
            for _ in range(min(max(1, part.share_of(schedule.connections)), self._left)):
                self._due_now()
        else:
            self._due = itertools.islice(moments(schedule), part.index, None, part.of)
            self._next = next(self._due, None)
            self._pump()
        self._check_done()

    def _due_now(self) -> None:
        """Closed loop: the next request is due now."""
        if self._left > 0:
            self._left -= 1
            self._dispatch(time.monotonic())

    def _pump(self) -> None:
        """Open loop: dispatch whatever is due, and be woken for the next."""
        now = time.monotonic()
        while self._next is not None and (planned := self._began + self._next) <= now:
            if self._next >= self._plan.warm_s:
                self.report.noticed(now - planned)
            self._next = next(self._due, None)
            self._dispatch(planned)
        if self._next is not None and self._alarm is not None:
            self._alarm.set(self._began + self._next)
        self._check_done()

    def _dispatch(self, planned: float) -> None:
        exchange = Exchange(self._sequence, planned)
        self._sequence += 1
        self._waiting.append(exchange)
        self._assign()

    # Who carries them.

    def _assign(self) -> None:
        """Give waiting requests to connections with room, then to new ones, in order."""
        while self._waiting and not self._stopped:
            while self._roomy and not self._roomy[self._take_from].has_room:
                self._roomy.pop(self._take_from)
            if self._roomy:
                self._send(self._roomy.pop(self._take_from), self._waiting.popleft())
            elif len(self._open) + self._connecting < self._connections_max:
                self._connecting += 1
                assert self._tasks is not None  # noqa: S101 (set before anything is due)
                self._tasks.create_task(self._connect(self._waiting.popleft()))
            else:
                return

    def _send(self, connection: Carrier, exchange: Exchange) -> None:
        connection.send(exchange, time.monotonic())
        if connection.has_room:
            self._roomy.append(connection)

    async def _connect(self, exchange: Exchange) -> None:
        loop = asyncio.get_running_loop()
        address, port = self._plan.address, self._plan.port
        exchange.sent = time.monotonic()
        try:
            async with asyncio.timeout(self._plan.timeout_s):
                _, connection = await loop.create_connection(
                    lambda: self._new_connection(self), address, port
                )
        except TimeoutError:
            self._connecting -= 1
            self.failed(exchange, "timeout")
        except OSError:
            self._connecting -= 1
            self.failed(exchange, "connect")
        else:
            if connection.is_closing:  # lost again before it was used
                self.failed(exchange, "reset")
            else:
                self._send(connection, exchange)
                self._assign()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """End every request whose time is over, sent or still waiting for a connection."""
        oldest = time.monotonic() - self._plan.timeout_s
        for connection in tuple(self._open):
            connection.give_up_before(oldest)
        while self._waiting and self._waiting[0].planned < oldest:
            exchange = self._waiting.popleft()
            exchange.sent = time.monotonic()
            self.failed(exchange, "timeout")
        self._sweeper = loop.call_later(SWEEP_INTERVAL_S, self._sweep, loop)

    # What connections report.

    def opened(self, connection: Carrier) -> None:
        self._connecting -= 1
        self._open.add(connection)
        if self._stopped:
            connection.close()

    def answered(self, connection: Carrier, exchange: Exchange) -> None:
        if connection.has_room and connection not in self._roomy:
            self._roomy.append(connection)
        error = f"{exchange.status // 100}xx" if exchange.status >= 400 else ""
        self._count(exchange, exchange.error or error)

    def roomy(self, connection: Carrier) -> None:
        if connection not in self._roomy and connection in self._open:
            self._roomy.append(connection)
        self._assign()

    def failed(self, exchange: Exchange, kind: str) -> None:
        self._count(exchange, kind)

    def refused(self, exchange: Exchange) -> None:
        exchange.status, exchange.revision, exchange.queued = 0, "", 0.0
        self._waiting.appendleft(exchange)
        self._assign()

    def lost(self, connection: Carrier) -> None:
        self._open.discard(connection)
        if connection in self._roomy:
            self._roomy.remove(connection)
        if not self._open:
            self._closed.set()
        self._assign()

    def _count(self, exchange: Exchange, error: str) -> None:
        if self._stopped:
            return
        text = exchange.text.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
        # A gateway that does not say who answered: then what was said tells answers apart.
        revision = exchange.revision or ("" if error else text)
        answer = Answer(
            sequence=exchange.sequence,
            # As it was planned: the clock's own size would leave 0.0999… of 0.1.
            planned_s=round(exchange.planned - self._began, 9),
            sent_s=exchange.sent - self._began,
            done_s=time.monotonic() - self._began,
            status=exchange.status,
            revision=revision,
            error=error,
            text=text,
            queued_s=exchange.queued,
        )
        self._over += 1
        self.report.count(answer)
        if isinstance(self._plan.schedule, AsFastAsPossible):
            self._due_now()
        else:
            self._assign()
        self._check_done()
        if self._observe is not None:
            self._observe(answer)

    def _check_done(self) -> None:
        if self._next is None and self._left == 0 and self.in_flight == 0:
            self._done.set()


def connection_maker(plan: LoadPlan) -> Callable[[Owner], Connection | MultiplexedConnection]:
    """Return what makes a connection that repeats the plan's requests."""
    paths = (plan.path, *plan.more_paths)
    if plan.protocol == "http1":
        heads = tuple(request_head(plan, path) for path in paths)
        return lambda owner: Connection(owner, heads)
    from simulator.load.multiplexed import MultiplexedConnection, Request

    requests = tuple(Request(plan, path) for path in paths)
    return lambda owner: MultiplexedConnection(owner, requests)


def request_head(plan: LoadPlan, path: str) -> bytes:
    """Return a request of the plan; it asks the gateway who answers."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {plan.host}",
        *(["Knary-Explain: 1"] if plan.explain else ()),
        "User-Agent: knary-load",
        "Accept: */*",
        *(f"{name}: {value}" for name, value in plan.headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
