"""One HTTP/1.1 connection to a replica: writes requests, reads answers for its exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from gateway.errors import BadMessage, GatewayError, HeadTooLarge, UpstreamFailed, UpstreamNonsense
from gateway.http1.body import Body, LengthBody, UntilClose
from gateway.http1.response import ResponseHead, read_response
from gateway.upstream.pool import Replica

if TYPE_CHECKING:
    from gateway.exchange import Exchange
    from gateway.worker import Worker


class UpstreamConnection(asyncio.Protocol):
    """A connection is idle in its replica's pool, or belongs to one exchange."""

    __slots__ = (
        "_body",
        "_buffer",
        "_head",
        "_paused",
        "_transport",
        "_worker",
        "exchange",
        "idle_since",
        "is_full",
        "is_silent",
        "replica",
        "reused",
        "write",
    )

    def __init__(self, worker: Worker, replica: Replica) -> None:
        self._worker = worker
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self._buffer = b""
        self._paused = False
        self._head: ResponseHead | None = None
        self._body: Body | None = None
        self.exchange: Exchange | None = None
        self.replica = replica
        self.idle_since = 0.0
        self.reused = False
        self.is_silent = True  # no byte of the answer has come
        self.is_full = False  # what is written waits for the revision to read

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self.write: Callable[[bytes], None] = self._transport.write  # a call less per request
        transport.set_write_buffer_limits(  # type: ignore[attr-defined]
            self._worker.settings.buffer_bytes_high
        )

    def pause(self) -> None:
        """Read no more of the answer: the client does not keep up."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def close(self) -> None:
        """Close at once; the exchange, if any, was told already."""
        self.exchange = None
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether its end was seen; what is written now goes nowhere."""
        return self._transport.is_closing()

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:  # an answer that nobody asked for
            self._leave_pool()
            self.close()
            return
        try:
            if self._body is not None:
                self._feed(exchange, self._body, data, b"")
            else:
                self._read_head(exchange, data)
        except (BadMessage, HeadTooLarge) as error:
            self.is_silent = False
            self._fail(UpstreamNonsense(error.detail))

    def _read_head(self, exchange: Exchange, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        while True:
            settings = self._worker.settings
            end = data.find(b"\r\n\r\n")
            if end > settings.head_bytes_max or (end < 0 and len(data) > settings.head_bytes_max):
                raise HeadTooLarge
            if end < 0:
                self._buffer = data
                self.is_silent = False
                return
            head = read_response(data[:end], self._worker.response_lines, settings)
            data = data[end + 4 :]
            if head.status >= 200:
                break
            self.is_silent = False
            exchange.on_interim(head)
            if self.exchange is not exchange or not data:
                return
        method = exchange.request.method
        if head.length == len(data) and head.is_whole(method):  # a small answer: most are
            first = exchange.response_head(head, sized=True)
            exchange.on_response_end(first, data, b"", reusable=head.keep_alive)
            return
        self._head = head
        body = self._body = head.body(method, settings)
        first = exchange.response_head(head, sized=isinstance(body, LengthBody))
        self._feed(exchange, body, data, first)

    def _feed(self, exchange: Exchange, body: Body, data: bytes, head: bytes) -> None:
        """Pass on what arrived; head and first bytes of the body go in one write."""
        piece, rest = body.feed(data) if data else (b"", b"")
        if not body.done:
            exchange.on_response(head, piece)
            return
        reusable = not rest and self._head is not None and self._head.keep_alive
        self._body = self._head = None
        exchange.on_response_end(head, piece, body.trailers, reusable=reusable)

    def park(self) -> None:
        """Wait in the pool for the next exchange."""
        replica = self.replica
        self.exchange = None
        if (
            replica.retired
            or self.is_full  # the next request would wait behind a body that nobody reads
            or self._transport.is_closing()
            or len(replica.idle) >= self._worker.settings.upstream_idle_connections_max
        ):
            self.close()
            return
        if self._paused:
            self.resume()
        self.idle_since = self._worker.deadlines.now
        self.reused = self.is_silent = True
        replica.idle.append(self)

    def pause_writing(self) -> None:
        self.is_full = True
        if self.exchange is not None:
            self.exchange.client.pause()

    def resume_writing(self) -> None:
        self.is_full = False
        if self.exchange is not None:
            self.exchange.client.resume()

    def eof_received(self) -> bool:
        """End now: the connection is lost only when all that was written is sent, if ever."""
        self.connection_lost(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        exchange = self.exchange
        if exchange is None:
            self._leave_pool()
            return
        body = self._body
        if exc is None and isinstance(body, UntilClose):
            self._body = None
            exchange.on_response_end(b"", b"", b"", reusable=False)
            return
        self._fail(UpstreamFailed(str(exc or "end of stream")))

    def _fail(self, error: GatewayError) -> None:
        exchange = self.exchange
        self.close()
        if exchange is not None:
            exchange.on_upstream_failed(error)

    def _leave_pool(self) -> None:
        with suppress(ValueError):
            self.replica.idle.remove(self)
