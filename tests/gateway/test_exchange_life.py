"""One exchange between a client and leases that are only memory, through any order of events."""

# ruff: noqa: ARG002 (what is only memory needs less than it is told)
from __future__ import annotations

import asyncio
import math
from typing import Any, cast

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from gateway.build import build
from gateway.contract import RouteTable
from gateway.downstream.client import Client
from gateway.errors import GatewayError, UpstreamFailed
from gateway.exchange import Exchange
from gateway.hosts import HostTable
from gateway.http1.repeated import RepeatedLines
from gateway.http1.request import RequestHead, read_request
from gateway.http1.response import ResponseHead
from gateway.metrics.registry import Metrics
from gateway.router import Router
from gateway.settings import Settings
from gateway.upstream.lease import Lease
from gateway.upstream.pool import Replica
from gateway.worker import Worker
from tests.support.gateway import HOST, run, table

if build() != "interpreted":
    # To allow subclasses of a test would cost each call a look-up.
    pytest.skip("compiled, Client and Lease have no other subclasses", allow_module_level=True)

ADDRESS = "127.0.0.1:9"  # never connected to
INTERIM = ResponseHead(103, b"Early Hints", [], keep_alive=True)


class Remembering(Client):
    """A client that holds the exchange to its promises."""

    def __init__(self, hosts: HostTable) -> None:
        super().__init__(hosts)
        self.ends: list[str] = []  # how it was answered; one at the end
        self.gone = False
        self.started = False
        self.held = False

    def _alive(self) -> None:
        assert not self.gone
        assert not self.ends

    def respond(
        self,
        exchange: Exchange,
        head: ResponseHead | None,
        data: bytes,
        trailers: bytes,
        ended: bool,
    ) -> None:
        self._alive()
        assert self.started == (head is None)
        self.started = True
        if ended:
            self.ends.append("answer")

    def respond_interim(self, head: ResponseHead) -> None:
        self._alive()
        assert not self.started

    def refuse(self, exchange: Exchange, error: GatewayError) -> None:
        self._alive()
        assert not self.started
        self.ends.append(f"refusal {error.status}")

    def cut_short(self, exchange: Exchange, text: bytes) -> None:
        self._alive()
        assert self.started
        self.ends.append("cut")

    def abort(self) -> None:
        self._alive()
        assert self.started
        self.ends.append("abort")

    def on_answered(self, exchange: Exchange) -> None:
        assert len(self.ends) == 1

    def pause(self) -> None:
        assert not self.gone
        self.held = True

    def resume(self) -> None:
        assert not self.gone
        self.held = False


class Scripted(Lease):
    """A lease that a test answers for. It sits in its replica's pool as an idle connection does."""

    idle_since = math.inf  # never too old

    def __init__(self, replica: Replica, *, reused: bool, breaks: bool) -> None:
        super().__init__(replica)
        self.reused = reused
        self.begun = self.over = False
        self.sent_end = False
        self.is_answering = False
        self._breaks = breaks

    def begin(self, exchange: Exchange) -> None:
        assert not self.begun
        assert self.exchange is exchange
        self.begun = True
        self.sent_end = exchange.request_ended
        if self._breaks:
            raise RuntimeError("a defect of a lease")

    def _alive(self) -> None:
        assert self.begun
        assert not self.over

    def send_body(self, data: bytes, trailers: bytes, ended: bool) -> None:
        self._alive()
        assert not self.sent_end
        self.sent_end = ended

    def pause(self) -> None:
        self._alive()

    def resume(self) -> None:
        self._alive()

    def is_closing(self) -> bool:
        return False

    def finish(self, reusable: bool) -> None:
        self._alive()
        self._end()

    def abandon(self) -> None:
        assert not self.over
        self._end()

    def _end(self) -> None:
        self.over = True
        self.exchange = None

    # What the revision does.

    def ends_itself(self) -> Exchange:
        """Return its exchange, which it tells nothing more after what comes now."""
        assert self.exchange is not None
        exchange = self.exchange
        self._end()
        return exchange


