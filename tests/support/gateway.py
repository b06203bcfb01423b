"""A gateway worker in this process, over real sockets, and revisions that a test scripts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar, cast

import msgspec
import uvloop

from gateway.contract import Backend, Route, RouteTable, Share, Split
from gateway.downstream.h1 import ClientConnection
from gateway.exchange import Exchange
from gateway.metrics.registry import Metrics
from gateway.router import Router
from gateway.settings import Settings
from gateway.upstream.pool import BackendState
from gateway.worker import Worker

HOST = "hello.default.example.com"
WAIT_S = 10.0

T = TypeVar("T")
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def table(
    backends: dict[str, tuple[str, ...]],
    weights: dict[str, int] | None = None,
    *,
    splitter: str = "stratified",
    **limits: float,
) -> RouteTable:
    """Return a table with one route for HOST over backends `default/NAME`, each with `limits`."""
    weights = weights or dict.fromkeys(backends, 1)
    shares = tuple(Share(f"default/{name}", weight) for name, weight in weights.items())
    return RouteTable(
        1,
        {"hello": Route("hello", (HOST, "localhost"), Split("hello", shares, splitter, 7))},
        {
            f"default/{name}": Backend(f"default/{name}", addresses, **limits)  # type: ignore[arg-type]
            for name, addresses in backends.items()
        },
    )


class Gateway:
    """A worker's parts, wired as in its composition root."""

    def __init__(self, worker: Worker, router: Router, port: int, idle: list[str]) -> None:
        self.worker = worker
        self.router = router
        self.port = port
        self.idle = idle  # addresses reported idle
        self.writers: list[asyncio.StreamWriter] = []

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader, writer

    async def exchange(self, data: bytes, pieces: Iterable[bytes] = ()) -> bytes:
        """Send raw bytes on a connection of its own; return all that comes until it closes."""
        reader, writer = await self.connect()
        writer.write(data)
        for piece in pieces:
            await writer.drain()
            writer.write(piece)
        try:
            async with asyncio.timeout(WAIT_S):
                return await reader.read()
        finally:
            writer.close()

    def under_way(self) -> list[Exchange]:
        """Return the requests that wait for their answer."""
        return [
            exchange
            for connection in self.worker.deadlines.connections
            if (exchange := connection.exchange) is not None and not exchange.answered  # type: ignore[attr-defined]
        ]

    def backend(self, host: str = HOST) -> BackendState:
        """Return the first backend of a host's split."""
        return self.router.hosts.match(host.encode()).split.targets[0].backend

    async def get(self, path: str = "/", host: str = HOST) -> bytes:
        return await self.exchange(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )


class StillLoop:
    """Stands in for an event loop where nothing happens, as long as tables are only compiled."""

    def time(self) -> float:
        return 0.0


def idle_worker() -> Worker:
    """Return a worker without a running loop."""
    return Worker(
        cast("asyncio.AbstractEventLoop", StillLoop()), Settings(), asyncio.TaskGroup(), Metrics()
    )


@contextlib.asynccontextmanager
async def gateway(**settings: float) -> AsyncIterator[Gateway]:
    """Run a worker on a free port, with these settings changed."""
    loop = asyncio.get_running_loop()
    idle: list[str] = []
    async with asyncio.TaskGroup() as tasks:
        worker = Worker(loop, msgspec.structs.replace(Settings(), **settings), tasks, Metrics())
        router = Router(worker, 0, idle.append)
        worker.deadlines.start()
        server = await loop.create_server(
            lambda: cast("asyncio.Protocol", ClientConnection(worker, router.hosts)), "127.0.0.1", 0
        )
        under_test = Gateway(worker, router, server.sockets[0].getsockname()[1], idle)
        try:
            yield under_test
        finally:
            server.close()
            await _closed(under_test.writers)
            for connection in list(worker.deadlines.connections):
                connection.abort()
            worker.deadlines.stop()
            router.replace(RouteTable())


@contextlib.asynccontextmanager
async def revision(script: Script) -> AsyncIterator[str]:
    """Run a scripted revision; the value is its address."""

    tasks: list[asyncio.Task[None]] = []

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())  # type: ignore[arg-type]
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await script(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        await _closed([writer])

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _closed(writers: list[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.close()
    for writer in writers:
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def replying(*replies: bytes) -> Script:
    """Return a revision that answers each request without a body with the next of these."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            await read_head(reader)
            writer.write(reply)
            await writer.drain()

    return script


def saying(name: str) -> Script:
    """Return a revision that says its name for ever, keep-alive."""
    body = name.encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):  # whoever asked has gone
            while True:
                await read_head(reader)
                writer.write(reply)
        writer.close()  # which asyncio itself does from 3.11.5 on

    return script


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop, as a worker does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Let the loop run until the condition holds; fail after WAIT_S."""
    try:
        async with asyncio.timeout(WAIT_S):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0)
    except TimeoutError:
        raise AssertionError(f"never happened: {what}") from None
