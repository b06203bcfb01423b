"""HTTP/2 clients and revisions by the h2 package, over real sockets, driven by a test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import msgspec

from gateway.contract import RouteTable
from tests.support.gateway import HOST, Gateway, table, until
from tests.support.workerprocess import WorkerProcess

Headers = list[tuple[str, str]]


class Seen:
    """What a peer has seen of one stream."""

    def __init__(self, stream_id: int) -> None:
        self.id = stream_id
        self.head: dict[str, str] = {}
        self.interim: list[str] = []
        self.body = b""
        self.trailers: dict[str, str] = {}
        self.ended = False
        self.code: int | None = None  # of its reset

    @property
    def is_over(self) -> bool:
        return self.ended or self.code is not None

    @property
    def status(self) -> str:
        return self.head.get(":status", "")


class Peer:
    """One end of a connection. Windows open by themselves, unless it `reads_slowly`."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        client_side: bool,
        initial: dict[int, int] | None = None,
        reads_slowly: bool = False,
    ) -> None:
        self._reader, self.writer = reader, writer
        config = h2.config.H2Configuration(
            client_side=client_side, validate_outbound_headers=False, header_encoding="utf-8"
        )
        self.h2 = h2.connection.H2Connection(config)
        if initial:
            self.h2.local_settings = h2.settings.Settings(
                client=client_side, initial_values=initial
            )
        self._reads_slowly = reads_slowly
        self.streams: dict[int, Seen] = {}
        self.goaways: list[h2.events.ConnectionTerminated] = []
        self.is_closed = False
        self.on_request: Callable[[Peer, Seen], Awaitable[None]] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self.h2.initiate_connection()
        self.send()
        self._tasks.append(asyncio.get_running_loop().create_task(self._read()))

    def send(self) -> None:
        self.writer.write(self.h2.data_to_send())

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await self._reader.read(65_536):
                for event in self.h2.receive_data(data):
                    self._note(event)
                self.send()
        self.is_closed = True

    def _note(self, event: Any) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append(event)
            return
        stream_id = getattr(event, "stream_id", 0)
        if not stream_id:
            return
        seen = self.streams.setdefault(stream_id, Seen(stream_id))
        match event:
            case h2.events.RequestReceived() | h2.events.ResponseReceived():
                seen.head = dict(event.headers)
                if isinstance(event, h2.events.RequestReceived) and self.on_request is not None:
                    work = self.on_request(self, seen)
                    loop = asyncio.get_running_loop()
                    self._tasks.append(loop.create_task(work))  # type: ignore[arg-type]
            case h2.events.InformationalResponseReceived():
                seen.interim.append(dict(event.headers)[":status"])
            case h2.events.DataReceived():
                seen.body += event.data
                if not self._reads_slowly:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream_id)
            case h2.events.TrailersReceived():
                seen.trailers = dict(event.headers)
            case h2.events.StreamEnded():
                seen.ended = True
            case h2.events.StreamReset():
                seen.code = int(event.error_code)

    def read_on(self, seen: Seen, size: int) -> None:
        """Open the windows by what a slow reader took."""
        self.h2.acknowledge_received_data(size, seen.id)
        self.send()

    # A client's.

    def ask(
        self,
        path: str = "/",
        *more: tuple[str, str],
        method: str = "GET",
        host: str = HOST,
        ended: bool = True,
    ) -> Seen:
        stream_id = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "http"), (":path", path), (":authority", host)]
        self.h2.send_headers(stream_id, [*head, *more], end_stream=ended)
        self.send()
        return self.streams.setdefault(stream_id, Seen(stream_id))

    async def answered(self, seen: Seen) -> Seen:
        """Return the stream when it is over."""
        await until(lambda: seen.is_over or self.is_closed, f"the end of stream {seen.id}")
        return seen

    async def get(self, path: str = "/", *more: tuple[str, str], host: str = HOST) -> Seen:
        return await self.answered(self.ask(path, *more, host=host))

    # Both roles'.

    def say(self, seen: Seen, *fields: tuple[str, str], ended: bool = False) -> None:
        self.h2.send_headers(seen.id, list(fields), end_stream=ended)
        self.send()

    def data(self, seen: Seen, data: bytes = b"", *, ended: bool = False) -> None:
        """Send a body that fits the windows."""
        size = self.h2.max_outbound_frame_size
        for start in range(0, len(data), size):
            self.h2.send_data(seen.id, data[start : start + size])
        if ended:
            self.h2.end_stream(seen.id)
        self.send()

    async def pour(self, seen: Seen, data: bytes, *, ended: bool = True) -> None:
        """Send a body as the windows allow."""
        while data:
            await until(
                lambda: seen.code is not None or self.is_closed or self.room(seen) > 0,
                "a window opens",
            )
            if seen.code is not None or self.is_closed:
                return
            size = min(self.room(seen), self.h2.max_outbound_frame_size)
            self.h2.send_data(seen.id, data[:size])
            self.send()
            data = data[size:]
        if ended:
            self.data(seen, ended=True)

    def room(self, seen: Seen) -> int:
        """Return how much more of a body may be sent now."""
        return self.h2.local_flow_control_window(seen.id)

    def reset(self, seen: Seen, code: int = 8) -> None:
        self.h2.reset_stream(seen.id, code)
        self.send()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def h2_client(
    under_test: Gateway | WorkerProcess,
    *,
    initial: dict[int, int] | None = None,
    reads_slowly: bool = False,
) -> AsyncIterator[Peer]:
    """Connect to the gateway with prior knowledge."""
    reader, writer = await asyncio.open_connection("127.0.0.1", under_test.port)
    peer = Peer(reader, writer, client_side=True, initial=initial, reads_slowly=reads_slowly)
    peer.start()
    try:
        yield peer
    finally:
        await peer.stop()


