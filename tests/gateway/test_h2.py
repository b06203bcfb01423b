"""HTTP/2 clients, and revisions of either protocol: all arrives as it was sent."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from gateway.contract import RouteTable
from gateway.http2.frames import PREFACE, settings_frame
from tests.support.gateway import (
    HOST,
    Gateway,
    gateway,
    read_head,
    revision,
    run,
    saying,
    table,
    until,
)
from tests.support.h2peers import (
    Peer,
    Revision,
    Seen,
    echo,
    h2_client,
    h2_revision,
    h2c,
    saying_h2,
)


async def h1_echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as `echo` does, in HTTP/1.1."""
    while True:
        head = (await read_head(reader)).decode("latin-1")
        first, *lines = head.split("\r\n")
        fields = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        body, trailers = b"", 0
        if "transfer-encoding" in fields:
            while size := int(await reader.readline(), 16):
                body += await reader.readexactly(size)
                await reader.readline()
            while (await reader.readline()) != b"\r\n":
                trailers += 1
        elif "content-length" in fields:
            body = await reader.readexactly(int(fields["content-length"]))
        method, target, _ = first.split(" ")
        said = f"Seen-Authority: {fields['host']}\r\nSeen-Path: {target}\r\n"
        for name in ("content-type", "x-test", "x-forwarded-for"):
            if name in fields:
                said += f"Seen-{name}: {fields[name]}\r\n"
        start = f"HTTP/1.1 200 OK\r\n{said}".encode()
        if method == "HEAD":
            writer.write(start + b"Content-Length: 7\r\n\r\n")
            continue
        body = body or b"nothing"
        writer.write(start + b"Transfer-Encoding: chunked\r\n\r\n")
        writer.write(b"%x\r\n%b\r\n0\r\nSeen-Trailers: %d\r\n\r\n" % (len(body), body, trailers))


@contextlib.asynccontextmanager
async def before(protocol: str, **settings: float) -> AsyncIterator[Gateway]:
    """Run a gateway before a revision that echoes in that protocol."""
    async with gateway(**settings) as under_test:
        if protocol == "h2c":
            async with h2_revision(echo) as server:
                under_test.router.replace(h2c({"one": (server.address,)}))
                yield under_test
        else:
            async with revision(h1_echo) as address:
                under_test.router.replace(table({"one": (address,)}))
                yield under_test


each_protocol = pytest.mark.parametrize("protocol", ["h2c", "http1"])
BODIES = [b"", b"x", b"y" * 300_000]


@each_protocol
def test_a_request_is_answered_by_a_revision_of_either_protocol(protocol: str) -> None:
    async def story() -> None:
        async with before(protocol) as under_test, h2_client(under_test) as client:
            seen = await client.get("/a?b=c", ("x-test", "1"), ("x-forwarded-for", "1.2.3.4"))
            assert seen.status == "200"
            assert seen.body == b"nothing"
            assert seen.head["seen-path"] == "/a?b=c"
            assert seen.head["seen-authority"] == HOST
            assert seen.head["seen-x-test"] == "1"
            assert seen.head["seen-x-forwarded-for"] == "1.2.3.4, 127.0.0.1"
            assert seen.trailers == {"seen-trailers": "0"}

    run(story())


@each_protocol
@pytest.mark.parametrize("size", [0, 1, 300_000])
@pytest.mark.parametrize("framing", ["length", "open"])
def test_bodies_and_trailers_travel_both_ways(protocol: str, size: int, framing: str) -> None:
    async def story() -> None:
        body = b"z" * size
        async with before(protocol) as under_test, h2_client(under_test) as client:
            more = [("content-length", str(size))] if framing == "length" else []
            seen = client.ask("/", *more, method="POST", ended=False)
            await client.pour(seen, body, ended=framing == "length")
            if framing == "open":
                client.say(seen, ("checksum", "7"), ended=True)
            await client.answered(seen)
            assert seen.body == (body or b"nothing")
            assert seen.trailers == {"seen-trailers": "1" if framing == "open" else "0"}

    run(story())


