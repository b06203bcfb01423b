"""One HTTP/1.1 client connection of the load generator: a request, its answer, the next request."""

from __future__ import annotations

import asyncio
from typing import Protocol

from httptools import HttpParserError, HttpResponseParser

TEXT_BYTES_MAX = 200
FIRST_FINAL_STATUS = 200
NOT_QUEUED = b"queued=0.000000"


class Exchange:
    """One request under way. Moments are seconds of the monotonic clock."""

    __slots__ = ("error", "planned", "queued", "revision", "sent", "sequence", "status", "text")

    def __init__(self, sequence: int, planned: float) -> None:
        self.sequence = sequence
        self.planned = planned
        self.sent = 0.0
        self.status = 0
        self.error = ""  # what the answer itself says beyond its status: a gRPC status
        self.revision = ""
        self.queued = 0.0  # seconds that the gateway held it
        self.text = b""


def queued_of(explanation: str) -> float:
    """Return the seconds that a Knary-Explain says the request was held; 0 when it is unsure."""
    try:
        return float(explanation.rpartition("queued=")[2])
    except ValueError:
        return 0.0


class Owner(Protocol):
    """Whom a connection tells what happened."""

    def opened(self, connection: Carrier) -> None:
        """The connection is there; `lost` follows once, at its end."""

    def answered(self, connection: Carrier, exchange: Exchange) -> None:
        """The whole answer arrived; the connection may have room again."""

    def roomy(self, connection: Carrier) -> None:
        """The connection has room for a request."""

    def failed(self, exchange: Exchange, kind: str) -> None:
        """No whole answer will come; the connection is gone."""

    def refused(self, exchange: Exchange) -> None:
        """The peer did nothing about it, and says so: it may be sent again, elsewhere."""

    def lost(self, connection: Carrier) -> None:
        """The connection is gone; called once, after `failed` if that is due."""


class Carrier(Protocol):
    """A connection, whatever it speaks."""

    @property
    def is_closing(self) -> bool:
        """Tell whether its end has begun."""

    @property
    def has_room(self) -> bool:
        """Tell whether one more request can be sent on it now."""

    def send(self, exchange: Exchange, now: float) -> None:
        """Send one request; there must be room."""

    def give_up_before(self, oldest: float) -> None:
        """End, as a time-out, every exchange that was planned before that moment."""

    def close(self) -> None:
        """Close it once everything is written."""


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; every exchange ends in `answered` or `failed`, once."""

    __slots__ = (
        "_framed",
        "_head_complete",
        "_heads",
        "_owner",
        "_parser",
        "_transport",
        "exchange",
    )

    def __init__(self, owner: Owner, heads: tuple[bytes, ...]) -> None:
        """`heads` are what requests are, in turn, by their number in the load."""
        self._owner = owner
        self._heads = heads
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._framed = False
        self._head_complete = False
        self.exchange: Exchange | None = None

    @property
    def is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    @property
    def has_room(self) -> bool:
        return self.exchange is None and not self.is_closing

    def send(self, exchange: Exchange, now: float) -> None:
        """Send one request; the connection must be free."""
        assert self._transport is not None  # noqa: S101 (the owner sends on what it opened)
        exchange.sent = now
        self.exchange = exchange
        self._framed = self._head_complete = False
        self._transport.write(self._heads[exchange.sequence % len(self._heads)])

    def give_up_before(self, oldest: float) -> None:
        """End the exchange if it was planned before that moment, and with it the connection."""
        if self.exchange is not None and self.exchange.planned < oldest:
            self._give_up("timeout")

    def _give_up(self, kind: str) -> None:
        """End the exchange as an error of this kind, and the connection."""
        self._fail(kind)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # What the event loop reports.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        if self.exchange is None:  # nobody asked: an answer to nothing
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self._give_up("malformed")

    def connection_lost(self, error: Exception | None) -> None:
        exchange = self.exchange
        if exchange is not None:
            # A body without a length ends where the connection does (RFC 9112, 6.3).
            if error is None and self._head_complete and not self._framed:
                self.exchange = None
                self._owner.answered(self, exchange)
            else:
                self._fail("reset")
        self._owner.lost(self)

    def _fail(self, kind: str) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            self._owner.failed(exchange, kind)

    # What the parser reports.

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"knary-revision":
            if self.exchange is not None:
                self.exchange.revision = value.decode("latin-1")
        elif name in (b"content-length", b"transfer-encoding"):
            self._framed = True
        elif name == b"knary-explain" and not value.endswith(NOT_QUEUED) and self.exchange:
            self.exchange.queued = queued_of(value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        self._head_complete = True
        if self.exchange is not None:
            self.exchange.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        exchange = self.exchange
        if exchange is not None and len(exchange.text) < TEXT_BYTES_MAX:
            exchange.text += body[: TEXT_BYTES_MAX - len(exchange.text)]

    def on_message_complete(self) -> None:
        exchange = self.exchange
        if exchange is None or exchange.status < FIRST_FINAL_STATUS:
            return
        self.exchange = None
        if not self._parser.should_keep_alive():
            self.close()
        self._owner.answered(self, exchange)
