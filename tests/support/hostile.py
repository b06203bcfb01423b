"""A revision that answers with given bytes, and a client for which h11 reads."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import h11

from tests.support.gateway import HOST, WAIT_S, Gateway, read_head


class Hostile:
    """Answers its next request with `raw`, in one write or the body once `go_on` is set.

    Then it watches what the gateway does with the connection: it closes it, or sends the next
    request on it. All other requests are answered well, on connections that close.
    """

    def __init__(self) -> None:
        self.raw = b""
        self.closes = False
        self.go_on: asyncio.Event | None = None
        self.reused = False
        self.let_go = asyncio.Event()

    def prepare(self, raw: bytes, *, closes: bool, in_two: bool) -> None:
        self.raw, self.closes = raw, closes
        self.go_on = asyncio.Event() if in_two else None
        self.reused = False
        self.let_go = asyncio.Event()

    async def script(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await read_head(reader)
        if head.startswith(b"GET /mark "):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmark")
            return
        await self._answer(writer)
        try:
            if not self.closes:
                self.reused = b" /mark " in await read_head(reader)
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nmark"
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the gateway closed it
        finally:
            self.let_go.set()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        if self.go_on is None:
            writer.write(self.raw)
            return
        end = self.raw.index(b"\r\n\r\n") + 4
        writer.write(self.raw[:end])
        async with asyncio.timeout(WAIT_S):
            await self.go_on.wait()
        writer.write(self.raw[end:])


class Understood(NamedTuple):
    """What a strict client made of what came; `whole` when it saw the answer's end."""

    status: int
    body: bytes
    lines: tuple[bytes, ...]  # header lines and trailers, names in lower case
    whole: bool
    interim: tuple[int, ...] = ()


async def ask(worker: Gateway, method: bytes, hostile: Hostile) -> Understood:
    """Send a request, and read with h11 until the answer ends or breaks."""
    reader, writer = await worker.connect()
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=200_000)
    client.send(h11.Request(method=method, target="/", headers=[("Host", HOST)]))
    client.send(h11.EndOfMessage())
    writer.write(b"%b / HTTP/1.1\r\nHost: %b\r\n\r\n" % (method, HOST.encode()))
    status, body, interim, lines = 0, b"", [], []
    whole = False
    try:
        async with asyncio.timeout(WAIT_S):
            while not whole:
                event = client.next_event()
                if event is h11.NEED_DATA:
                    client.receive_data(await reader.read(65_536))
                elif isinstance(event, h11.InformationalResponse):
                    interim.append(event.status_code)
                elif isinstance(event, h11.Response):
                    status = event.status_code
                    lines += [bytes(name) + b": " + bytes(value) for name, value in event.headers]
                    if hostile.go_on is not None:
                        hostile.go_on.set()
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    lines += [bytes(name) + b": " + bytes(value) for name, value in event.headers]
                    whole = True
                else:
                    break
    except (h11.RemoteProtocolError, ConnectionError):
        pass  # broken off
    writer.transport.abort()
    return Understood(status, body, tuple(lines), whole, tuple(interim))
