"""One h2c connection to a replica: its streams are leases, as many at a time as both sides like."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from gateway.errors import GatewayError, UpstreamFailed, UpstreamNonsense
from gateway.forwarding import forwarded_lines, upstream_lines
from gateway.http1.response import ResponseHead
from gateway.http2.client import LAST_STREAM_ID, ClientConnection
from gateway.http2.connection import BY_PEER
from gateway.http2.errors import ConnectionFailure, ErrorCode
from gateway.http2.heads import request_block, request_framing
from gateway.http2.stream import Stream
from gateway.session import Session
from gateway.upstream.lease import Lease
from gateway.upstream.networks import open_transport
from gateway.upstream.pool import Replica

if TYPE_CHECKING:
    from gateway.exchange import Exchange
    from gateway.worker import Worker


async def connect_session(worker: Worker, replica: Replica) -> StreamLease:
    """Return a stream of a new connection, once the revision has said how many it takes.

    Raise OSError, or UpstreamNonsense when it does not speak HTTP/2.
    """
    session = UpstreamSession(worker, replica)
    try:
        await open_transport(
            worker, replica, cast("Callable[[], asyncio.BaseProtocol]", lambda: session)
        )
    except BaseException:
        session.forget()  # cancelled when it was just made: uvloop tells it of no end
        raise
    try:
        await session.settled
    except BaseException:
        session.transport.abort()
        raise
    failure = session.core.failure
    if failure is not None and failure.code != ErrorCode.CONNECT_ERROR:
        raise UpstreamNonsense(failure.detail)
    return session.lease()


class UpstreamSession(Session):
    """A connection to a replica. It is used until one of the two sides goes away."""

    def __init__(self, worker: Worker, replica: Replica) -> None:
        self._client = ClientConnection(
            worker.http2, worker.vocabulary.responses, worker.deadlines.now
        )
        super().__init__(worker, self._client)
        self.replica = replica
        self.settled: asyncio.Future[None] = worker.loop.create_future()  # or lost
        self.has_answered = False
        self._is_lost = False
        self._retired = False
        self._heard_at = worker.deadlines.now
        self._quiet_since = worker.deadlines.now

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.set_write_buffer_limits(self.worker.settings.buffer_bytes_high)
        self.worker.upstream_connections += 1
        self.worker.sessions[self] = None
        self.replica.sessions.append(self)
        self.schedule()

    @property
    def can_open(self) -> bool:
        """Tell whether it takes one more request now."""
        client = self._client
        if self._retired or not client.is_settled or not client.can_open:
            return False
        return not self.transport.is_closing()

    @property
    def is_leaving(self) -> bool:
        """Tell whether it takes no more requests, ever."""
        core = self.core
        if self._retired or core.going_away or core.failure is not None:
            return True
        return core.last_id >= LAST_STREAM_ID

    @property
    def is_idle(self) -> bool:
        return not self.core.streams

    def lease(self) -> StreamLease:
        """Return a stream for one request, if `can_open`; it begins with its exchange."""
        return StreamLease(self)

    def open(self, stream: Stream, block: bytes, *, ended: bool) -> None:
        """Begin a request."""
        self._client.open(stream, block, ended=ended)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.worker.deadlines.now
        self.read(data)
        if not self.settled.done() and (self.core.is_settled or self.core.failure is not None):
            self.settled.set_result(None)

    def on_written(self) -> None:
        if self.is_leaving and not self.core.streams:  # a failure leaves none
            self.transport.close()

    def on_room(self) -> None:
        """A stream is over: another may begin."""
        self.schedule()  # it may have been the last one
        self.replica.backend.wake_one()

    # The end.

    def retire(self) -> None:
        """Take no more requests, and close when those under way are answered."""
        self._retired = True
        self.schedule()

    def eof_received(self) -> bool:
        """End now: the connection is lost only when all that was written is sent, if ever."""
        self._lose("end of stream")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(str(exc or "end of stream"))

    def forget(self) -> None:
        """Count it no more, if it was made at all."""
        if self in self.worker.sessions:
            self._lose("cancelled")
            self.core.sender.take()  # to nowhere

    def _lose(self, why: str) -> None:
        if not self._is_lost:
            self._is_lost = True
            self.worker.upstream_connections -= 1
            self.replica.sessions.remove(self)
            del self.worker.sessions[self]
            self.core.lose(why)
            if not self.settled.done():
                self.settled.set_result(None)

    def check(self, now: float) -> None:
        """Close it when it is idle for long; ask a silent one whether it is still there."""
        limits, core = self.worker.http2, self.core
        core.now = now
        if not core.settings_acked and now - core.begun_at > limits.settings_ack_s_max:
            self._fail(ErrorCode.SETTINGS_TIMEOUT, "SETTINGS were not acknowledged in time")
        elif core.block_since >= 0 and now - core.block_since > limits.header_block_s_max:
            self._fail(ErrorCode.ENHANCE_YOUR_CALM, "a header block that does not end")
        elif core.ping_sent_at >= 0:
            if now - max(core.ping_sent_at, self._heard_at) > limits.ping_ack_s_max:
                self._fail(ErrorCode.NO_ERROR, "a PING was not answered in time")
        elif core.streams:
            self._quiet_since = now
            if now - self._heard_at > limits.ping_interval_s:
                core.ask_alive()
                self.schedule()
        elif now - self._quiet_since > limits.upstream_idle_s_max:
            self.retire()

    def _fail(self, code: ErrorCode, detail: str) -> None:
        self.core.fail(ConnectionFailure(code, detail))
        self.schedule()


class AnswerStream(Stream):
    """A stream that tells its lease what the revision does."""

    lease: StreamLease | None = None

    def on_interim(self, head: ResponseHead) -> None:
        if self.lease is not None:
            self.lease.on_interim(head)

    def on_response(self, head: ResponseHead, ended: bool) -> None:
        if self.lease is not None:
            self.lease.on_response(head, ended)

    def on_data(self, data: bytes, ended: bool) -> None:
        lease = self.lease
        if lease is not None and lease.exchange is not None and (data or ended):
            lease.exchange.on_response(None, data, b"", ended, True)

    def on_trailers(self, lines: bytes) -> None:
        lease = self.lease
        if lease is not None and lease.exchange is not None:
            lease.exchange.on_response(None, b"", lines, True, True)

    def on_reset(self, code: int, detail: str) -> None:
        if self.lease is not None:
            self.lease.on_reset(code, detail)

    def on_full(self) -> None:
        lease = self.lease
        if lease is not None and lease.exchange is not None:
            lease.is_full = True
            lease.exchange.client.pause()

    def on_writable(self) -> None:
        lease = self.lease
        if lease is not None and lease.exchange is not None:
            lease.is_full = False
            lease.exchange.client.resume()


class StreamLease(Lease):
    """One stream, for one exchange. Until the answer begins it keeps what it sent, within bounds:

    a revision that refuses to look at a request leaves it to be sent again (RFC 9113 8.7).
    """

    def __init__(self, session: UpstreamSession) -> None:
        super().__init__(session.replica)
        self.reused = session.has_answered
        self._session = session
        self._stream = AnswerStream()
        self._sent: list[bytes] | None = []
        self._sent_bytes = 0
        self._trailers = b""
        self._interim_heads = 0

    def begin(self, exchange: Exchange) -> None:
        session, stream = self._session, self._stream
        stream.lease = self
        request, client, rules = exchange.request, exchange.client, exchange.target.rules
        encoder = session.encoder
        block = request_block(
            encoder, request.method, request.target, rules.host or request.host
        ) + encoder.encode(upstream_lines(request, rules))
        block += encoder.encode_text(forwarded_lines(request, client.ip, client.forwarding))
        if rules.lines:
            block += encoder.encode_text(rules.lines)
        block += request_framing(request)
        stream.bodiless = request.method == b"HEAD"
        bare = exchange.request_ended and not exchange.early and not exchange.early_trailers
        session.open(stream, block, ended=bare)
        if not bare:
            self.send_body(exchange.early, exchange.early_trailers, exchange.request_ended)
        session.schedule()

    def send_body(self, data: bytes, trailers: bytes, ended: bool) -> None:
        session, stream = self._session, self._stream
        if self._sent is not None:
            self._keep(data, trailers)
        if data or (ended and not trailers):
            session.core.send_data(stream, data, ended=ended and not trailers)
        if trailers:
            session.core.send_trailers(stream, session.encoder.encode_text(trailers))
        session.schedule()

    def _keep(self, data: bytes, trailers: bytes) -> None:
        self._sent_bytes += len(data)
        self._trailers = trailers
        if self._sent_bytes > self._session.worker.http2.replay_bytes_max:
            self._sent = None
        elif self._sent is not None:
            self._sent.append(data)

    def on_interim(self, head: ResponseHead) -> None:
        """Pass on a 1xx, within bounds."""
        self.is_silent = False
        self._interim_heads += 1
        if self._interim_heads > self._session.worker.settings.interim_heads_max:
            self._session.core.reset(self._stream, ErrorCode.ENHANCE_YOUR_CALM)
            self._fail(UpstreamNonsense("too many interim answers"))
        elif self.exchange is not None:
            self.exchange.on_interim(head)

    def on_response(self, head: ResponseHead, ended: bool) -> None:
        """The answer begins: nothing will be sent again."""
        self.is_silent = False
        self._sent = None
        self._session.has_answered = True
        if self.exchange is not None:
            self.exchange.on_response(head, b"", b"", ended, True)

    def on_reset(self, code: int, detail: str) -> None:
        """Send the request again if the revision refused to look at it, else it failed."""
        exchange, sent = self.exchange, self._sent
        if code == ErrorCode.REFUSED_STREAM and sent is not None and exchange is not None:
            self._let_go()
            exchange.on_upstream_refused(b"".join(sent), self._trailers)
        elif detail == BY_PEER or code in {ErrorCode.CONNECT_ERROR, ErrorCode.REFUSED_STREAM}:
            self._fail(UpstreamFailed(detail))
        else:
            self._fail(UpstreamNonsense(detail))

    def _fail(self, error: GatewayError) -> None:
        exchange = self.exchange
        self._let_go()
        if exchange is not None:
            exchange.on_upstream_failed(error)

    def pause(self) -> None:
        self._session.core.pause(self._stream)

    def resume(self) -> None:
        self._session.core.resume(self._stream)
        self._session.schedule()

    # The end.

    def finish(self, reusable: bool) -> None:
        """The answer is whole; what is left of the request, if anything, is of no use."""
        del reusable
        stream = self._stream
        self._let_go()
        if stream.is_open and not stream.local_ended:
            self._session.core.reset(stream, ErrorCode.CANCEL)

    def abandon(self) -> None:
        """Tell the revision that nobody waits for the answer."""
        self._let_go()
        self._session.core.reset(self._stream, ErrorCode.CANCEL)

    def _let_go(self) -> None:
        """Leave no cycle behind."""
        self.exchange = None
        self._stream.lease = None
        self._session.on_room()

    def is_closing(self) -> bool:
        return not self._session.can_open
