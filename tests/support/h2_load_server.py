"""A small HTTP/2 server that answers each request with the frames that it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import hpack

from tests.support.h2frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PREFACE,
    SETTINGS,
    block,
    frame,
    frames,
)

# The number of the request, from 0, and its stream; None cuts the connection.
Answering = Callable[[int, int], bytes | None]


def reply(stream: int, *headers: tuple[str, str], body: bytes = b"", status: str = "200") -> bytes:
    """Return an answer of two or three frames."""
    head = frame(HEADERS, END_HEADERS, stream, block((":status", status), *headers))
    return head + frame(DATA, END_STREAM, stream, body)


def grpc_reply(stream: int, text: str, revision: str = "hello-00001") -> bytes:
    """Return what a unary call is answered with."""
    message = b"\x0a" + bytes([len(text)]) + text.encode()
    return (
        frame(HEADERS, END_HEADERS, stream, block((":status", "200"), ("knary-revision", revision)))
        + frame(DATA, 0, stream, bytes(4) + bytes([len(message)]) + message)
        + frame(HEADERS, END_HEADERS | END_STREAM, stream, block(("grpc-status", "0")))
    )


def grpc_refusal(stream: int, status: int, why: str) -> bytes:
    """Return an answer of trailers only."""
    told = block((":status", "200"), ("grpc-status", str(status)), ("grpc-message", why))
    return frame(HEADERS, END_HEADERS | END_STREAM, stream, told)


@dataclass
class H2Server:
    """Where it listens, and what it was asked."""

    port: int = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0


class _Connection(asyncio.Protocol):
    def __init__(self, server: H2Server, answering: Answering) -> None:
        self._server, self._answering = server, answering
        self._received = b""
        self._decoder = hpack.Decoder()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections += 1
        transport.write(frame(SETTINGS, 0, 0))

    def data_received(self, data: bytes) -> None:
        self._received = (self._received + data).removeprefix(PREFACE)
        whole = 0
        while len(self._received) - whole >= 9:
            end = whole + 9 + int.from_bytes(self._received[whole : whole + 3], "big")
            if end > len(self._received):
                break
            whole = end
        taken, self._received = self._received[:whole], self._received[whole:]
        for kind, flags, stream, payload in frames(taken):
            if kind == HEADERS:
                self._server.asked.append(dict(self._decoder.decode(payload)))
            elif kind == DATA:
                self._server.bodies.append(payload)
            if kind in (HEADERS, DATA) and flags & END_STREAM:
                self._answer(stream)

    def _answer(self, stream: int) -> None:
        told = self._answering(len(self._server.asked) - 1, stream)
        if told is None:
            self._transport.abort()
        else:
            self._transport.write(told)


@contextlib.asynccontextmanager
async def h2_server(answering: Answering) -> AsyncIterator[H2Server]:
    """Serve on a free loopback port until the block ends."""
    found = H2Server()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(found, answering), "127.0.0.1", 0
    )
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()