class Revision:
    """A revision that speaks h2c: what it saw, over all its connections."""

    def __init__(self) -> None:
        self.address = ""
        self.peers: list[Peer] = []

    @property
    def streams(self) -> list[Seen]:
        return [seen for peer in self.peers for seen in peer.streams.values()]


@contextlib.asynccontextmanager
async def h2_revision(
    answer: Callable[[Peer, Seen], Awaitable[None]],
    *,
    initial: dict[int, int] | None = None,
    reads_slowly: bool = False,
) -> AsyncIterator[Revision]:
    """Run a revision; `answer` runs for each request, as soon as its head is there."""
    revision = Revision()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer, client_side=False, initial=initial, reads_slowly=reads_slowly)
        peer.on_request = answer
        revision.peers.append(peer)
        peer.start()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    revision.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield revision
    finally:
        server.close()
        for peer in revision.peers:
            await peer.stop()


def h2c(
    backends: dict[str, tuple[str, ...]], weights: dict[str, int] | None = None, **limits: float
) -> RouteTable:
    """Return a table as `table` does, of revisions that speak h2c."""
    plain = table(backends, weights, **limits)
    return msgspec.structs.replace(
        plain,
        backends={
            key: msgspec.structs.replace(backend, protocol="h2c")
            for key, backend in plain.backends.items()
        },
    )


async def echo(peer: Peer, seen: Seen) -> None:
    """Answer with what was asked, trailers too."""
    await until(lambda: seen.is_over, "the request is whole")
    if seen.code is not None:
        return
    names = ("content-type", "te", "x-test", "x-forwarded-for", ":authority", ":path")
    said = [(f"seen-{name.strip(':')}", seen.head[name]) for name in names if name in seen.head]
    if seen.head[":method"] == "HEAD":
        peer.say(seen, (":status", "200"), ("content-length", "7"), *said, ended=True)
        return
    peer.say(seen, (":status", "200"), *said)
    await peer.pour(seen, seen.body or b"nothing", ended=False)
    peer.say(seen, ("seen-trailers", str(len(seen.trailers))), ended=True)


def saying_h2(name: str) -> Callable[[Peer, Seen], Awaitable[None]]:
    """Return an application that says its name at once."""

    async def answer(peer: Peer, seen: Seen) -> None:
        peer.say(seen, (":status", "200"))
        peer.data(seen, name.encode(), ended=True)

    return answer
