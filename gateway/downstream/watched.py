"""For how long an HTTP/1.1 client that stands still is waited for; the worker's timer asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.downstream.client import Client
from gateway.downstream.stillness import Stillness
from gateway.errors import BodyTimeout, GatewayError, HeadTimeout
from gateway.http1.body import Body

if TYPE_CHECKING:
    import asyncio

    from gateway.exchange import Exchange
    from gateway.hosts import HostTable
    from gateway.worker import Worker


class WatchedClient(Client):
    """What the timer looks at in a connection, and what it does then."""

    def __init__(self, worker: Worker, hosts: HostTable) -> None:
        super().__init__(hosts)
        self._worker = worker
        self._transport: asyncio.Transport = None  # type: ignore[assignment]
        self.exchange: Exchange | None = None
        self._buffer = b""  # what was read ahead of its turn, or of a head's end
        self._body: Body | None = None  # the request's body, while it arrives
        self._closing = False  # answer what is under way, read no further request
        self._paused = False  # reading stands still
        self._reads = Stillness()  # the client, what was written
        self._sends = Stillness()  # the client, the body that it has begun
        self._since = worker.deadlines.now  # the last time that this connection was quiet

    def check_requests(self, now: float, tick_s: float) -> None:
        exchange = self.exchange
        if exchange is None:
            if self._worker.draining and not self._buffer:
                self._check_drained(now)
        elif not exchange.answered:
            exchange.check(now, tick_s)

    def _check_drained(self, now: float) -> None:
        """Say goodbye to an idle client, which had time to send one more request; then close."""
        if now - self._since > self._worker.settings.drain_idle_s_max:
            if self._closing:
                self._transport.close()
            else:
                self._closing = True
                self._linger()

    def check(self, now: float) -> None:
        """Close when silent or still for too long: between requests, within one, or at the end."""
        settings, exchange = self._worker.settings, self.exchange
        if exchange is not None and exchange.status == 101:
            return  # a tunnel may be silent, and its reader slow
        silent_s = now - self._since
        written = exchange.bytes_down if exchange is not None else 0
        unread_s = self._reads.unread_s(written, self._transport.get_write_buffer_size(), now)
        if self._closing and (exchange is None or exchange.answered):
            if unread_s == 0.0:
                self._since = now
            elif silent_s > settings.head_s_max:
                self.abort()  # it neither reads its last answer nor goes
        elif unread_s > settings.send_idle_s_max:
            self.abort()
        elif exchange is not None:
            self._check_body(exchange, now)
        elif self._buffer:
            if silent_s > settings.head_s_max:
                self._refuse_bytes(HeadTimeout())
        elif silent_s > settings.keep_alive_idle_s_max and unread_s < 0.0:
            self._transport.close()

    def _check_body(self, exchange: Exchange, now: float) -> None:
        """Refuse a request whose body stands still while it is read, before an answer begins."""
        if self._body is None or self._paused or exchange.response_started or exchange.answered:
            self._sends.rest()
        elif self._sends.lasts_s(exchange.bytes_up, now) > self._worker.settings.body_idle_s_max:
            self._break_body(exchange, BodyTimeout())

    def drain(self) -> None:
        """Answer what is under way, and one more request of an idle client."""
        self._since = self._worker.deadlines.now

    def _linger(self) -> None:
        """Say that no more comes, and read on for a while."""
        raise NotImplementedError

    def _refuse_bytes(self, error: GatewayError) -> None:
        """Answer what is no request, and close."""
        raise NotImplementedError

    def _break_body(self, exchange: Exchange | None, error: GatewayError) -> None:
        """Refuse a request within its body."""
        raise NotImplementedError
