"""One HTTP/2 connection of the load generator: many requests, or gRPC calls, at a time."""

from __future__ import annotations

import asyncio

from simulator.grpcmessages import (
    OK,
    explanation_of,
    framed,
    request_headers,
    status_of,
    text_of,
)
from simulator.h2client import Data, Ended, Event, Head, Headers, Http2Client, Http2Error
from simulator.load.connection import TEXT_BYTES_MAX, Exchange, Owner, queued_of
from simulator.load.plan import LoadPlan

_PREFIX_BYTES = 5  # of a gRPC message: compressed or not, its length
_KEPT_BYTES = _PREFIX_BYTES + TEXT_BYTES_MAX


class Request:
    """What a stream of a load sends."""

    def __init__(self, plan: LoadPlan, path: str) -> None:
        self.is_call = plan.protocol == "grpc"
        if self.is_call:
            self.headers: Headers = request_headers(plan.host, path, plan.timeout_s)
            self.body = framed(b"")
        else:
            self.headers = [
                (":method", "GET"),
                (":scheme", "http"),
                (":path", path),
                (":authority", plan.host),
                ("accept", "*/*"),
            ]
            self.body = b""
        own = [("user-agent", "knary-load"), *([("knary-explain", "1")] if plan.explain else ())]
        given = [(name.lower(), value) for name, value in plan.headers]
        self.headers = [*self.headers, *own, *given]


class _Call:
    """One stream under way, and what came of its answer."""

    __slots__ = ("body", "exchange", "headers", "size")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.headers: dict[str, str] = {}
        self.body = bytearray()  # its beginning
        self.size = 0


class MultiplexedConnection(asyncio.Protocol):
    """Carries as many exchanges as the peer takes; each ends in `answered`, `failed` or `refused`,
    once.
    """

    def __init__(self, owner: Owner, requests: tuple[Request, ...]) -> None:
        """`requests` are sent in turn, by their number in the load."""
        self._owner = owner
        self._requests = requests
        self._client = Http2Client()
        self._calls: dict[int, _Call] = {}
        self._transport: asyncio.Transport | None = None

    @property
    def is_closing(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    @property
    def has_room(self) -> bool:
        return not self.is_closing and self._client.has_room(len(self._requests[0].body))

    def send(self, exchange: Exchange, now: float) -> None:
        """Send one request; there must be room."""
        exchange.sent = now
        request = self._requests[exchange.sequence % len(self._requests)]
        stream = self._client.request(request.headers, request.body)
        self._calls[stream] = _Call(exchange)
        self._flush()

    def give_up_before(self, oldest: float) -> None:
        """End every exchange that was planned before that moment; the others go on."""
        late = [stream for stream, call in self._calls.items() if call.exchange.planned < oldest]
        for stream in late:
            self._client.cancel(stream)
            self._owner.failed(self._calls.pop(stream).exchange, "timeout")
        if late:
            self._flush()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # What the event loop reports.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._flush()
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        try:
            events = self._client.feed(data)
        except Http2Error:
            if self._transport is not None:
                self._transport.abort()  # first: what fails may make the next one due
            self._fail("malformed")
            return
        self._flush()  # before anything is told, since that may send
        for event in events:
            self._happened(event)
        if self._client.is_going and not self._calls:
            self.close()
        elif self.has_room:
            self._owner.roomy(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._fail("reset")
        self._owner.lost(self)

    def _flush(self) -> None:
        if self._transport is not None and (out := self._client.taken()):
            self._transport.write(out)

    def _fail(self, kind: str) -> None:
        calls, self._calls = self._calls, {}
        for call in calls.values():
            self._owner.failed(call.exchange, kind)

    # What streams report.

    def _happened(self, event: Event) -> None:
        call = self._calls.get(event.stream)
        if call is None:  # given up meanwhile
            return
        if isinstance(event, Head):
            call.headers.update(event.headers)
            if event.status:
                call.exchange.status = event.status
                call.exchange.revision = event.headers.get("knary-revision", "")
                call.exchange.queued = queued_of(event.headers.get("knary-explain", ""))
        elif isinstance(event, Data):
            call.size += len(event.data)
            if len(call.body) < _KEPT_BYTES:
                call.body += event.data[: _KEPT_BYTES - len(call.body)]
        elif isinstance(event, Ended):
            del self._calls[event.stream]
            self._finish(call)
        else:
            del self._calls[event.stream]
            if event.refused:
                self._owner.refused(call.exchange)
            else:
                self._owner.failed(call.exchange, "reset")

    def _finish(self, call: _Call) -> None:
        exchange = call.exchange
        if not self._requests[0].is_call:
            exchange.text = bytes(call.body[:TEXT_BYTES_MAX])
            self._owner.answered(self, exchange)
            return
        status = status_of(exchange.status, call.headers)
        if status != OK:
            exchange.error = status
            exchange.text = explanation_of(call.headers).encode()[:TEXT_BYTES_MAX]
        elif _is_whole(call):
            exchange.text = text_of(bytes(call.body[_PREFIX_BYTES:])).encode()
        else:
            exchange.error = "malformed"
        self._owner.answered(self, exchange)


def _is_whole(call: _Call) -> bool:
    """Tell whether the body is one message, as a unary call's is."""
    return call.size >= _PREFIX_BYTES and call.size == _PREFIX_BYTES + int.from_bytes(
        call.body[1:_PREFIX_BYTES], "big"
    )