@each_protocol
def test_head_has_a_length_and_no_body(protocol: str) -> None:
    async def story() -> None:
        async with before(protocol) as under_test, h2_client(under_test) as client:
            seen = await client.answered(client.ask("/", method="HEAD"))
            assert (seen.status, seen.head["content-length"], seen.body) == ("200", "7", b"")

    run(story())


def test_an_http1_client_is_answered_by_a_revision_of_h2c() -> None:
    async def story() -> bytes:
        async with before("h2c") as under_test:
            return await under_test.exchange(
                f"POST /a HTTP/1.1\r\nHost: {HOST}\r\nX-Test: 1\r\nConnection: close\r\n"
                "TE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n".encode(),
                [b"3\r\nabc\r\n", b"0\r\nChecksum: 7\r\n\r\n"],
            )

    head, _, rest = run(story()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"seen-x-test: 1" in head
    assert rest == b"3\r\nabc\r\n0\r\nseen-trailers: 1\r\n\r\n"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_http1_client_keeps_its_connection_to_a_revision_of_h2c(method: str) -> None:
    async def story() -> None:
        request = f"{method} / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        async with before("h2c") as under_test:
            reader, writer = await under_test.connect()
            for _ in range(3):
                writer.write(request)
                head = await read_head(reader)
                assert head.startswith(b"HTTP/1.1 200 OK\r\n")
                if method == "GET":
                    assert await reader.readuntil(b"\r\n\r\n") == (
                        b"7\r\nnothing\r\n0\r\nseen-trailers: 0\r\n\r\n"
                    )

    run(story())


def test_te_trailers_goes_on_to_a_revision_of_h2c() -> None:
    async def story() -> None:
        async with before("h2c") as under_test, h2_client(under_test) as client:
            seen = await client.get("/", ("te", "trailers"))
            assert seen.head["seen-te"] == "trailers"

    run(story())


@each_protocol
def test_each_stream_is_split_on_its_own(protocol: str) -> None:
    async def story() -> Counter[bytes]:
        async with gateway() as under_test, contextlib.AsyncExitStack() as stack:
            names = ("blue", "green")
            addresses = {}
            for name in names:
                if protocol == "h2c":
                    server = await stack.enter_async_context(h2_revision(saying_h2(name)))
                    addresses[name] = (server.address,)
                else:
                    address = await stack.enter_async_context(revision(saying(name)))
                    addresses[name] = (address,)
            make = h2c if protocol == "h2c" else table
            under_test.router.replace(make(addresses, {"blue": 3, "green": 1}))
            client = await stack.enter_async_context(h2_client(under_test))
            streams = [client.ask() for _ in range(40)]
            return Counter([(await client.answered(each)).body for each in streams])

    assert run(story()) == {b"blue": 30, b"green": 10}


def test_all_streams_share_one_connection_to_the_revision() -> None:
    async def story() -> None:
        async with gateway() as under_test, h2_revision(saying_h2("one")) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                streams = [client.ask() for _ in range(50)]
                for each in streams:
                    assert (await client.answered(each)).body == b"one"
            assert len(server.peers) == 1

    run(story())


@pytest.mark.parametrize(
    ("host", "status"), [("nobody.example.com", "404"), (HOST, "200")], ids=["no route", "a route"]
)
def test_a_host_without_a_route_is_a_404_of_its_stream_alone(host: str, status: str) -> None:
    async def story() -> None:
        async with before("h2c") as under_test, h2_client(under_test) as client:
            seen = await client.get(host=host)
            assert seen.status == status
            if status == "404":
                assert seen.body == b"no service has this host\n"
            assert (await client.get()).status == "200"

    run(story())


def test_interim_answers_are_passed_on() -> None:
    async def hint(peer: Peer, seen: Seen) -> None:
        peer.say(seen, (":status", "103"), ("link", "</a>"))
        await saying_h2("one")(peer, seen)

    async def story() -> None:
        async with gateway() as under_test, h2_revision(hint) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                seen = await client.get()
                assert (seen.interim, seen.body) == (["103"], b"one")

    run(story())


def test_expect_continue_is_answered() -> None:
    async def story() -> None:
        async with before("http1") as under_test, h2_client(under_test) as client:
            seen = client.ask("/", ("expect", "100-continue"), method="POST", ended=False)
            await until(lambda: bool(seen.interim), "100")
            client.data(seen, b"abc", ended=True)
            await client.answered(seen)
            assert (seen.interim, seen.body) == (["100"], b"abc")

    run(story())


def test_an_explained_request_says_where_it_went() -> None:
    async def story() -> None:
        async with before("h2c") as under_test, h2_client(under_test) as client:
            seen = await client.get("/", ("knary-explain", "1"))
            assert seen.head["knary-revision"] == "one"
            assert "route=" in seen.head["knary-explain"]

    run(story())


@pytest.mark.parametrize("cut", [1, 3, 14, 18, 23, 24, 30])
def test_the_preface_may_come_in_pieces(cut: int) -> None:
    async def story() -> bytes:
        async with before("h2c") as under_test:
            reader, writer = await under_test.connect()
            whole = PREFACE + settings_frame([])
            writer.write(whole[:cut])
            await writer.drain()
            for _ in range(20):
                await asyncio.sleep(0)
            writer.write(whole[cut:])
            return await reader.readexactly(9)

    assert run(story())[3] == 4


def test_a_preface_behind_a_request_is_no_request() -> None:
    async def story() -> bytes:
        async with before("http1") as under_test:
            request = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
            return await under_test.exchange(request + PREFACE)

    assert b"HTTP/1.1 505 " in run(story())


def test_a_revision_that_comes_back_gets_a_new_connection() -> None:
    async def story() -> None:
        async with gateway() as under_test, h2_revision(saying_h2("one")) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                assert (await client.get()).body == b"one"
                server.peers[0].writer.close()
                await until(lambda: not under_test.worker.sessions, "it is seen")
                assert (await client.get()).body == b"one"
                assert len(server.peers) == 2

    run(story())


def test_connections_that_go_away_make_room_for_new_ones() -> None:
    """As a server does that ends its connections when they are old; streams live on in them."""

    async def story() -> None:
        async def age(peer: Peer, seen: Seen) -> None:
            peer.say(seen, (":status", "200"))
            peer.h2.close_connection(0, last_stream_id=seen.id)
            peer.send()

        async with gateway() as under_test, h2_revision(age) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                for count in range(1, 9):
                    seen = client.ask()
                    await until(lambda seen=seen: seen.status == "200", "it has begun")  # type: ignore[misc]
                    await until(lambda n=count: len(server.peers) == n, "on its own")  # type: ignore[misc]
                assert not any(each.is_over for each in client.streams.values())

    run(story())


def test_a_revision_that_leaves_the_table_loses_its_idle_connection() -> None:
    async def story() -> None:
        async with gateway() as under_test, h2_revision(saying_h2("one")) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                await client.get()
                under_test.router.replace(RouteTable())
                await until(lambda: server.peers[0].is_closed, "the connection closes")
                await until(lambda: not under_test.worker.sessions, "it is forgotten")

    run(story())


def streams_of(server: Revision) -> list[int]:
    return [len(peer.streams) for peer in server.peers]


def test_no_more_streams_than_the_revision_takes() -> None:
    async def story() -> None:
        held: list[tuple[Peer, Seen]] = []
        most = 0

        async def hold(peer: Peer, seen: Seen) -> None:
            nonlocal most
            held.append((peer, seen))
            most = max(most, len(held))

        limit = {3: 2}  # SETTINGS_MAX_CONCURRENT_STREAMS
        async with gateway() as under_test, h2_revision(hold, initial=limit) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                first = client.ask()
                await until(lambda: len(held) == 1, "the limit is known")
                rest = [client.ask() for _ in range(29)]
                answers = 0
                while answers < 30:
                    await until(lambda: bool(held), "a request")
                    peer, seen = held.pop()
                    peer.say(seen, (":status", "200"), ended=True)
                    answers += 1
                for each in (first, *rest):
                    assert (await client.answered(each)).status == "200"
            assert len(server.peers) <= 4
            assert most <= 8

    run(story())
