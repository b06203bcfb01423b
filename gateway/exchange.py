"""ONE REQUEST'S LIFE, top to bottom. Read this file first.

`begin` routes the request, gives it its turn in the split and leases a connection; what arrives
from the client goes up (`on_request_body`), what the revision answers comes back (`on_response`),
and `_finish` gives the connection back and lets the client's next request begin. The warm path is
plain calls; only a missing connection costs a task (`_obtain`).

It knows no protocol: a `Client` and a `Lease` each are an HTTP/1.1 connection or a stream of h2c.
"""

from __future__ import annotations

import asyncio
import logging
import math
from http import HTTPStatus
from time import perf_counter_ns, time
from typing import TYPE_CHECKING

from gateway.choosing import choose
from gateway.errors import BackendGone, GatewayError, RequestTimeout, UpstreamFailed
from gateway.exchangelog import count, count_aborted
from gateway.http1.request import IDEMPOTENT, RequestHead
from gateway.http1.response import ResponseHead
from gateway.injected import Injected
from gateway.metrics.cell import CLIENT_GONE, OTHER, REROUTED, TIMED_OUT, WORKER_ENDED, Cell
from gateway.metrics.layout import REASON_NAMES
from gateway.timeouts import is_late
from gateway.upstream.dialing import dial
from gateway.upstream.lease import Lease

if TYPE_CHECKING:
    from gateway.downstream.client import Client
    from gateway.routes import CompiledRoute, Target
    from gateway.worker import Worker

log = logging.getLogger(__name__)


