"""One HTTP/2 client connection (h2c, prior knowledge): reads, writes, waits, ends.

Its streams are in `streams`; what frames mean is in `gateway.http2`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from gateway.downstream.client import Client
from gateway.downstream.streams import RequestStream
from gateway.http2.errors import ConnectionFailure, ErrorCode
from gateway.http2.server import ServerConnection
from gateway.http2.stream import Stream
from gateway.session import Session

if TYPE_CHECKING:
    from gateway.worker import Worker


class ClientSession(Session):
    """A connection whose streams each have an exchange of their own."""

    def __init__(self, worker: Worker, client: Client, transport: asyncio.Transport) -> None:
        """Take over from an HTTP/1.1 connection that was greeted with HTTP/2's preface."""
        now = worker.deadlines.now
        self._server = ServerConnection(
            worker.http2,
            worker.vocabulary.requests,
            self._accept,
            worker.settings.request_line_bytes_max,
            now,
        )
        super().__init__(worker, self._server)
        self.hosts = client.hosts
        self.ip = client.ip
        self.forwarding = client.forwarding
        self._ends_at = 0.0  # when it is cut, once it ends
        self._discarded = 0
        self._quiet_since = now
        self._draining_since = -1.0
        self.transport = transport
        transport.set_protocol(cast("asyncio.Protocol", self))
        worker.deadlines.connections.add(self)
        worker.metrics.worker.h2_connections_accepted += 1
        worker.metrics.worker.h2_connections_open += 1
        if worker.draining:
            self.drain()

    def _accept(self) -> Stream:
        return RequestStream(self)

    def data_received(self, data: bytes) -> None:
        if not self._ends_at:
            self.read(data)
            return
        self._discarded += len(data)
        if self._discarded > self.worker.settings.unread_body_bytes_max:
            self.transport.abort()

    def on_written(self) -> None:
        if self.stopped_at:
            self._bound_unread()
        if (self.core.failure is not None or self._server.is_drained) and not self._ends_at:
            self._end()

    def _bound_unread(self) -> None:
        """Cut a client that reads nothing and makes us write all the same."""
        most = self.worker.settings.buffer_bytes_high + self.worker.http2.unread_bytes_max
        if self.transport.get_write_buffer_size() > most:
            self.transport.abort()

    def _end(self) -> None:
        """Say that no more comes, and read on for a while, so that it can be read.

        A socket that is closed with unread bytes resets the connection, and the GOAWAY is lost.
        """
        self._ends_at = self.worker.loop.time() + self.worker.settings.head_s_max
        if not self.transport.is_closing():
            self.transport.write_eof()

    # The end.

    def eof_received(self) -> bool:
        """The client has gone: nobody would hear the answers."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc  # gone is gone
        self.core.lose("the client's connection closed")
        self.worker.metrics.worker.h2_connections_open -= 1
        self.worker.forget(self)

    def abort(self) -> None:
        """Break the connection."""
        self.transport.abort()

    def drain(self) -> None:
        """Take what is on its way, and let it end."""
        self._draining_since = self.worker.loop.time()
        self._server.drain()
        self.schedule()

    # Waits.

    def check_requests(self, now: float, tick_s: float) -> None:
        core = self.core
        core.now = now
        for stream in list(core.streams.values()):
            exchange = cast("RequestStream", stream).exchange
            if exchange is not None and not exchange.answered:
                exchange.check(now, tick_s)
        if 0 <= self._draining_since < now - self.worker.settings.drain_idle_s_max:
            self._server.take_no_more()
            self.schedule()

    def check(self, now: float) -> None:
        """End the connection when its client lets us wait for too long."""
        limits, core = self.worker.http2, self.core
        if self._ends_at:
            if now > self._ends_at:
                self.transport.abort()
        elif self.stopped_at and now - self.stopped_at > limits.write_stalled_s_max:
            self.transport.abort()
        elif not core.settings_acked and now - core.begun_at > limits.settings_ack_s_max:
            self._fail(ErrorCode.SETTINGS_TIMEOUT, "SETTINGS were not acknowledged in time")
        elif core.block_since >= 0 and now - core.block_since > limits.header_block_s_max:
            self._fail(ErrorCode.ENHANCE_YOUR_CALM, "a header block that does not end")
        elif core.streams:
            self._quiet_since = now
            self._check_stalled(now)
        elif now - self._quiet_since > self.worker.settings.keep_alive_idle_s_max:
            self._server.take_no_more()
            self.schedule()

    def _check_stalled(self, now: float) -> None:
        """Reset streams whose windows the client opens no more ("slow read")."""
        for stream in list(self.core.sender.waiting):
            if now - stream.blocked_since > self.worker.http2.write_stalled_s_max:
                self.core.reset(stream, ErrorCode.CANCEL)
                stream.on_reset(ErrorCode.CANCEL, "the client opens no window")
                self.schedule()

    def _fail(self, code: ErrorCode, detail: str) -> None:
        self.core.fail(ConnectionFailure(code, detail))
        self.schedule()
