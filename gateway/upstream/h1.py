"""One HTTP/1.1 connection to a replica: writes requests, reads answers for its exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from gateway.errors import BadMessage, GatewayError, HeadTooLarge, UpstreamFailed, UpstreamNonsense
from gateway.forwarding import request_head
from gateway.http1.body import Body, UntilClose
from gateway.http1.response import ResponseHead
from gateway.http1.start import check_answer_start
from gateway.upstream.lease import Lease
from gateway.upstream.networks import open_transport
from gateway.upstream.pool import Replica

if TYPE_CHECKING:
    from gateway.exchange import Exchange
    from gateway.worker import Worker

_LAST_CHUNK = b"0\r\n"


async def connect(worker: Worker, replica: Replica) -> UpstreamConnection:
    """Return a new connection. Raise OSError."""
    connection = UpstreamConnection(worker, replica)
    try:
        await open_transport(
            worker, replica, cast("Callable[[], asyncio.BaseProtocol]", lambda: connection)
        )
    except BaseException:
        connection.forget()  # cancelled when it was just made: uvloop tells it of no end
        raise
    return connection


class UpstreamConnection(Lease):
    """A connection is idle in its replica's pool, or belongs to one exchange."""

    def __init__(self, worker: Worker, replica: Replica) -> None:
        super().__init__(replica)
        self._worker = worker
        self._settings = worker.settings
        self._responses = worker.responses
        self.transport: asyncio.Transport = None  # type: ignore[assignment]
        self._buffer = b""
        self._paused = False
        self._head: ResponseHead | None = None
        self._body: Body | None = None
        self._interim_heads = 0
        self._is_counted = False
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._write: Callable[[bytes], None] = self.transport.write  # a call less per request
        self.transport.set_write_buffer_limits(self._settings.buffer_bytes_high)
        self._worker.upstream_connections += 1
        self._is_counted = True

    # The way up.

    def begin(self, exchange: Exchange) -> None:
        """Head and first body bytes go in one write."""
        request, client = exchange.request, exchange.client
        head = request_head(request, client.ip, client.forwarding, exchange.target.rules)
        if request.chunked or exchange.early:
            head += _framed(
                exchange.early, exchange.early_trailers, exchange.request_ended, request.chunked
            )
        self._write(head)

    def send_body(self, data: bytes, trailers: bytes, ended: bool) -> None:
        exchange = self.exchange
        if exchange is not None:
            data = _framed(data, trailers, ended, exchange.request.chunked)
            if data:
                self._write(data)

    def pause_writing(self) -> None:
        self.is_full = True
        if self.exchange is not None:
            self.exchange.client.pause()

    def resume_writing(self) -> None:
        self.is_full = False
        if self.exchange is not None:
            self.exchange.client.resume()

    # The way back.

    def pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if self._paused:
            self._paused = False
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:  # an answer that nobody asked for
            self._leave_pool()
            self.abandon()
            return
        try:
            if self._body is not None:
                self._feed(exchange, self._body, None, data)
            else:
                self._read_head(exchange, data)
        except (BadMessage, HeadTooLarge) as error:
            self.is_silent = False
            self._fail(UpstreamNonsense(error.detail))

    def _read_head(self, exchange: Exchange, data: bytes) -> None:
        checked = len(self._buffer)
        if checked:
            data = self._buffer + data
            self._buffer = b""
        settings = self._settings
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0 or end > settings.head_bytes_max:
                self._wait_for_head(data, checked, end)
                return
            head = self._responses.read(data[:end])
            data = data[end + 4 :]
            # A small answer: most are. An interim one has no length.
            if head.length == len(data) and head.is_whole(exchange.request.method):
                exchange.on_response(head, data, b"", True, head.keep_alive)
                return
            if head.status >= 200:
                break
            checked = 0
            if not self._interim(exchange, head, data) or not data:
                return
        self._head = head
        body = self._body = head.body(exchange.request.method, settings)
        self._feed(exchange, body, head, data)

    def _wait_for_head(self, data: bytes, checked: int, end: int) -> None:
        """Keep a head that is not whole. Raise HeadTooLarge, or BadMessage for what is none."""
        if end >= 0 or len(data) > self._settings.head_bytes_max:
            raise HeadTooLarge
        check_answer_start(data, checked)
        self._buffer = data
        self.is_silent = False

    def _interim(self, exchange: Exchange, head: ResponseHead, data: bytes) -> bool:
        """Pass on a 1xx; tell whether an answer is still to come here."""
        self.is_silent = False
        self._interim_heads += 1
        if self._interim_heads > self._settings.interim_heads_max:
            raise BadMessage("too many interim answers")
        if head.status != 101:
            exchange.on_interim(head)
        elif not exchange.on_switch(head, data):
            raise BadMessage("a 101 that nobody asked for")
        return head.status != 101 and self.exchange is exchange

    def _feed(self, exchange: Exchange, body: Body, head: ResponseHead | None, data: bytes) -> None:
        piece, rest = body.feed(data) if data else (b"", b"")
        if not body.done:
            exchange.on_response(head, piece, b"", False, False)
            return
        reusable = not rest and self._head is not None and self._head.keep_alive
        self._body = self._head = None
        exchange.on_response(head, piece, body.trailers, True, reusable)

    # The end.

    def finish(self, reusable: bool) -> None:
        """Wait in the pool for the next exchange, or close."""
        replica = self.replica
        self.exchange = None
        if (
            not reusable
            or replica.retired
            or self.is_full  # the next request would wait behind a body that nobody reads
            or len(replica.idle) >= self._settings.upstream_idle_connections_max
        ):
            self.abandon()
            return
        # One that is closing by now is found out when it is to be used again.
        if self._paused:
            self.resume()
        if self._interim_heads:
            self._interim_heads = 0
        self.idle_since = self._worker.deadlines.now
        self.reused = self.is_silent = True
        if not replica.idle:
            self._worker.pools[replica] = None
        replica.idle.append(self)

    def abandon(self) -> None:
        """Close at once; the exchange, if any, was told already."""
        self.exchange = None
        self.transport.abort()

    def is_closing(self) -> bool:
        """Tell whether its end was seen; what is written now goes nowhere."""
        return self.transport.is_closing()

    def detach(self) -> None:
        """Let go of the transport: it is part of a tunnel now."""
        self.exchange = None
        self.forget()

    def forget(self) -> None:
        """Count it no more."""
        if self._is_counted:
            self._is_counted = False
            self._worker.upstream_connections -= 1

    def eof_received(self) -> bool:
        """End now: the connection is lost only when all that was written is sent, if ever."""
        self._end(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.forget()
        self._end(exc)

    def _end(self, exc: Exception | None) -> None:
        exchange = self.exchange
        if exchange is None:
            self._leave_pool()
            return
        if exc is None and isinstance(self._body, UntilClose):
            self._body = None
            exchange.on_response(None, b"", b"", True, False)
            return
        self._fail(UpstreamFailed(str(exc or "end of stream")))

    def _fail(self, error: GatewayError) -> None:
        exchange = self.exchange
        self.abandon()
        if exchange is not None:
            exchange.on_upstream_failed(error)

    def _leave_pool(self) -> None:
        with suppress(ValueError):
            self.replica.idle.remove(self)


def _framed(data: bytes, trailers: bytes, ended: bool, chunked: bool) -> bytes:
    """Return a part of a body in framing of our own."""
    if not chunked:
        return data
    framed = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
    return b"%b%b%b\r\n" % (framed, _LAST_CHUNK, trailers) if ended else framed
