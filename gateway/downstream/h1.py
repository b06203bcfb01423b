"""One HTTP/1.1 client connection: cuts its bytes into requests, one exchange after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.downstream.answers import answer_head, is_sized, refusal, too_large
from gateway.downstream.client import break_off
from gateway.downstream.h2 import ClientSession
from gateway.downstream.tunnel import open_tunnel
from gateway.downstream.watched import WatchedClient
from gateway.errors import BadMessage, GatewayError
from gateway.exchange import Exchange
from gateway.forwarding import forwarding_lines, response_head, switching_head, usual_response_head
from gateway.http1.body import Body
from gateway.http1.repeated import RepeatedLines
from gateway.http1.request import read_request
from gateway.http1.response import ResponseHead
from gateway.http1.start import PREFACE, after_empty_lines, check_start
from gateway.upstream.h1 import UpstreamConnection
from gateway.upstream.lease import Lease

if TYPE_CHECKING:
    from gateway.hosts import HostTable
    from gateway.worker import Worker

_PREFACE_END = 14  # of its part that looks like a head
_CR = 0x0D


class ClientConnection(WatchedClient):
    """Reads a head, lets its exchange run, reads on. Bytes ahead of their turn wait, bounded."""

    def __init__(self, worker: Worker, hosts: HostTable) -> None:
        super().__init__(worker, hosts)
        self._repeated = RepeatedLines()
        self._chunked_down = False  # the answer under way goes out in chunks
        self._until_close = False  # only closing ends it
        self._is_new = True  # no request has begun
        self._half_closed = False  # the client sends no more, but reads
        self._discarded = 0
        self._held = False  # the exchange asked to read no more
        self._reading = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        worker = self._worker
        self._transport = transport  # type: ignore[assignment]
        self._write: Callable[[bytes], None] = self._transport.write  # a call less per answer
        peer = transport.get_extra_info("peername")
        self.ip = peer[0] if isinstance(peer, tuple) else "127.0.0.1"
        self.forwarding = forwarding_lines(self.ip)
        self._transport.set_write_buffer_limits(worker.settings.buffer_bytes_high)
        worker.deadlines.connections.add(self)
        worker.metrics.worker.connections_accepted += 1
        if len(worker.deadlines.connections) > worker.settings.connections_max:
            worker.metrics.worker.connections_refused += 1
            self._transport.abort()

    # Reading.

    def data_received(self, data: bytes) -> None:
        if self._body is not None:
            self._read_body(self._body, data)
        elif self.exchange is not None:  # pipelined: it waits for its turn
            self._buffer += data
            if len(self._buffer) > self._worker.settings.pipelined_bytes_max:
                self._flow()
        elif self._closing:
            self._discard(len(data), ended=False)
        else:
            end = len(data) - 4
            is_whole = end > _PREFACE_END and data.find(b"\r\n\r\n") == end
            if is_whole and not self._buffer and data[0] != _CR:
                self._begin(data, end)  # one head and nothing else: most reads are
            else:
                self._read_requests(self._buffer + data if self._buffer else data)

    def _read_requests(self, data: bytes) -> None:
        """Begin the exchange of each whole head in `data`, until one is under way."""
        self._reading = True
        checked = len(self._buffer)  # of a head that comes in pieces
        while data and self.exchange is None and not self._closing:
            if data.startswith(b"\r\n"):
                data = after_empty_lines(data)
                checked = 0
            end = data.find(b"\r\n\r\n")
            if end < 0 and len(data) <= self._worker.settings.head_bytes_max:
                try:
                    check_start(data, checked)
                except GatewayError as error:
                    self._refuse_bytes(error)
                    return
                if not checked:
                    self._since = self._worker.loop.time()
                break
            if end == _PREFACE_END and self._is_preface(data):
                self._hand_over(data)
                return
            self._begin(data, end)
            data, checked = self._buffer, 0
        self._buffer = data
        self._reading = False
        if data and len(data) > self._worker.settings.pipelined_bytes_max:
            self._flow()

    def _is_preface(self, data: bytes) -> bool:
        """Tell whether the client speaks HTTP/2: only its first bytes can say so (RFC 9113 3.4)."""
        return self._is_new and data.startswith(PREFACE[: _PREFACE_END + 4])

    def _hand_over(self, data: bytes) -> None:
        """Leave the connection to HTTP/2."""
        self._worker.deadlines.connections.discard(self)
        ClientSession(self._worker, self, self._transport).data_received(data)

    def _begin(self, data: bytes, end: int) -> None:
        """Begin the exchange of the head that ends there; the buffer is what follows it."""
        worker = self._worker
        settings = worker.settings
        self._is_new = False
        try:
            if end < 0 or end > settings.head_bytes_max:
                raise too_large(data, settings.request_line_bytes_max)
            request = read_request(data[:end], worker.request_lines, settings, self._repeated)
            self._buffer = data[end + 4 :]
            exchange = Exchange(worker, self, request)
            if not exchange.request_ended:
                body = request.body(settings)
                piece, self._buffer = body.feed(self._buffer)
                self._body = None if body.done else body
                self._sends.rest()
                exchange.on_request_body(piece, body.trailers, body.done)
        except GatewayError as error:
            self._refuse_bytes(error)
            return
        self.exchange = exchange
        try:
            exchange.begin()
        except GatewayError as error:
            exchange.refuse(error)

    def _read_body(self, body: Body, data: bytes) -> None:
        exchange = self.exchange
        try:
            piece, rest = body.feed(data)
        except GatewayError as error:
            self._break_body(exchange, error)
            return
        if body.done:
            self._body = None
            self._buffer = rest
        if exchange is None or exchange.answered:
            self._discard(len(data), ended=body.done)
        elif piece or body.done:
            exchange.on_request_body(piece, body.trailers, body.done)

    def _discard(self, size: int, *, ended: bool) -> None:
        """Read and forget what follows an early answer or a refusal, so that it can be read.

        A socket that is closed with unread bytes resets the connection, and the answer is lost.
        """
        self._discarded += size
        if ended or self._discarded > self._worker.settings.unread_body_bytes_max:
            self._transport.close()

    def _break_body(self, exchange: Exchange | None, error: GatewayError) -> None:
        self._body = self.exchange = None
        if exchange is None or exchange.answered:
            self._transport.close()  # it has its answer already
            return
        exchange.on_client_gone()
        if exchange.response_started:
            self.abort()
        else:
            self._refuse_bytes(error)

    # Writing.

    def respond(
        self,
        exchange: Exchange,
        head: ResponseHead | None,
        data: bytes,
        trailers: bytes,
        ended: bool,
    ) -> None:
        """Head and first bytes of the body go in one write."""
        first = b""
        if head is not None:
            request = exchange.request
            stays = request.keep_alive and exchange.request_ended and not self._worker.draining
            if stays and head.length >= 0 and request.is_http11 and not exchange.adds_lines:
                self._chunked_down = self._until_close = False
                self._write((head.written or usual_response_head(head)) + data)
                return
            first = self._response_head(exchange, head, stays)
        if self._chunked_down:
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            if ended:
                data += b"0\r\n%b\r\n" % trailers
        if first or data:
            self._write(first + data)

    def _response_head(self, exchange: Exchange, head: ResponseHead, stays: bool) -> bytes:
        """Return the head for the client, and settle how the body is framed there."""
        request = exchange.request
        sized = is_sized(head, request)
        self._chunked_down = not sized and request.is_http11
        self._until_close = not sized and not request.is_http11
        # Not after an early answer, or with a body that only closing can end.
        request.keep_alive = stays and not self._until_close
        extra = exchange.own_lines() if exchange.adds_lines else b""
        return answer_head(head, request, chunked=self._chunked_down, extra=extra)

    def respond_interim(self, head: ResponseHead) -> None:
        request = self.exchange.request if self.exchange is not None else None
        if request is not None and request.is_http11:
            self._write(response_head(head, chunked=False, connection=b""))

    def refuse(self, exchange: Exchange, error: GatewayError) -> None:
        request = exchange.request
        untrusted = isinstance(error, BadMessage)  # what follows it, too (RFC 9112 6.3)
        if untrusted or not exchange.request_ended or self._worker.draining:
            request.keep_alive = False
        with_body, close = request.method != b"HEAD", not request.keep_alive
        self._write(refusal(error, with_body=with_body, close=close, extra=exchange.why()))

    def cut_short(self, exchange: Exchange, text: bytes) -> None:
        if not self._chunked_down and not self._until_close:
            self.abort()  # a declared length has no room for it
            return
        self.respond(exchange, None, text, b"", True)
        self.on_answered(exchange)

    def switch(self, exchange: Exchange, head: ResponseHead, lease: Lease, data: bytes) -> None:
        if not isinstance(lease, UpstreamConnection):
            raise TypeError("only an HTTP/1.1 connection can become a tunnel")
        early, self._buffer = self._buffer, b""
        self._held = False
        self._flow()
        lease.detach()
        here, there = open_tunnel(exchange, self._transport, lease.transport, self._forget)
        self._write(switching_head(head, exchange.own_lines() if exchange.adds_lines else b""))
        there.begin(data, ended=False)
        here.begin(early, ended=self._half_closed)

    def _refuse_bytes(self, error: GatewayError) -> None:
        """Answer what is no request, and close: what follows cannot be trusted (RFC 9112 6.3)."""
        self._buffer, self._closing, self._reading = b"", True, False
        self._worker.metrics.worker.refuse(error.answer_status())
        self._write(refusal(error, with_body=True, close=True))
        self._linger()

    def _linger(self) -> None:
        """Say that no more comes, and read on for a while: see `_discard` and `check`."""
        self._since = self._worker.deadlines.now
        if self._half_closed:
            self._transport.close()
            return
        self._transport.write_eof()
        self._held = False
        self._flow()

    def on_answered(self, exchange: Exchange) -> None:
        """The answer is written: close, or begin the next request."""
        if exchange is not self.exchange:
            return
        self._held = False
        if self._body is not None:  # answered before the request's end
            self._closing = True
            self._linger()
            return
        self.exchange = None
        request = exchange.request
        # What followed a request to upgrade was meant for a tunnel, and is no request.
        if not request.keep_alive or self._closing or (self._buffer and request.upgrade):
            self._closing = True
            self._transport.close()
            return
        self._since = self._worker.deadlines.now
        if self._buffer or self._paused or self._half_closed:
            self._go_on()

    def _go_on(self) -> None:
        """Begin the request that waited, read on, or end with the client's half."""
        if self._buffer and not self._reading:
            self._read_requests(self._buffer)
        if self._paused:
            self._flow()
        if self._half_closed and not self._reading:
            self._end_half_closed()

    def abort(self) -> None:
        """Break the connection, so that the client sees that the answer is not whole."""
        self._closing = True
        if self.exchange is not None:
            self.exchange.cut_tunnel()
        break_off(self._transport, unframed=self._until_close)

    def reset(self) -> None:
        self._until_close = True  # which only a reset does not end
        self.abort()

    # Flow: reading stops while the revision cannot take more, or a request waits for its turn.

    def pause(self) -> None:
        self._held = True
        self._flow()

    def resume(self) -> None:
        if self._held:
            self._held = False
            self._flow()

    def _flow(self) -> None:
        """Read on, unless the exchange holds the client back or enough was read ahead of it."""
        ahead = len(self._buffer) > self._worker.settings.pipelined_bytes_max
        paused = self._held or (ahead and self.exchange is not None)
        if paused is self._paused or self._transport.is_closing():
            return
        self._paused = paused
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self.cannot_write = True
        if self.exchange is not None:
            self.exchange.pause()

    def resume_writing(self) -> None:
        self.cannot_write = False
        if self.exchange is not None:
            self.exchange.resume()

    # The end.

    def eof_received(self) -> bool:
        """A client that sent its requests and then closed its half still gets the answers."""
        if self.exchange is None or self._body is not None:
            return False
        self._half_closed = True
        if not self._buffer:
            self.exchange.request.keep_alive = False
        return True

    def _end_half_closed(self) -> None:
        """Close when nothing whole is left to answer."""
        if self.exchange is None or self._body is not None:
            self._closing = True
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # gone is gone
        exchange = self.exchange
        self._forget()
        if exchange is not None and not exchange.answered:
            exchange.on_client_gone()

    def _forget(self) -> None:
        self._closing = True
        self.exchange = None
        self._worker.forget(self)
