"""What all connections of one worker share, given to each of them at its birth."""

from __future__ import annotations

import logging
from asyncio import AbstractEventLoop, Event, TaskGroup, timeout
from contextlib import suppress
from secrets import token_bytes
from typing import TYPE_CHECKING

from gateway.accesslog import AccessLog
from gateway.deadlines import Deadlines
from gateway.gates import Gate, Gates, place_of
from gateway.http1.head import REQUEST_KINDS, RESPONSE_KINDS, HeaderLines
from gateway.http1.response import ResponseReader
from gateway.http2.vocabulary import Vocabulary
from gateway.ledger import Ledger
from gateway.metrics.registry import Metrics
from gateway.settings import Settings
from gateway.sticky.table import SessionTable, open_table
from gateway.sticky.tokens import KEY_BYTES
from gateway.writes import Writes

if TYPE_CHECKING:
    from gateway.deadlines import Waiting
    from gateway.upstream.h2 import UpstreamSession
    from gateway.upstream.networks import Networks
    from gateway.upstream.pool import BackendState, Replica


log = logging.getLogger(__name__)


class Worker:
    """The worker's surroundings: loop, limits, remembered lines, deadlines, the tasks' parent."""

    access_log: AccessLog | None = None
    gates: Gates | None = None  # shared with the other workers
    ledger: Ledger | None = None  # of the turns that all workers take together
    networks: Networks | None = None  # the replicas' own
    sessions_file = ""  # shared with the other workers
    number = 0
    waiting = 0  # requests, for a replica
    upstream_connections = 0

    def __init__(
        self, loop: AbstractEventLoop, settings: Settings, tasks: TaskGroup, metrics: Metrics
    ) -> None:
        self.loop = loop
        self.metrics = metrics
        self.settings = settings
        self.session_key = token_bytes(KEY_BYTES)  # main.py brings the one that all workers have
        self.tasks = tasks
        self.request_lines = HeaderLines(REQUEST_KINDS)
        self.responses = ResponseReader(HeaderLines(RESPONSE_KINDS), settings)
        self.deadlines = Deadlines(loop, settings, self._tick, self._sweep)
        self.http2 = settings.http2
        self.vocabulary = Vocabulary()
        self.writes = Writes(loop)
        self.sessions: dict[UpstreamSession, None] = {}  # h2c connections to replicas
        self.pools: dict[Replica, None] = {}  # the replicas with idle connections
        self._limited: dict[int, BackendState] = {}  # by place
        self._known_sessions: SessionTable | None = None
        self.draining = False
        self.is_ending = False  # what is still under way is cut
        self._gone = Event()

    def forget(self, connection: Waiting) -> None:
        """Note that a client's connection is over."""
        self.deadlines.connections.discard(connection)
        if self.draining and not self.deadlines.connections:
            self._gone.set()

    def forget_network(self, network: str) -> None:
        """Keep nothing at hand for a replica that has left the table."""
        if network and self.networks is not None:
            self.networks.forget(network)

    def gate(self, backend: BackendState, address: str, inside: int) -> Gate:
        """Return the gate before a replica of a limited backend, which is told of room there."""
        if self.gates is None:
            return Gate(backend.concurrency, inside)
        self.watch_room(backend, address)
        return self.gates.gate(address, backend.concurrency, inside)

    def watch_room(self, backend: BackendState, address: str) -> None:
        """Tell this backend, and no other, of room that other workers make at the address."""
        self._limited[place_of(address)] = backend

    def on_room(self, place: int) -> None:
        """Another worker has made room on a replica."""
        backend = self._limited.get(place)
        if backend is not None:
            backend.wake_one()

    def known_sessions(self) -> SessionTable:
        """Return the table of sessions that are known by a header or an address."""
        table = self._known_sessions
        if table is None:
            most = self.settings.sessions_max
            try:
                table = open_table(self.sessions_file, most, self.session_key)
            except OSError as error:
                log.warning("sessions by header and address are this worker's alone: %s", error)
                table = open_table("", most, self.session_key)
            self._known_sessions = table
        return table

    def _tick(self, now: float) -> None:
        """Publish what was counted."""
        del now
        figures = self.metrics.worker
        figures.connections_open = len(self.deadlines.connections)
        figures.pool_idle = sum(len(replica.idle) for replica in self.pools)
        figures.pool_idle += sum(session.is_idle for session in self.sessions)
        figures.pool_in_use = self.upstream_connections - figures.pool_idle
        figures.requests_waiting = self.waiting
        if self._known_sessions is not None:
            figures.sessions_forgotten += self._known_sessions.forgotten
            self._known_sessions.forgotten = 0
        if self.ledger is not None:
            figures.turns_alone += self.ledger.take_alone()
        if self.access_log is not None:
            self.access_log.flush()
        self.metrics.flush()

    def _sweep(self, now: float) -> None:
        """Close upstream connections that were idle for too long."""
        for session in list(self.sessions):
            session.check(now)
        for replica in list(self.pools):
            replica.sweep(now, self.settings.upstream_idle_s_max)
            if not replica.idle:
                del self.pools[replica]

    async def drain(self) -> int:
        """Finish what is under way, within `drain_s_max`; return how many clients were cut."""
        self.draining = True
        for connection in list(self.deadlines.connections):
            connection.drain()
        with suppress(TimeoutError):
            async with timeout(self.settings.drain_s_max):
                if self.deadlines.connections:
                    await self._gone.wait()
        late = list(self.deadlines.connections)
        self.is_ending = True
        for connection in late:
            connection.abort()  # ends its dial too: nothing keeps the worker
        with suppress(TimeoutError):  # until each of its requests is counted, and logged
            async with timeout(self.settings.cut_s_max):
                if self.deadlines.connections:
                    await self._gone.wait()
        return len(late)
