"""A gateway worker that only listens: it speaks `gateway.contract`, and answers as a test tells it.

It keeps the table that the frames lead to, so a test sees what a real worker would serve.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.contract import (
    Ack,
    Begin,
    Commit,
    Delta,
    FrameReader,
    FromWorker,
    Hello,
    Idle,
    Refused,
    RouteTable,
    ToWorker,
    encode,
    to_worker,
)

WAIT_S = 10.0


class ListeningWorker:
    """One connection. While `answers` is "ack" it acknowledges; "refuse" and "nothing" it may too.

    `busy` are the addresses that it reports with its next acknowledgements.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._changed = asyncio.Condition()
        self._staged = RouteTable()
        self.received: list[ToWorker] = []
        self.table = RouteTable(-1)
        self.answers = "ack"
        self.busy: tuple[str, ...] = ()
        self.ended = False

    def send(self, message: FromWorker) -> None:
        self._writer.write(encode(message))

    def say_idle(self, address: str) -> None:
        self.send(Idle(address))

    async def until_version(self, version: int) -> RouteTable:
        """Return the table once it is of that version."""
        await self._until(lambda: self.table.version >= version)
        return self.table

    async def until_commit(self, version: int) -> None:
        """Wait until that version was sent, whatever the answer to it."""
        await self._until(lambda: Commit(version) in self.received)

    async def until_ended(self) -> None:
        """Wait until the other side closed the connection."""
        await self._until(lambda: self.ended)

    async def listen(self) -> None:
        """Take frames until the connection ends."""
        frames = FrameReader()
        try:
            while data := await self._reader.read(1000):  # small, to meet frames in pieces
                for body in frames.feed(data):
                    self._take(to_worker(body))
                await self._notify()
        except ConnectionError:
            pass
        self.ended = True
        await self._notify()

    def _take(self, message: ToWorker) -> None:
        self.received.append(message)
        match message:
            case Begin():
                self._staged = RouteTable()
            case Delta():
                routes, backends = dict(self._staged.routes), dict(self._staged.backends)
                for key in message.routes_gone:
                    del routes[key]
                for key in message.backends_gone:
                    del backends[key]
                routes.update((row.key, row) for row in message.routes)
                backends.update((row.key, row) for row in message.backends)
                self._staged = RouteTable(0, routes, backends)
            case Commit():
                self.answer(message.version)

    def answer(self, version: int) -> None:
        """Answer to a commit of that version."""
        if self.answers == "refuse":
            self._staged = self.table
            self.send(Refused(version, "told to"))
        elif self.answers == "ack":
            self.table = RouteTable(version, self._staged.routes, self._staged.backends)
            self.send(Ack(version, self.busy))

    def answer_now(self, version: int) -> None:
        """Answer to a commit that went unanswered, and to all that come."""
        self.answers = "ack"
        self.answer(version)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _until(self, condition: object) -> None:
        assert callable(condition)
        async with asyncio.timeout(WAIT_S), self._changed:
            await self._changed.wait_for(condition)


async def connection(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the link as soon as it listens."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                return await asyncio.open_unix_connection(path)
            except OSError:
                await asyncio.sleep(0)


@asynccontextmanager
async def listening_worker(
    path: Path, index: int = 0, pid: int = 0, **first: object
) -> AsyncIterator[ListeningWorker]:
    """Connect a worker to the link at `path`, as soon as there is one. `first` are attributes."""
    reader, writer = await connection(path)
    worker = ListeningWorker(reader, writer)
    for name, value in first.items():
        setattr(worker, name, value)
    worker.send(Hello(index, pid or 1_000_000_000 + index))
    async with asyncio.TaskGroup() as group:
        listening = group.create_task(worker.listen())
        try:
            yield worker
        finally:
            writer.close()
            listening.cancel()
