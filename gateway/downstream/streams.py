"""The streams of an HTTP/2 client connection: each is one request, with an exchange of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.downstream.client import Client
from gateway.errors import GatewayError
from gateway.exchange import Exchange
from gateway.http1.request import RequestHead
from gateway.http1.response import ResponseHead
from gateway.http2.answers import (
    GRPC_UNAVAILABLE,
    grpc_status,
    own_answer,
    own_grpc_status,
    own_trailers,
)
from gateway.http2.errors import ErrorCode
from gateway.http2.heads import response_block
from gateway.http2.stream import Stream
from gateway.upstream.lease import Lease

if TYPE_CHECKING:
    from gateway.downstream.h2 import ClientSession


class RequestStream(Stream):
    """A stream that tells its exchange what the client does."""

    exchange: Exchange | None = None

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    def on_request(self, head: RequestHead, ended: bool) -> None:
        del ended  # the head says so
        session = self._session
        session.worker.metrics.worker.h2_streams_begun += 1
        client = CallClient(session, self) if head.is_grpc else StreamClient(session, self)
        exchange = Exchange(session.worker, client, head)
        self.exchange = exchange
        try:
            exchange.begin()
        except GatewayError as error:
            exchange.refuse(error)

    def on_refused(self, error: GatewayError) -> None:
        """Answer for a head that cannot be served; there is no exchange."""
        session = self._session
        session.worker.metrics.worker.refuse(error.answer_status())
        head, body = own_answer(error)
        self.answer(head, body, b"")

    def answer(self, head: ResponseHead, body: bytes, extra: bytes) -> None:
        """Send a whole answer of the gateway's own; `extra` are header lines of ours."""
        core, encoder = self._session.core, self._session.encoder
        core.send_head(self, response_block(encoder, head, extra), ended=not body)
        if body:
            core.send_data(self, body, ended=True)

    def on_data(self, data: bytes, ended: bool) -> None:
        exchange = self.exchange
        if exchange is not None and not exchange.answered:
            exchange.on_request_body(data, b"", ended)

    def on_trailers(self, lines: bytes) -> None:
        exchange = self.exchange
        if exchange is not None and not exchange.answered:
            exchange.on_request_body(b"", lines, True)

    def on_reset(self, code: int, detail: str) -> None:
        del code, detail  # whatever it was, nobody waits for the answer
        exchange, self.exchange = self.exchange, None
        if exchange is not None and not exchange.answered:
            exchange.on_client_gone()

    def on_full(self) -> None:
        if self.exchange is not None:
            self.exchange.client.cannot_write = True
            self.exchange.pause()

    def on_writable(self) -> None:
        if self.exchange is not None:
            self.exchange.client.cannot_write = False
            self.exchange.resume()


class StreamClient(Client):
    """What an exchange answers to."""

    protocol: str = "HTTP/2"
    _sized: bool = False  # the answer has a content-length

    def __init__(self, session: ClientSession, stream: RequestStream) -> None:
        super().__init__(session.hosts)
        self.ip = session.ip
        self.forwarding = session.forwarding
        self._session = session
        self._stream = stream

    def respond(
        self,
        exchange: Exchange,
        head: ResponseHead | None,
        data: bytes,
        trailers: bytes,
        ended: bool,
    ) -> None:
        session, stream = self._session, self._stream
        core = session.core
        if head is not None:
            self._sized = head.length >= 0
            extra = exchange.own_lines() if exchange.adds_lines else b""
            block = response_block(session.encoder, head, extra)
            core.send_head(stream, block, ended=ended and not data and not trailers)
        if trailers:
            core.send_data(stream, data, ended=False)
            core.send_trailers(stream, session.encoder.encode_text(trailers))
        elif data or (ended and stream.is_open):
            core.send_data(stream, data, ended=ended)
        session.schedule()

    def respond_interim(self, head: ResponseHead) -> None:
        session = self._session
        block = response_block(session.encoder, head, b"")
        session.core.send_interim(self._stream, block)
        session.schedule()

    def refuse(self, exchange: Exchange, error: GatewayError) -> None:
        head, body = own_answer(error)
        if exchange.request.method == b"HEAD":
            body = b""
        self._stream.answer(head, body, exchange.why())
        self._session.schedule()

    def cut_short(self, exchange: Exchange, text: bytes) -> None:
        if self._sized:
            self.abort()  # a declared length has no room for it
            return
        self.respond(exchange, None, text, b"", True)
        self.on_answered(exchange)

    def abort(self) -> None:
        """Reset the stream, so that the client sees that the answer is not whole."""
        session = self._session
        self._stream.exchange = None
        session.core.reset(self._stream, ErrorCode.INTERNAL_ERROR)
        session.schedule()

    def on_answered(self, exchange: Exchange) -> None:
        """Leave no cycle behind; the stream may still have data to send."""
        del exchange
        self._stream.exchange = None

    def switch(self, exchange: Exchange, head: ResponseHead, lease: Lease, data: bytes) -> None:
        del exchange, head, lease, data
        raise TypeError("HTTP/2 has no Upgrade")  # heads.py refuses to ask for one

    def pause(self) -> None:
        self._session.core.pause(self._stream)

    def resume(self) -> None:
        self._session.core.resume(self._stream)
        self._session.schedule()


class CallClient(StreamClient):
    """What the exchange of a gRPC call answers to: whether it failed is in the trailers."""

    _head: ResponseHead | None = None

    def respond(
        self,
        exchange: Exchange,
        head: ResponseHead | None,
        data: bytes,
        trailers: bytes,
        ended: bool,
    ) -> None:
        if head is not None:
            self._head = head
        if ended:
            exchange.grpc_status = status = grpc_status(self._head, trailers)
            if exchange.cell is not None:
                exchange.cell.called(status, exchange.status)
        super().respond(exchange, head, data, trailers, ended)

    def refuse(self, exchange: Exchange, error: GatewayError) -> None:
        """A gRPC client reads the error from trailers alone, as Envoy sends them."""
        exchange.grpc_status = status = own_grpc_status(error.answer_status())
        if exchange.cell is not None:
            exchange.cell.called(status, error.answer_status())
        self._stream.answer(own_trailers(error), b"", exchange.why())
        self._session.schedule()

    def cut_short(self, exchange: Exchange, text: bytes) -> None:
        """End it with trailers; it counts as cut, not as a call that was answered."""
        exchange.grpc_status = GRPC_UNAVAILABLE
        trailers = b"grpc-status: %d\r\ngrpc-message: %b\r\n" % (GRPC_UNAVAILABLE, text)
        super().respond(exchange, None, b"", trailers, True)
        self.on_answered(exchange)
