"""A WebSocket's way through the gateway: a 101 that was asked for makes a tunnel, nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from tests.support.gateway import (
    HOST,
    WAIT_S,
    Gateway,
    Script,
    gateway,
    read_head,
    replying,
    revision,
    run,
    table,
    until,
)
from tests.support.h2peers import h2_client

ASK = (
    f"GET /chat HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
PLAIN = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def switching(*, hello: bytes = b"") -> Script:
    """Return a revision that switches, says hello in the same packet, and echoes until the end."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(SWITCHED + hello)
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write(b"|all heard")

    return script


async def bounded(awaited: Awaitable[bytes]) -> bytes:
    return await asyncio.wait_for(awaited, WAIT_S)


def through(script: Script, story: Callable[..., Awaitable[object]], **limits: float) -> object:
    """Return what a story makes of a connection to a revision behind the gateway."""

    async def run_it() -> object:
        async with (
            gateway(tick_s=0.01, tunnel_half_closed_s_max=0.1) as worker,
            revision(script) as address,
        ):
            worker.router.replace(table({"one": (address,)}, **limits))
            return await story(worker, *await worker.connect())

    return run(run_it())


def test_bytes_go_both_ways_after_the_101_and_each_side_may_end_first() -> None:
    async def story(worker: object, reader: asyncio.StreamReader, writer: object) -> bytes:
        writer.write(ASK)  # type: ignore[attr-defined]
        head = await bounded(read_head(reader))
        assert b"HTTP/1.1 101 " in head
        assert b"Upgrade: websocket\r\n" in head
        assert b"Sec-WebSocket-Accept: s3p" in head
        greeting = await bounded(reader.readexactly(5))
        writer.write(b"a" * 300_000)  # type: ignore[attr-defined]
        echoed = await bounded(reader.readexactly(300_000))
        writer.write_eof()  # type: ignore[attr-defined]
        rest = await bounded(reader.read())
        assert echoed == b"a" * 300_000
        return greeting + rest

    assert through(switching(hello=b"hello"), story) == b"hello|all heard"


