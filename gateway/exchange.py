"""ONE REQUEST'S LIFE, top to bottom. Read this file first.

`begin` routes the request, gives it its turn in the split and leases a connection; what arrives
from the client goes up (`on_request_body`), what the revision answers comes back (`on_response`),
and `_finish` parks the connection and lets the client's next request begin. The warm path is
plain calls; only a missing connection costs a task (`_obtain`).
"""

from __future__ import annotations

import asyncio
import logging
import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.errors import BackendGone, GatewayError, RequestTimeout, UpstreamFailed
from gateway.forwarding import request_head, response_head, usual_response_head
from gateway.http1.request import IDEMPOTENT, RequestHead
from gateway.http1.response import ResponseHead
from gateway.upstream.dialing import dial
from gateway.upstream.h1 import UpstreamConnection

if TYPE_CHECKING:
    from gateway.downstream.h1 import ClientConnection
    from gateway.router import Target
    from gateway.worker import Worker

log = logging.getLogger(__name__)

_LAST_CHUNK = b"0\r\n"


class Exchange:
    """One request and its answer, between one client connection and one upstream connection."""

    # Defaults are the class's: an ordinary exchange sets only a few.
    response_started = False
    answered = False
    deadline = math.inf  # loop time; begin() sets it
    _target: Target  # given by begin()
    _head_up = b""
    _replayable = False
    _chunked_down = False
    _upstream: UpstreamConnection | None = None
    _dialing: asyncio.Task[None] | None = None
    _early = b""  # body that arrived before there was a connection

    def __init__(self, worker: Worker, client: ClientConnection, request: RequestHead) -> None:
        self._worker = worker
        self.client = client
        self.request = request
        self.request_ended = not (request.chunked or request.length > 0)

    # The way up.

    def begin(self) -> None:
        """Route, split, lease, send. Raise NoRoute or BadMessage before anything was sent."""
        worker, request, client = self._worker, self.request, self.client
        target = self._target = client.router.match(request.host).pick()
        backend = target.backend
        head = request_head(request, client.ip, client.forwarding, target.lines)
        if self._early:  # head and first body bytes go in one write
            head += self._early
            self._early = b""
        self._head_up = head
        self._replayable = self.request_ended and request.method in IDEMPOTENT
        now = worker.deadlines.now
        self.deadline = now + backend.timeout_s
        upstream = backend.lease(now, worker.settings.upstream_idle_s_max)
        if upstream is not None:
            self._send(upstream)
        else:
            self._obtain()

    def _send(self, upstream: UpstreamConnection) -> None:
        self._upstream = upstream
        upstream.exchange = self
        upstream.write(self._head_up)
        if self._early:
            upstream.write(self._early)
            self._early = b""
        if self.client.cannot_write:
            upstream.pause()
        if self.request.expects_continue and not self.request_ended:
            self.client.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _obtain(self) -> None:
        """Get a new connection; the client's body waits meanwhile."""
        if not self.request_ended:
            self.client.pause()
        self._dialing = self._worker.tasks.create_task(self._dial())

    async def _dial(self) -> None:
        try:
            upstream = await self._leased()
        except GatewayError as error:
            self._dialing = None
            self._refuse(error)
            return
        except Exception as error:  # one request's trouble is never the worker's end
            log.exception("a dial failed")
            self._dialing = None
            self._refuse(UpstreamFailed(str(error)))
            return
        self._dialing = None
        self._send(upstream)
        if not self.request_ended and not upstream.is_full:
            self.client.resume()

    async def _leased(self) -> UpstreamConnection:
        """Return a new connection; a request whose revision leaves the table goes to another."""
        while True:
            try:
                return await dial(self._worker, self._target.backend)
            except BackendGone:  # nothing was sent, or it may be sent again
                self._reroute()

    def _reroute(self) -> None:
        client, request = self.client, self.request
        body = self._head_up.partition(b"\r\n\r\n")[2]
        target = self._target = client.router.match(request.host).pick()
        self._head_up = request_head(request, client.ip, client.forwarding, target.lines) + body

    def on_request_body(self, data: bytes, trailers: bytes, *, ended: bool) -> None:
        """Pass body bytes up, in framing of our own."""
        self.request_ended = ended
        self._replayable = False  # begin() decides anew for a body that came with its head
        if self.request.chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            if ended:
                data += b"%b%b\r\n" % (_LAST_CHUNK, trailers)
        if not data:
            return
        if self._upstream is not None:
            self._upstream.write(data)
        else:
            self._early += data

    # The way back.

    def on_interim(self, head: ResponseHead) -> None:
        """Pass on a 1xx (103 Early Hints); 100 was answered here, 101 was never asked for."""
        if head.status == HTTPStatus.SWITCHING_PROTOCOLS:
            upstream = self._upstream
            if upstream is not None:
                upstream.close()
                self.on_upstream_failed(UpstreamFailed("a 101 that nobody asked for"))
        elif head.status != HTTPStatus.CONTINUE and self.request.is_http11:
            self.client.write(response_head(head, chunked=False, connection=b""))

    def response_head(self, head: ResponseHead, *, sized: bool) -> bytes:
        """Return the head for the client, and settle how the body is framed there.

        `sized`: the body's length is known from the head.
        """
        request = self.request
        self.response_started = True
        stays = request.keep_alive and self.request_ended and not self._worker.draining
        if stays and head.length >= 0 and request.is_http11 and not request.explain:
            return usual_response_head(head)
        self._chunked_down = not sized and request.is_http11
        if not stays or (not sized and not request.is_http11):
            # An early answer, or a body that only closing can end.
            request.keep_alive = False
            connection = b"Connection: close\r\n"
        else:
            connection = b"" if request.is_http11 else b"Connection: keep-alive\r\n"
        extra = b"Knary-Revision: %b\r\n" % self._target.backend.name if request.explain else b""
        announced = self._chunked_down or (head.chunked and request.method == b"HEAD")
        return response_head(
            head,
            chunked=announced and request.is_http11,
            connection=connection,
            extra=extra,
        )

    def on_response(self, head: bytes, data: bytes) -> None:
        """Pass on a part of the answer."""
        if self._chunked_down and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if head or data:
            self.client.write(head + data)

    def on_response_end(self, head: bytes, data: bytes, trailers: bytes, *, reusable: bool) -> None:
        """Pass on the last part, and finish."""
        if self._chunked_down:
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            data += b"%b%b\r\n" % (_LAST_CHUNK, trailers)
        self.client.write(head + data)
        self._finish(reusable=reusable and self.request_ended)

    def _finish(self, *, reusable: bool) -> None:
        self.answered = True
        upstream = self._upstream
        if upstream is not None:
            self._upstream = None
            if reusable:
                upstream.park()
            else:
                upstream.close()
            upstream.replica.release()
        self.client.on_answered(self)

    # What can go wrong.

    def on_upstream_failed(self, error: GatewayError) -> None:
        """Try once more when a reused connection closed in silence, else say 502.

        What may be sent twice is idempotent and whole (RFC 9110 9.2.2).
        """
        upstream = self._upstream
        if upstream is None:
            return
        self._upstream = None
        upstream.replica.release()
        may_replay = self._replayable and upstream.reused and upstream.is_silent
        if may_replay and not self.response_started:
            self._replayable = False
            self._obtain()
        else:
            self._refuse(error)

    def expire(self) -> None:
        """The revision's timeoutSeconds is over."""
        self._give_up_upstream()
        self._refuse(RequestTimeout())

    def on_client_gone(self) -> None:
        """Nobody waits for the answer any more."""
        self.answered = True
        self._give_up_upstream()

    def _give_up_upstream(self) -> None:
        if self._dialing is not None:
            self._dialing.cancel()
            self._dialing = None
        upstream = self._upstream
        if upstream is not None:
            self._upstream = None
            upstream.close()
            upstream.replica.release()

    def _refuse(self, error: GatewayError) -> None:
        """Answer with the error; after the head only an aborted body tells the truth."""
        self.answered = True
        if self.response_started:
            self.client.abort()
            return
        self.client.answer(self, error)

    # Flow: whoever cannot write any more pauses the other side.

    def pause(self) -> None:
        if self._upstream is not None:
            self._upstream.pause()

    def resume(self) -> None:
        if self._upstream is not None:
            self._upstream.resume()