class World:
    """An exchange, and the events that may happen to it."""

    def __init__(self, worker: Worker, request: RequestHead) -> None:
        idle: list[str] = []
        self.worker = worker
        self.router = Router(worker, 0, idle.append)
        self.router.replace(table({"one": ()}))
        self.backend = self.router.hosts.match(HOST.encode()).split.targets[0].backend
        self.leases: list[Scripted] = []
        self.client = Remembering(self.router.hosts)
        self.exchange = Exchange(worker, self.client, request)

    @property
    def lease(self) -> Scripted | None:
        """Return the lease that is under way."""
        return next((one for one in self.leases if one.begun and not one.over), None)

    def offer(self, *, reused: bool = True, breaks: bool = False) -> None:
        """Let the revision have a replica with a connection that is free."""
        self.router.replace(table({"one": (ADDRESS,)}))
        (replica,) = self.router.hosts.match(HOST.encode()).split.targets[0].backend.replicas
        lease = Scripted(replica, reused=reused, breaks=breaks)
        self.leases.append(lease)
        replica.idle.append(cast("Any", lease))

    def happen(self, event: str) -> None:
        """Let it happen, if it can now."""
        exchange, client, lease = self.exchange, self.client, self.lease
        if event == "offered":
            self.offer()
        elif event == "offered new":
            self.offer(reused=False)
        elif event == "offered broken":
            self.offer(breaks=True)
        elif event == "served by another":
            self.router.replace(table({"two": ()}))
        elif event == "served no more":
            self.router.replace(RouteTable())
        elif event == "body" and not exchange.request_ended and not client.gone:
            exchange.on_request_body(b"x", b"", False)
        elif event == "last of the body" and not exchange.request_ended and not client.gone:
            exchange.on_request_body(b"x", b"", True)
        elif event == "client gone" and not exchange.answered:
            client.gone = True
            exchange.on_client_gone()
        elif event == "client full" and not client.gone:
            client.cannot_write = True
            exchange.pause()
        elif event == "client reads" and not client.gone:
            client.cannot_write = False
            exchange.resume()
        elif event == "timeout" and not exchange.answered:
            exchange.expire()
        elif lease is not None:
            self._revision(event, exchange, lease)

    def _revision(self, event: str, exchange: Exchange, lease: Scripted) -> None:
        head = ResponseHead(200, b"OK", [], keep_alive=True)
        if event == "interim" and not lease.is_answering:
            lease.is_silent = False
            exchange.on_interim(INTERIM)
        elif event == "head" and not lease.is_answering:
            lease.is_silent, lease.is_answering = False, True
            exchange.on_response(head, b"x", b"", False, True)
        elif event == "piece" and lease.is_answering:
            exchange.on_response(None, b"x", b"", False, True)
        elif event == "end":
            first = None if lease.is_answering else head
            exchange.on_response(first, b"x", b"", True, True)
        elif event == "broken":
            lease.ends_itself().on_upstream_failed(UpstreamFailed())
        elif event == "refused" and lease.is_silent:
            lease.ends_itself().on_upstream_refused(b"", b"")

    def check(self) -> None:
        """Hold what is counted to what there is."""
        cells = list(self.worker.metrics._cells.values())
        for cell in cells:
            assert cell.ended == sum(cell.latency) + sum(cell.aborts)
        flying = sum(cell.begun - cell.ended for cell in cells)
        assert flying == (0 if self.exchange.answered else 1)
        busy = [one for one in self.leases if one.begun and not one.over]
        assert len(busy) <= 1
        assert self.exchange.answered == bool(self.client.ends or self.client.gone)
        if self.exchange.answered:
            assert not busy


REQUESTS = {
    "GET": b"GET / HTTP/1.1\r\nHost: %b",
    "POST": b"POST / HTTP/1.1\r\nHost: %b\r\nContent-Length: 9",
    "PUT": b"PUT / HTTP/1.1\r\nHost: %b\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue",
}
EVENTS = (
    *("offered", "offered new", "offered broken", "served no more", "served by another"),
    *(
        "a turn",
        "body",
        "last of the body",
        "client gone",
        "client full",
        "client reads",
        "timeout",
    ),
    *("interim", "head", "piece", "end", "broken", "refused"),
)


@given(method=st.sampled_from(sorted(REQUESTS)), events=st.lists(st.sampled_from(EVENTS)))
@example(method="GET", events=["a turn", "offered broken", "a turn"])
@example(method="GET", events=["offered", "a turn", "broken", "timeout", "a turn"])
@example(method="GET", events=["a turn", "served no more", "a turn"])
@example(method="GET", events=["a turn", "served by another", "a turn", "offered", "a turn"])
@settings(max_examples=400, deadline=None)
def test_whatever_happens_it_is_answered_once_counted_once_and_gives_back_what_it_had(
    method: str, events: list[str]
) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            worker = Worker(loop, Settings(), tasks, Metrics())
            head = REQUESTS[method] % HOST.encode()
            request = read_request(head, worker.request_lines, worker.settings, RepeatedLines())
            world = World(worker, request)
            if events[:1] == ["offered"]:
                world.offer()
            world.exchange.begin()
            world.check()
            for event in events:
                if event == "a turn":
                    for _ in range(3):
                        await asyncio.sleep(0)
                else:
                    world.happen(event)
                world.check()
            world.happen("timeout")
            world.check()
            for _ in range(5):
                await asyncio.sleep(0)
            world.check()
            assert world.exchange.answered
            assert worker.waiting == world.backend.waiting == 0
            replicas = {one.replica for one in world.leases}
            assert all(replica.in_flight == 0 for replica in replicas)

    run(story())
