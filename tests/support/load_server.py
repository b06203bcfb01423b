"""A small HTTP server that counts, delays, resets and misbehaves as told, for load tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reply:
    """What becomes of one request. `raw` replaces the whole answer; `reset` sends none."""

    revision: str = "hello-00001"
    body: str = "Hello World!\n"
    status: int = 200
    after: asyncio.Event | None = None
    raw: bytes | None = None
    reset: bool = False
    silent: bool = False
    close: bool = False

    def encoded(self) -> bytes:
        if self.raw is not None:
            return self.raw
        body = self.body.encode()
        head = f"HTTP/1.1 {self.status} Told\r\nContent-Length: {len(body)}\r\n"
        head += f"knary-revision: {self.revision}\r\n" if self.revision else ""
        head += "Connection: close\r\n" if self.close else ""
        return head.encode() + b"\r\n" + body


Answering = Callable[[int], Reply]  # the number of the request, from 0


@dataclass
class LoadServer:
    """Where it listens, and what it saw."""

    port: int
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0


class _Connection(asyncio.Protocol):
    def __init__(self, server: LoadServer, answering: Answering, tasks: set[asyncio.Task]) -> None:
        self._server, self._answering, self._tasks = server, answering, tasks
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._server.heads.append(head)
            self._answer(self._answering(len(self._server.heads) - 1))

    def _answer(self, reply: Reply) -> None:
        if reply.after is not None:
            task = asyncio.get_running_loop().create_task(self._answer_later(reply))
            self._tasks.add(task)
        elif reply.reset:
            self._transport.abort()
        elif not reply.silent:
            self._transport.write(reply.encoded())
            if reply.close:
                self._transport.close()

    async def _answer_later(self, reply: Reply) -> None:
        assert reply.after is not None
        await reply.after.wait()
        self._transport.write(reply.encoded())


@contextlib.asynccontextmanager
async def load_server(answering: Answering) -> AsyncIterator[LoadServer]:
    """Serve on a free loopback port until the block ends."""
    found = LoadServer(port=0)
    tasks: set[asyncio.Task] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(found, answering, tasks), "127.0.0.1", 0
    )
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        for task in tasks:
            task.cancel()
        server.close()
        await server.wait_closed()
