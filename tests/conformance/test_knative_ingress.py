"""Knative's list of what an ingress must do, row by row (networking `test/conformance/ingress`).

Each test is named after its row. What is not there is in docs/limits.md: paths other than `/`
(dispatch/path and its kin), TLS (tls, httpoption), and the answer to a prober (headers/probe).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import pytest

from gateway.contract import Backend, HeaderRule, Route, RouteTable, Share, Split
from gateway.downstream.h1 import ClientConnection
from tests.support.gateway import (
    HOST,
    WAIT_S,
    Gateway,
    gateway,
    read_head,
    replying,
    revision,
    run,
)
from tests.support.h2peers import Peer, Seen, h2_client, h2_revision
from tests.support.pings import MESSAGE_BYTES, ping, pinging

PERCENTS = (1, 2, 4, 8, 16, 32, 37, 0, 0, 0)  # Knative's own
REQUESTS = 1000
MESSAGES = 100
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def showing(name: str) -> Callable[..., Awaitable[None]]:
    """Return a revision that answers with its name and the head that it got; or echoes."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await read_head(reader)
            if b"Upgrade: websocket" in head:
                writer.write(SWITCHED)
                while data := await reader.read(1000):
                    writer.write(data + name.encode())
            body = name.encode() + b"\r\n" + head
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    return script


@contextlib.asynccontextmanager
async def ingress(*names: str) -> AsyncIterator[tuple[Gateway, dict[str, Backend]]]:
    """Run a gateway, and a revision for each name."""
    async with gateway() as worker, contextlib.AsyncExitStack() as stack:
        backends = {}
        for name in names:
            address = await stack.enter_async_context(revision(showing(name)))
            backends[name] = Backend(name, (address,))
        yield worker, backends


def split(*shares: Share, key: str = "s") -> Split:
    return Split(key, shares, seed=7)