def test_what_a_client_sends_before_the_101_waits_for_it() -> None:
    """It goes up as the tunnel's first bytes, never as a request (RFC 9931)."""
    asked = asyncio.Event()
    seen = b""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        await read_head(reader)
        asked.set()
        try:
            seen = await asyncio.wait_for(reader.read(100), 0.05)
        except TimeoutError:
            seen = b"nothing"
        writer.write(SWITCHED + b"!")
        writer.write(await reader.read(100))

    async def story(worker: object, reader: asyncio.StreamReader, writer: object) -> bytes:
        writer.write(ASK + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")  # type: ignore[attr-defined]
        await asked.wait()
        await bounded(read_head(reader))
        return await bounded(reader.read())

    assert through(slow, story) == b"!GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    assert seen == b"nothing"


@pytest.mark.parametrize("early", [b"", b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_an_answer_that_is_no_101_opens_no_tunnel(early: bytes) -> None:
    """What came early was meant for a tunnel: it is no request, and the connection ends."""
    requests = 0

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        while True:
            await read_head(reader)
            requests += 1
            writer.write(OK)

    async def story(worker: object, reader: asyncio.StreamReader, writer: object) -> bytes:
        writer.write(ASK + early)  # type: ignore[attr-defined]
        first = await bounded(reader.readuntil(b"ok"))
        if not early:
            writer.write(PLAIN)  # type: ignore[attr-defined]
            await bounded(reader.readuntil(b"ok"))
            return first
        return first + await bounded(reader.read())

    answer = through(refusing, story)
    assert isinstance(answer, bytes)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert requests == (1 if early else 2)


@pytest.mark.parametrize(
    ("ask", "switched"),
    [
        pytest.param(
            f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode(), SWITCHED, id="nobody asked"
        ),
        pytest.param(
            ASK.replace(b"websocket", b"h2c"), SWITCHED.replace(b"WebSocket", b"h2c"), id="h2c"
        ),
        pytest.param(ASK, SWITCHED.replace(b"WebSocket", b"h2c"), id="to another protocol"),
        pytest.param(ASK.replace(b"GET", b"POST"), SWITCHED, id="by POST"),
        pytest.param(ASK.replace(b"HTTP/1.1", b"HTTP/1.0"), SWITCHED, id="by HTTP/1.0"),
        pytest.param(ASK.replace(b"Connection: Upgrade\r\n", b""), SWITCHED, id="not for this hop"),
    ],
)
def test_a_101_that_was_not_asked_for_is_a_502(ask: bytes, switched: bytes) -> None:
    async def story(worker: object, reader: asyncio.StreamReader, writer: object) -> bytes:
        writer.write(ask)  # type: ignore[attr-defined]
        return await bounded(read_head(reader))

    answer = through(replying(switched), story)
    assert isinstance(answer, bytes)
    assert answer.startswith(b"HTTP/1.1 502 ")


def test_a_revision_that_dies_ends_the_tunnel() -> None:
    async def dying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(SWITCHED)
        await reader.read(1)
        writer.transport.abort()

    async def story(worker: object, reader: asyncio.StreamReader, writer: object) -> bytes:
        writer.write(ASK)  # type: ignore[attr-defined]
        await bounded(read_head(reader))
        writer.write(b"x")  # type: ignore[attr-defined]
        try:
            rest = await bounded(reader.read())
        except ConnectionResetError:
            rest = b""
        (replica,) = worker.backend().replicas  # type: ignore[attr-defined]
        await until(lambda: replica.in_flight == 0, "the request is over")
        assert worker.worker.upstream_connections == 0  # type: ignore[attr-defined]
        return rest

    assert through(dying, story) == b""


@pytest.mark.parametrize("limit", ["timeout_s", "idle_s"])
def test_a_tunnel_ends_at_the_revisions_timeout(limit: str) -> None:
    async def story(worker: object, reader: asyncio.StreamReader, writer: object) -> bytes:
        writer.write(ASK)  # type: ignore[attr-defined]
        await bounded(read_head(reader))
        try:
            return await bounded(reader.read())
        except ConnectionResetError:
            return b""

    assert through(switching(), story, **{limit: 0.1}) == b""


def test_a_slow_reader_holds_the_revision_back() -> None:
    sent = 0

    async def flooding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_head(reader)
        writer.write(SWITCHED)
        while sent < 64_000_000:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async def story(worker: object, reader: asyncio.StreamReader, writer: object) -> int:
        writer.write(ASK)  # type: ignore[attr-defined]
        await bounded(read_head(reader))
        before = -1
        while before != sent:
            before = sent
            await asyncio.sleep(0.05)  # how long a flood may stand still and still be one
        return sent

    stood_at = through(flooding, story)
    assert isinstance(stood_at, int)
    assert 0 < stood_at < 32_000_000


def test_what_came_early_is_no_request_either_when_the_gateway_itself_answers() -> None:
    async def story(worker: object, reader: asyncio.StreamReader, writer: object) -> bytes:
        ask = ASK.replace(HOST.encode(), b"nobody.example.com")
        writer.write(ask + PLAIN)  # type: ignore[attr-defined]
        return await bounded(reader.read())

    answer = through(replying(OK), story)
    assert isinstance(answer, bytes)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_tunnel_whose_revision_reads_nothing_ends_at_its_timeout_on_both_sides() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(SWITCHED)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async def story(
        worker: Gateway, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(ASK)
        await bounded(read_head(reader))
        (replica,) = worker.backend().replicas
        writer.write(b"x" * 30_000_000)
        with contextlib.suppress(ConnectionError):
            await bounded(reader.read())
        await until(lambda: replica.in_flight == 0, "the replica is free")
        assert worker.worker.metrics.cell("", "default/one", "").ended == 1

    through(script, story, timeout_s=0.3)


def test_a_client_that_sends_no_more_when_the_101_comes_is_heard_to_its_end() -> None:
    ended = asyncio.Event()

    async def story(
        worker: Gateway, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        writer.write(ASK + b"early")
        writer.write_eof()
        (client,) = worker.worker.deadlines.connections
        await until(lambda: client._half_closed, "the gateway has seen its end")  # type: ignore[attr-defined]
        ended.set()
        await bounded(read_head(reader))
        return await bounded(reader.read())

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await ended.wait()
        writer.write(SWITCHED)
        writer.write(await reader.read() + b"|all heard")

    assert through(script, story) == b"early|all heard"


@pytest.mark.parametrize(
    ("ask", "answer", "expected"),
    [
        pytest.param(
            PLAIN,
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno",
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno",
            id="on a connection that stays",
        ),
        pytest.param(
            PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
            b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno",
            b"Connection: close, Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno",
            id="on one that closes",
        ),
        pytest.param(
            PLAIN,
            b"Upgrade: HTTP/3.0, x/1\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nno\r\n0\r\n\r\n",
            b"Connection: Upgrade\r\nUpgrade: HTTP/3.0, x/1, websocket\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
            id="several, as they were written, in chunks",
        ),
        pytest.param(
            PLAIN,
            b"Content-Length: 2\r\n\r\nno",
            b"Content-Length: 2\r\n\r\nno",
            id="a revision that names none",
        ),
    ],
)
def test_a_426_says_what_to_upgrade_to(ask: bytes, answer: bytes, expected: bytes) -> None:
    """RFC 9110 15.5.22 and 7.8."""
    first = b"HTTP/1.1 426 Upgrade Required\r\n"

    async def story(
        worker: object, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        writer.write(ask)
        return await bounded(reader.readexactly(len(first) + len(expected)))

    assert through(replying(first + answer), story) == first + expected


def test_other_answers_offer_no_upgrade_and_http2_knows_none() -> None:
    offer = b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno"

    async def story() -> None:
        ok, required = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 426 Upgrade Required\r\n"
        async with gateway() as worker, revision(replying(ok + offer, required + offer)) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(PLAIN)
            head = await bounded(read_head(reader))
            assert b"pgrade" not in head
            async with h2_client(worker) as client:
                seen = await client.get()
                assert (seen.status, seen.body) == ("426", b"no")
                assert "upgrade" not in seen.head
                assert "connection" not in seen.head

    run(story())
