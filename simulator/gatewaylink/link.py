"""The control plane's end of the link to the gateway's workers.

One table is under way to a worker at a time; what is published meanwhile goes out as one delta
when it has answered. So nothing queues up, and a worker that does not answer is replaced.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from gateway.contract import (
    PROTOCOL_VERSION,
    Ack,
    FrameError,
    FrameReader,
    Hello,
    Idle,
    Refused,
    RouteTable,
    from_worker,
)
from simulator.clock import Clock
from simulator.gatewaylink.frames import frames
from simulator.gatewaylink.settings import LinkSettings

log = logging.getLogger(__name__)

NOTHING_ACKNOWLEDGED = -1


class WorkerSeen(Struct, frozen=True):
    """A connected worker, and the table version that it serves."""

    index: int
    pid: int
    version: int
    build: str = "interpreted"
    turns: str = "own"


class _Gone(Exception):
    """The connection to the worker ended."""


class _Peer:
    """One connected worker. `table` is what it was last sent and did not refuse."""

    def __init__(self, hello: Hello, writer: StreamWriter) -> None:
        self.index = hello.worker
        self.pid = hello.pid
        self.build = hello.build
        self.turns = hello.turns
        self.writer = writer
        self.table: RouteTable | None = None
        self.acknowledged = NOTHING_ACKNOWLEDGED
        self.refused: RouteTable | None = None
        self.busy: set[str] = set()
        self.news = asyncio.Event()
        self.answered = asyncio.Event()


class Link:
    """Gives every worker the newest table. `on_progress` is called when what they serve, or what
    they still use, changes.
    """

    def __init__(
        self,
        path: Path,
        pid_files: tuple[Path, ...],
        *,
        clock: Clock,
        on_progress: Callable[[], None],
        settings: LinkSettings,
    ) -> None:
        """Expect one worker per entry of `pid_files`, where its process id is while it lives."""
        self._path = path
        self._pid_files = pid_files
        self._clock = clock
        self._on_progress = on_progress
        self._settings = settings
        self._table: RouteTable | None = None
        self._peers: dict[int, _Peer] = {}  # by process id: a worker's successor overlaps with it
        self._absent_since = dict.fromkeys(range(len(pid_files)), clock.monotonic())

    def publish(self, table: RouteTable) -> None:
        """Let every worker serve this table; `acknowledged` tells when they do."""
        self._table = table
        for peer in self._peers.values():
            peer.news.set()

    @property
    def acknowledged(self) -> int:
        """Return the version that every expected worker serves, or a later one.

        One that is being replaced counts until it is gone: its clients still send requests.
        """
        if len({peer.index for peer in self._peers.values()}) < len(self._pid_files):
            return NOTHING_ACKNOWLEDGED
        return min(peer.acknowledged for peer in self._peers.values())

    def busy(self) -> frozenset[str]:
        """Return the addresses out of the table that a worker still has requests on."""
        return frozenset(address for peer in self._peers.values() for address in peer.busy)

    def workers(self) -> tuple[WorkerSeen, ...]:
        """Return the connected workers in order, of each place the newest."""
        newest = {peer.index: peer for peer in self._peers.values()}
        return tuple(
            WorkerSeen(index, peer.pid, peer.acknowledged, peer.build, peer.turns)
            for index, peer in sorted(newest.items())
        )

    async def run(self) -> None:
        """Serve workers until cancelled. Raise OSError when the socket cannot be made."""
        self._path.unlink(missing_ok=True)
        async with asyncio.TaskGroup() as group:

            def accept(reader: StreamReader, writer: StreamWriter) -> None:
                group.create_task(self._serve(reader, writer))

            server = await asyncio.start_unix_server(accept, self._path)
            try:
                await self._replace_absent()
            finally:
                server.close()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One worker's connection, from its hello to its end."""
        received = FrameReader()
        try:
            peer = await self._welcome(reader, writer, received)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._receive(peer, reader, received))
                    group.create_task(self._feed(peer))
            finally:
                self._forget(peer)
        except* (_Gone, FrameError, OSError, TimeoutError) as why:
            log.info("a worker's link ended: %s", "; ".join(map(repr, why.exceptions)))
        finally:
            writer.close()

    async def _welcome(
        self, reader: StreamReader, writer: StreamWriter, received: FrameReader
    ) -> _Peer:
        async with asyncio.timeout(self._settings.hello_s_max):
            bodies: list[bytes] = []
            while not bodies:
                data = await reader.read(self._settings.read_bytes)
                if not data:
                    raise _Gone("it left before it said who it is")
                bodies.extend(received.feed(data))
        hello = from_worker(bodies[0])
        if len(bodies) > 1 or not isinstance(hello, Hello):
            raise FrameError("a worker's first frame is Hello, and it waits for a table then")
        if hello.protocol != PROTOCOL_VERSION or not 0 <= hello.worker < len(self._pid_files):
            raise FrameError(f"no worker of this instance: {hello}")
        older = self._peers.pop(hello.pid, None)
        if older is not None:
            older.writer.close()
        peer = self._peers[hello.pid] = _Peer(hello, writer)
        self._absent_since.pop(hello.worker, None)
        peer.news.set()
        self._on_progress()
        return peer

    def _forget(self, peer: _Peer) -> None:
        if self._peers.get(peer.pid) is peer:
            del self._peers[peer.pid]
            if all(other.index != peer.index for other in self._peers.values()):
                self._absent_since[peer.index] = self._clock.monotonic()
            self._on_progress()

    async def _receive(self, peer: _Peer, reader: StreamReader, received: FrameReader) -> None:
        while data := await reader.read(self._settings.read_bytes):
            for body in received.feed(data):
                match message := from_worker(body):
                    case Ack():
                        peer.acknowledged = message.version
                        peer.busy = set(message.busy)
                        peer.answered.set()
                    case Refused():
                        log.error(
                            "worker %d refused table %d and goes on with %d: %s",
                            *(peer.index, message.version, peer.acknowledged, message.why),
                        )
                        peer.refused = peer.table
                        peer.answered.set()
                    case Idle():
                        peer.busy.discard(message.address)
                    case Hello():
                        raise FrameError("Hello comes once")
            self._on_progress()
        raise _Gone(f"worker {peer.index} (pid {peer.pid}) closed it")

    async def _feed(self, peer: _Peer) -> None:
        """Send the newest table whenever there is one that the worker was not sent yet."""
        while True:
            await peer.news.wait()
            peer.news.clear()
            table = self._table
            if table is None or table is peer.table:
                continue
            # Of a worker that refused a table it is not known what it has of it.
            known = None if peer.refused is not None else peer.table
            peer.table, peer.refused = table, None
            peer.answered.clear()
            began, limit = asyncio.get_running_loop().time(), self._settings.acknowledge_s_max
            try:
                async with asyncio.timeout(limit) as patience:
                    for frame in frames(known, table, self._settings.chunk_rows_max):
                        limit += self._settings.acknowledge_frame_s_max
                        patience.reschedule(began + limit)
                        peer.writer.write(frame)
                        await peer.writer.drain()
                        await asyncio.sleep(0)  # to drain is no pause while there is room
                    await peer.answered.wait()
            except TimeoutError:
                self._kill(peer.index, peer.pid, f"did not acknowledge a table in {limit:g} s")
                raise
            if self._table is not table:
                peer.news.set()

    async def _replace_absent(self) -> None:
        """Kill workers that stay away too long; the parent starts others."""
        while True:
            await asyncio.sleep(self._settings.absent_check_s)
            now = self._clock.monotonic()
            for index, since in self._absent_since.items():
                if self._table is None or now - since < self._settings.absent_s_max:
                    continue
                self._absent_since[index] = now
                if (pid := _read_pid(self._pid_files[index])) is not None:
                    self._kill(index, pid, f"did not connect in {self._settings.absent_s_max} s")

    def _kill(self, index: int, pid: int, why: str) -> None:
        log.error("worker %d (pid %d) %s: it is killed, to be replaced", index, pid, why)
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError as error:
            log.warning("worker %d (pid %d): %s", index, pid, error.strerror)


def _read_pid(path: Path) -> int | None:
    """Return the process id in the file; None when there is none that could be a worker's."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdigit() and int(text) > 1 else None