def even(*names: str) -> Split:
    return split(*(Share(name, 10_000 // len(names)) for name in names))


def serve(worker: Gateway, backends: dict[str, Backend], *routes: Route, version: int = 1) -> None:
    worker.router.replace(RouteTable(version, {each.key: each for each in routes}, backends))


async def ask(worker: Gateway, *lines: str, host: str = HOST, port: int = 0) -> bytes:
    """Return a whole answer to one request."""
    head = "\r\n".join(["GET / HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""])
    reader, writer = await asyncio.open_connection("127.0.0.1", port or worker.port)
    writer.write(head.encode())
    async with asyncio.timeout(WAIT_S):
        said = await reader.read()
    writer.close()
    await writer.wait_closed()
    return said


async def shares_of(worker: Gateway, port: int, host: str = HOST) -> Counter[str]:
    """Return how many of REQUESTS each revision got, over one connection."""
    counts: Counter[str] = Counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(REQUESTS // 100):
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() * 100)
        for _ in range(100):
            head = await read_head(reader)
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            counts[(await reader.readexactly(length)).partition(b"\r\n")[0].decode()] += 1
    writer.close()
    await writer.wait_closed()
    return counts


@contextlib.asynccontextmanager
async def inner_listener(worker: Gateway) -> AsyncIterator[int]:
    """Listen as the cluster-local listener does; the value is its port."""
    server = await asyncio.get_running_loop().create_server(
        lambda: cast(
            "asyncio.Protocol", ClientConnection(worker.worker, worker.router.local_hosts)
        ),
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def test_basics_and_hosts_multiple_and_dispatch_rule() -> None:
    async def story() -> None:
        async with ingress("one", "two") as (worker, backends):
            many = Route("a", (HOST, "b.example.com", "c.example.com"), even("one"))
            other = Route("d", ("d.example.com",), split(Share("two", 10_000), key="d"))
            serve(worker, backends, many, other)
            for host in many.hosts:
                assert b"\r\n\r\none\r\n" in await ask(worker, host=host)
            assert b"\r\n\r\ntwo\r\n" in await ask(worker, host="d.example.com")
            assert (await ask(worker, host="e.example.com")).startswith(b"HTTP/1.1 404 ")

    run(story())


@contextlib.asynccontextmanager
async def grpc_ingress(*names: str) -> AsyncIterator[Gateway]:
    async with gateway() as worker, contextlib.AsyncExitStack() as stack:
        backends = {}
        for name in names:

            async def answer(peer: Peer, seen: Seen, name: str = name) -> None:
                await pinging(peer, seen, name.encode())

            server = await stack.enter_async_context(h2_revision(answer))
            backends[name] = Backend(name, (server.address,), "h2c")
        serve(worker, backends, Route("a", (HOST,), even(*names)))
        yield worker


def test_basics_http2() -> None:
    """The revision's port is named h2c: it sees HTTP/2, whatever its client speaks."""

    async def answer(peer: Peer, seen: Seen) -> None:
        peer.say(seen, (":status", "200"), ("x-seen", seen.head[":scheme"]), ended=True)

    async def story() -> None:
        async with gateway() as worker, h2_revision(answer) as server:
            backends = {"one": Backend("one", (server.address,), "h2c")}
            serve(worker, backends, Route("a", (HOST,), even("one")))
            assert b"x-seen: http\r\n" in await ask(worker)

    run(story())


def test_grpc() -> None:
    async def story() -> None:
        async with grpc_ingress("one") as worker, h2_client(worker) as client:
            seen = await ping(client, MESSAGES)
            assert seen.body == b"".join(b"%04done" % number for number in range(MESSAGES))
            assert seen.trailers == {"grpc-status": "0"}

    run(story())


def test_grpc_split() -> None:
    async def story() -> None:
        async with grpc_ingress("one", "two") as worker, h2_client(worker) as client:
            seen = await asyncio.gather(*(ping(client, 10) for _ in range(10)))
            suffixes = [
                {
                    each.body[at + 4 : at + MESSAGE_BYTES]
                    for at in range(0, len(each.body), MESSAGE_BYTES)
                }
                for each in seen
            ]
            assert all(len(each) == 1 for each in suffixes)
            assert Counter(each.pop() for each in suffixes) == {b"one": 5, b"two": 5}

    run(story())


def test_headers_pre_split_and_post_split() -> None:
    async def story() -> None:
        async with ingress("one", "two") as (worker, backends):
            shares = [
                Share(name, 5_000, (("Foo", "all"), ("Which-Backend", name)))
                for name in ("one", "two")
            ]
            serve(worker, backends, Route("a", (HOST,), split(*shares)))
            for _ in range(4):
                said = await ask(worker, "foo: mine", "FOO: mine too", "which-backend: neither")
                name = said.partition(b"\r\n\r\n")[2].partition(b"\r\n")[0]
                assert said.lower().count(b"\r\nfoo: ") == 1
                assert b"\r\nFoo: all\r\n" in said
                assert b"\r\nWhich-Backend: %b\r\n" % name in said
                assert b"mine" not in said
                assert b"neither" not in said

    run(story())


def test_headers_probe_is_not_answered_and_does_not_reach_the_revision() -> None:
    """Ready means here that every worker has acknowledged the table: nobody needs to probe."""

    async def story() -> None:
        async with ingress("one") as (worker, backends):
            serve(worker, backends, Route("a", (HOST,), even("one")))
            said = await ask(worker, "K-Network-Probe: probe", "K-Network-Hash: override")
            assert said.startswith(b"HTTP/1.1 200 ")
            assert b"k-network" not in said.lower()

    run(story())


def test_headers_tags() -> None:
    """A rule by header comes before the plain route."""

    async def story() -> None:
        async with ingress("one", "two") as (worker, backends):
            rule = HeaderRule("knative-serving-tag", "canary", split(Share("two", 10_000), key="r"))
            serve(worker, backends, Route("a", (HOST,), even("one"), rules=(rule,)))
            assert b"\r\n\r\ntwo\r\n" in await ask(worker, "Knative-Serving-Tag: canary")
            assert b"\r\n\r\none\r\n" in await ask(worker, "Knative-Serving-Tag: other")
            assert b"\r\n\r\none\r\n" in await ask(worker)

    run(story())


def test_host_rewrite() -> None:
    async def story() -> None:
        async with ingress("one") as (worker, backends):
            serve(worker, backends, Route("a", (HOST,), even("one"), host="hello.default.svc"))
            assert b"\r\nHost: hello.default.svc\r\n" in await ask(worker)

    run(story())


@pytest.mark.parametrize("visibility", ["dispatch/percentage", "visibility/split"])
def test_percentages(visibility: str) -> None:
    """Knative allows ten points; here each is within one request, and 0 % gets none."""
    names = tuple(f"revision-{number}" for number in range(len(PERCENTS)))

    async def story() -> Counter[str]:
        async with ingress(*names) as (worker, backends), inner_listener(worker) as inner:
            shares = [
                Share(name, percent * 100) for name, percent in zip(names, PERCENTS, strict=True)
            ]
            local = visibility == "visibility/split"
            hosts = ((), (HOST,)) if local else ((HOST,), ())
            serve(worker, backends, Route("a", hosts[0], split(*shares), local_hosts=hosts[1]))
            return await shares_of(worker, inner if local else worker.port)

    counts = run(story())
    for name, percent in zip(names, PERCENTS, strict=True):
        assert abs(counts[name] - REQUESTS * percent / 100) <= (1 if percent else 0)


def test_visibility() -> None:
    inside = ("hello.default", "hello.default.svc", "hello.default.svc.cluster.local")

    async def story() -> None:
        async with ingress("one") as (worker, backends), inner_listener(worker) as inner:
            serve(worker, backends, Route("a", (HOST,), even("one"), local_hosts=inside))
            for host in inside:
                assert (await ask(worker, host=host)).startswith(b"HTTP/1.1 404 ")
            for host in (*inside, HOST):
                assert (await ask(worker, host=host, port=inner)).startswith(b"HTTP/1.1 200 ")

    run(story())


def test_retry() -> None:
    """An application's own 503 is its answer."""
    refusal = OK.replace(b"200 OK", b"503 Service Unavailable")

    async def story() -> None:
        async with gateway() as worker, revision(replying(refusal, OK)) as address:
            serve(worker, {"one": Backend("one", (address,))}, Route("a", (HOST,), even("one")))
            reader, writer = await worker.connect()
            ask_once = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
            for status in (b"503", b"200"):
                writer.write(ask_once)
                assert (await read_head(reader)).startswith(b"HTTP/1.1 " + status)
                await reader.readexactly(2)

    run(story())


@pytest.mark.parametrize("before", [b"", OK[:-2]], ids=["before the head", "before the body"])
def test_timeout(before: bytes) -> None:
    """The gateway has no patience of its own: only the revision's timeoutSeconds counts."""
    go_on, waiting = asyncio.Event(), asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(before)
        waiting.set()
        await go_on.wait()
        writer.write(OK[len(before) :])

    async def story() -> bytes:
        async with gateway() as worker, revision(script) as address:
            backends = {"one": Backend("one", (address,), timeout_s=300.0)}
            serve(worker, backends, Route("a", (HOST,), even("one")))
            reader, writer = await worker.connect()
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            await waiting.wait()
            deadlines = worker.worker.deadlines
            for silent_s in (10, 100, 290):
                now = deadlines.now + silent_s
                deadlines._on_second(now)
                for connection in list(deadlines.connections):
                    connection.check_requests(now, 0.1)
                    connection.check(now)
            go_on.set()
            async with asyncio.timeout(WAIT_S):
                return await reader.readexactly(len(OK))

    assert run(story()) == OK


def test_update() -> None:
    """Twenty updates under a prober: no request fails, and each update counts once it is served."""
    failed: list[bytes] = []

    async def probe(worker: Gateway, over: asyncio.Event) -> int:
        asked = 0
        while not over.is_set():
            said = await ask(worker)
            asked += 1
            if not said.startswith(b"HTTP/1.1 200 "):
                failed.append(said)
        return asked

    async def story() -> int:
        names = ("same", *(f"new-{number}" for number in range(10)))
        async with ingress(*names) as (worker, backends):
            over = asyncio.Event()
            updates = [("same", f"rollout-{number}") for number in range(10)]
            updates += [(name, name) for name in names[1:]]
            probers: list[asyncio.Task[int]] = []
            for version, (name, update) in enumerate(updates):
                share = Share(name, 10_000, (("X-Update", update),))
                served = {name: backends[name]}  # the one before is gone
                serve(worker, served, Route("a", (HOST,), split(share)), version=version + 1)
                if not probers:
                    probers = [asyncio.create_task(probe(worker, over)) for _ in range(4)]
                for _ in range(5):
                    said = await ask(worker)
                    assert b"\r\nX-Update: %b\r\n" % update.encode() in said
                    assert b"\r\n\r\n%b\r\n" % name.encode() in said
            over.set()
            return sum(await asyncio.gather(*probers))

    assert run(story()) > 20
    assert failed == []


def test_websocket_and_websocket_split() -> None:
    async def story() -> None:
        async with ingress("one", "two") as (worker, backends):
            serve(worker, backends, Route("a", (HOST,), even("one", "two")))
            kept: Counter[bytes] = Counter()
            for _ in range(4):
                reader, writer = await worker.connect()
                upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n{upgrade}\r\n".encode())
                assert (await read_head(reader)).startswith(b"HTTP/1.1 101 ")
                suffixes = set()
                for number in range(MESSAGES):
                    writer.write(b"%04d" % number)
                    echo = await reader.readexactly(7)
                    assert echo[:4] == b"%04d" % number
                    suffixes.add(echo[4:])
                assert len(suffixes) == 1
                kept[suffixes.pop()] += 1
            assert kept == {b"one": 2, b"two": 2}

    run(story())