class Exchange:
    """One request and its answer, between one client and one lease."""

    # Defaults are the class's: an ordinary exchange sets only a few.
    target: Target  # given by begin()
    deadline: float = math.inf  # loop time; begin() sets it
    response_started: bool = False
    answered: bool = False
    early: bytes = b""  # body that arrived before there was a lease, as the client sent it
    early_trailers: bytes = b""
    status: int = 0  # of the answer, once it has begun
    retries: int = 0
    queued_us: int = 0  # waited for a replica, a connection or room
    adds_lines: bool = False  # its answer carries lines of the gateway's own
    _explanation: str = ""
    _cookie: bytes = b""  # a header line: the client's session, when that is new or was moved
    injected: Injected | None = None  # what faults do to it
    _replayable: bool = False
    _lease: Lease | None = None
    tunnelled: Lease | None = None
    _dialing: asyncio.Task[None] | None = None
    cell: Cell | None = None  # what it is counted in, once it has its target
    bytes_up: int = 0  # of the body
    bytes_down: int = 0
    grpc_status: int = -1  # that the client of a call was told; -1: none
    progress_seen: int = -1  # at `active_at`
    active_at: float = 0.0

    def __init__(self, worker: Worker, client: Client, request: RequestHead) -> None:
        self._worker = worker
        self.client = client
        self.request = request
        self.begun_ns = perf_counter_ns()
        self.request_ended = not (request.chunked or request.length > 0)

    # The way up.

    def begin(self) -> None:
        """Route, split, lease, send. Raise NoRoute or BadMessage before anything was sent."""
        request = self.request
        route = self.client.hosts.match(request.host)
        if route.is_plain and not request.explain:
            target = route.split.pick()
        else:
            target = self._choose(route)
        self.target = target
        self.cell = cell = target.cell or target.open_cell(self._worker.metrics)
        cell.begun += 1
        backend = target.backend
        self._replayable = self.request_ended and request.method in IDEMPOTENT
        now = self._worker.deadlines.now
        self.deadline = now + backend.timeout_s
        if self.injected is not None and self.injected.hold():
            return
        lease = backend.lease(now)
        if lease is not None:
            self._send(lease)
        else:
            self._obtain()

    def go_up(self) -> None:
        """Go on with a request that a fault has held until now."""
        lease = self.target.backend.lease(self._worker.deadlines.now)
        if lease is None:
            self._obtain()
            return
        self._send(lease)
        if not self.request_ended and not lease.is_full:
            self.client.resume()

    def _choose(self, route: CompiledRoute) -> Target:
        """Return the target where that is not simply the next turn's."""
        request = self.request
        choice = choose(route, request, self.client.ip, self._worker.metrics, int(time()))
        self._explanation, self._cookie = choice.explanation, choice.cookie
        self.adds_lines = request.explain or bool(choice.cookie)
        target = choice.target
        drawn = target.faults.draw() if target.faults is not None else None
        self.injected = Injected(self._worker, self, drawn) if drawn is not None else None
        return target

    def _send(self, lease: Lease) -> None:
        self._lease = lease
        lease.exchange = self
        lease.begin(self)
        if not self._replayable:
            self.early = b""
        if self.client.cannot_write:
            lease.pause()
        if self.request.expects_continue and not self.request_ended:
            self.client.respond_interim(ResponseHead(100, b"Continue", [], keep_alive=True))

    def own_lines(self) -> bytes:
        """Return the header lines for a revision's answer: the session; who it is, if asked."""
        if not self.request.explain:
            return self._cookie
        name = self.target.backend.name
        return b"Knary-Revision: %b\r\n%b%b" % (name, self.why(), self._cookie)

    def why(self) -> bytes:
        """Return why the request went where it did; b"" if nobody asked, or no route was found."""
        if not self._explanation or not self.request.explain:
            return b""
        fault = f'; fault="{self.injected.names}"' if self.injected is not None else ""
        line = f"Knary-Explain: {self._explanation}; queued={self.queued_us / 1e6:.6f}{fault}\r\n"
        return line.encode("latin-1")

    def _obtain(self) -> None:
        """Get a new connection; the client's body waits meanwhile."""
        if not self.request_ended:
            self.client.pause()
        self._dialing = self._worker.tasks.create_task(self._dial())

    async def _dial(self) -> None:
        waiting_since_ns = perf_counter_ns()
        try:
            lease = await self._leased()
            self._dialing = None
            waited_us = (perf_counter_ns() - waiting_since_ns) // 1000
            self.queued_us += waited_us
            if self.cell is not None:
                self.cell.waited(waited_us)
            self._send(lease)
            if not self.request_ended and not lease.is_full:
                self.client.resume()
        except GatewayError as error:
            self._dialing = None
            self.refuse(error)
        except Exception as trouble:  # one request's trouble is never the worker's end
            log.exception("a request could not be sent")
            self._dialing = None
            self._give_up_upstream()
            if not self.answered:
                self.refuse(UpstreamFailed(str(trouble)))

    async def _leased(self) -> Lease:
        """Return a new lease; a request whose revision leaves the table goes to another."""
        while True:
            try:
                return await dial(self._worker, self.target.backend)
            except BackendGone:  # nothing was sent, or it may be sent again
                self._reroute()

    def _reroute(self) -> None:
        route = self.client.hosts.match(self.request.host)
        if self.cell is not None:
            self.cell.aborted(REROUTED, 0, 0)  # of the revision that it left
        self.target = target = self._choose(route)
        self.cell = cell = target.cell or target.open_cell(self._worker.metrics)
        cell.begun += 1

    def on_request_body(self, data: bytes, trailers: bytes, ended: bool) -> None:
        """Pass a part of the body up; `trailers` are whole lines, given with the end."""
        self.request_ended = ended
        self.bytes_up += len(data)
        self._replayable = False  # begin() decides anew for a body that came with its head
        if self._lease is not None:
            self._lease.send_body(data, trailers, ended)
        elif not self.answered:
            self.early += data
            self.early_trailers = trailers

    # The way back.

    def on_interim(self, head: ResponseHead) -> None:
        """Pass on a 1xx (103 Early Hints); 100 was answered here."""
        if head.status != HTTPStatus.CONTINUE:
            self.client.respond_interim(head)

    def on_switch(self, head: ResponseHead, data: bytes) -> bool:
        """Make a tunnel after the 101 that was asked for; tell whether it was."""
        lease, asked = self._lease, self.request.upgrade
        if lease is None or not asked or head.upgrade != asked or self.response_started:
            return False
        self.response_started = True
        self.status = head.status
        self._lease = None
        self.tunnelled = lease
        self.client.switch(self, head, lease, data)
        return True

    def count_up(self, size: int) -> None:
        """Count bytes of the tunnel."""
        self.bytes_up += size

    def count_down(self, size: int) -> None:
        self.bytes_down += size

    def on_tunnel_half_closed(self) -> None:
        """Bound what is left: an end may be a side's goodbye, or its death."""
        worker = self._worker
        last = worker.deadlines.now + worker.settings.tunnel_half_closed_s_max
        self.deadline = min(self.deadline, last)

    def on_tunnel_closed(self) -> None:
        """Both ends of the tunnel are closed."""
        lease, self.tunnelled = self.tunnelled, None
        if lease is not None:
            self.answered = True
            lease.replica.release()
            count(
                self,
                self._worker,
                self.status,
                REASON_NAMES[WORKER_ENDED] if self._worker.is_ending else "",
            )

    def cut_tunnel(self) -> None:
        """Break the revision's side off with the client's: it may not read what is to be sent."""
        if self.tunnelled is not None:
            self.tunnelled.abandon()

    def on_response(
        self, head: ResponseHead | None, data: bytes, trailers: bytes, ended: bool, reusable: bool
    ) -> None:
        """Pass on a part of the answer; the last one ends the exchange.

        `reusable`: the lease's connection may serve another request.
        """
        if self.injected is not None and self.injected.takes(head, data, trailers, ended):
            self._replayable = False
            return
        self.pass_on(head, data, trailers, ended, reusable)

    def pass_on(
        self, head: ResponseHead | None, data: bytes, trailers: bytes, ended: bool, reusable: bool
    ) -> None:
        """Pass on a part of the answer now."""
        if head is not None:
            self.response_started = True
            self.status = head.status
        self.bytes_down += len(data)
        self.client.respond(self, head, data, trailers, ended)
        if ended:
            self.answered = True
            lease, self._lease = self._lease, None
            if lease is not None:
                lease.finish(reusable and self.request_ended)
                lease.replica.release()
            count(self, self._worker, self.status)
            self.client.on_answered(self)

    # What can go wrong.

    def on_upstream_failed(self, error: GatewayError) -> None:
        """Try once more when a reused connection closed in silence, else say 502.

        What may be sent twice is idempotent and whole (RFC 9110 9.2.2).
        """
        lease = self._lease
        if lease is None or (self.injected is not None and self.injected.has_end):
            return
        self._lease = None
        lease.replica.release()
        may_replay = self._replayable and lease.reused and lease.is_silent
        if may_replay and not self.response_started:
            self._replayable = False
            self.retries += 1
            self._worker.metrics.worker.retries += 1
            self._obtain()
        else:
            self.break_answer(error)

    def on_upstream_refused(self, early: bytes, early_trailers: bytes) -> None:
        """Send the request again, whatever it was: the revision did not look at it.

        `early` is what of its body was sent (RFC 9113 8.7).
        """
        lease = self._lease
        if lease is None:
            return
        if self.retries >= self._worker.http2.refused_retries_max:
            self.on_upstream_failed(UpstreamFailed("refused too often"))
            return
        self._lease = None
        lease.replica.release()
        self.early, self.early_trailers = early, early_trailers
        self.retries += 1
        self._worker.metrics.worker.retries += 1
        self._obtain()

    def check(self, now: float, tick_s: float) -> None:
        """Expire when one of the revision's timeouts is over (queue-proxy's TimeoutHandler)."""
        if is_late(self, now, now - tick_s):
            self.expire()

    def expire(self) -> None:
        """Answer 504, or end what has begun: with these words where its framing allows."""
        error = RequestTimeout()
        started = self.response_started
        self._give_up_upstream()
        if started and self.tunnelled is None:
            self.answered = True
            self.client.cut_short(self, error.body.encode())
            count_aborted(self, self._worker, TIMED_OUT)
        else:
            self.refuse(error)

    def cut_off(self, *, resets: bool) -> None:
        """Break off without a word, as a fault asks for."""
        self.answered = True
        self._give_up_upstream()
        count_aborted(self, self._worker, OTHER)
        (self.client.reset if resets else self.client.abort)()

    def break_answer(self, error: GatewayError) -> None:
        """Do as if the revision had failed now."""
        self._give_up_upstream()
        self.refuse(error)

    def on_client_gone(self) -> None:
        """Nobody waits for the answer any more."""
        self.answered = True
        self._give_up_upstream()
        count_aborted(self, self._worker, WORKER_ENDED if self._worker.is_ending else CLIENT_GONE)

    def _give_up_upstream(self) -> None:
        if self.injected is not None:
            self.injected.stop()
        if self._dialing is not None:
            self._dialing.cancel()
            self._dialing = None
        lease = self._lease
        if lease is not None:
            self._lease = None
            lease.abandon()
            lease.replica.release()
        self.cut_tunnel()

    def refuse(self, error: GatewayError) -> None:
        """Answer with the error; after the head only an aborted body tells the truth."""
        self.answered = True
        if self.response_started:
            if self.tunnelled is None:
                count_aborted(self, self._worker, error.reason)
            self.client.abort()
            return
        self.client.refuse(self, error)
        if self.cell is not None:
            self.cell.answered_here += 1
        else:
            self._worker.metrics.worker.refuse(error.answer_status())
        count(self, self._worker, error.answer_status(), type(error).__name__)
        self.client.on_answered(self)

    # Flow: whoever cannot write any more pauses the other side.

    def pause(self) -> None:
        if self._lease is not None:
            self._lease.pause()

    def resume(self) -> None:
        if self.injected is None or self.injected.flow():
            self.resume_upstream()

    def resume_upstream(self) -> None:
        if self._lease is not None:
            self._lease.resume()
