"""How streams and connections of HTTP/2 end before their time, and who hears of it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from gateway.http2.errors import ErrorCode
from gateway.http2.frames import (
    PREFACE,
    SETTINGS_ACK,
    goaway,
    ping,
    settings_frame,
)
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
from tests.support.h2peers import Peer, Seen, echo, h2_client, h2_revision, h2c, saying_h2
from tests.support.http2 import headers

ASK = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/"),
    (b":authority", HOST.encode()),
)


def limit(under_test: Gateway, **changes: float) -> None:
    """Change limits of HTTP/2 for the connections to come."""
    worker = under_test.worker
    worker.http2 = msgspec.structs.replace(worker.http2, **changes)


async def hold(peer: Peer, seen: Seen) -> None:
    """Never answer."""


async def begin(peer: Peer, seen: Seen) -> None:
    """Answer, and never end."""
    peer.say(seen, (":status", "200"))
    peer.data(seen, b"abc")


def test_a_client_that_cancels_cancels_the_revisions_stream_alone() -> None:
    async def story() -> None:
        async with gateway() as under_test, h2_revision(hold) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                first, second = client.ask(), client.ask()
                await until(lambda: len(server.streams) == 2, "both are there")
                client.reset(first)
                await until(lambda: server.streams[0].code == 8, "the revision hears of it")
                server.peers[0].say(server.streams[1], (":status", "200"), ended=True)
                assert (await client.answered(second)).status == "200"

    run(story())


def test_a_client_that_cancels_closes_the_connection_of_http1() -> None:
    async def story() -> None:
        closed = asyncio.Event()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            try:
                await reader.read()
            finally:
                closed.set()

        async with gateway() as under_test, revision(script) as address:
            under_test.router.replace(table({"one": (address,)}))
            async with h2_client(under_test) as client:
                seen = client.ask()
                await until(lambda: bool(seen.body), "it has begun")
                client.reset(seen)
                async with asyncio.timeout(5):
                    await closed.wait()

    run(story())


def test_a_client_that_goes_cancels_all_its_streams() -> None:
    async def story() -> None:
        async with gateway() as under_test, h2_revision(begin) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                streams = [client.ask() for _ in range(5)]
                await until(lambda: all(each.body for each in streams), "all have begun")
                client.writer.transport.abort()
                await until(lambda: all(each.code == 8 for each in server.streams), "all ended")
            assert not under_test.backend().replicas[0].in_flight

    run(story())


@pytest.mark.parametrize("client", ["h2", "http1"])
def test_an_answer_that_the_revision_breaks_off_is_seen_to_be_broken(client: str) -> None:
    async def break_off(peer: Peer, seen: Seen) -> None:
        await begin(peer, seen)
        peer.reset(seen, ErrorCode.INTERNAL_ERROR)

    async def story() -> None:
        async with gateway() as under_test, h2_revision(break_off) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            if client == "h2":
                async with h2_client(under_test) as peer:
                    seen = await peer.get()
                    assert (seen.status, seen.code) == ("200", ErrorCode.INTERNAL_ERROR)
            else:
                said = await under_test.get()
                assert said.endswith(b"3\r\nabc\r\n"), "without its last chunk"

    run(story())


def test_an_http1_revision_that_dies_within_its_answer_resets_the_stream() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")

    async def story() -> None:
        async with gateway() as under_test, revision(script) as address:
            under_test.router.replace(table({"one": (address,)}))
            async with h2_client(under_test) as client:
                seen = await client.get()
                assert (seen.status, seen.code) == ("200", ErrorCode.INTERNAL_ERROR)

    run(story())


@pytest.mark.parametrize("how", ["reset", "closed"])
def test_a_revision_that_gives_no_answer_is_a_502(how: str) -> None:
    async def fail(peer: Peer, seen: Seen) -> None:
        if how == "reset":
            peer.reset(seen, ErrorCode.INTERNAL_ERROR)
        else:
            peer.writer.transport.abort()

    async def story() -> None:
        async with gateway() as under_test, h2_revision(fail) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                seen = await client.answered(client.ask(method="POST"))
                assert seen.status == "502"
            assert len(server.streams) == 1

    run(story())


@pytest.mark.parametrize("how", ["REFUSED_STREAM", "GOAWAY"])
@pytest.mark.parametrize("body", [b"", b"abc"])
def test_a_request_that_the_revision_did_not_look_at_is_sent_again(how: str, body: bytes) -> None:
    async def story() -> None:
        refused: list[Seen] = []

        async def refuse_first(peer: Peer, seen: Seen) -> None:
            await until(lambda: seen.is_over, "the request is whole")
            if refused:
                await echo(peer, seen)
                return
            refused.append(seen)
            if how == "GOAWAY":
                peer.h2.close_connection(0, last_stream_id=0)
                peer.send()
            else:
                peer.reset(seen, ErrorCode.REFUSED_STREAM)

        async with gateway() as under_test, h2_revision(refuse_first) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                seen = client.ask(method="POST", ended=False)
                client.data(seen, body, ended=True)
                await client.answered(seen)
                assert (seen.status, seen.body) == ("200", body or b"nothing")
            assert [each.body for each in server.streams] == [body, body]
            assert len(server.peers) == (2 if how == "GOAWAY" else 1)
            assert under_test.worker.metrics.worker.retries == 1

    run(story())


def test_a_refused_request_that_is_no_longer_kept_failed_and_is_no_nonsense() -> None:
    async def story() -> None:
        async def refuse(peer: Peer, seen: Seen) -> None:
            await until(lambda: seen.is_over, "the request is whole")
            peer.h2.close_connection(0, last_stream_id=0)
            peer.send()

        async with gateway() as under_test, h2_revision(refuse) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                seen = client.ask(method="POST", ended=False)
                for part in range(5):
                    window = client.h2.local_flow_control_window
                    await until(lambda: window(seen.id) >= 16_000, "room for more")  # noqa: B023
                    client.data(seen, b"x" * 16_000, ended=part == 4)
                await client.answered(seen)
                assert seen.status == "502"
                assert seen.body == b"the revision closed the connection before it answered\n"

    run(story())


@pytest.mark.parametrize(
    ("method", "status"), [("GET", "200"), ("POST", "502")], ids=["idempotent", "not"]
)
def test_a_used_connection_that_closes_in_silence_costs_one_retry(method: str, status: str) -> None:
    async def story() -> None:
        async def close_at_second(peer: Peer, seen: Seen) -> None:
            if seen.id == 3:
                peer.writer.transport.abort()
            else:
                await saying_h2("one")(peer, seen)

        async with gateway() as under_test, h2_revision(close_at_second) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                assert (await client.get()).status == "200"
                seen = await client.answered(client.ask(method=method))
                assert seen.status == status
            assert len(server.peers) == (2 if status == "200" else 1)

    run(story())


def test_a_request_that_is_always_refused_is_a_502_in_the_end() -> None:
    async def refuse(peer: Peer, seen: Seen) -> None:
        peer.reset(seen, ErrorCode.REFUSED_STREAM)

    async def story() -> None:
        async with gateway() as under_test, h2_revision(refuse) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                assert (await client.get()).status == "502"
            assert len(server.streams) == 4

    run(story())


def test_a_body_too_long_to_be_kept_is_not_sent_again() -> None:
    async def refuse(peer: Peer, seen: Seen) -> None:
        await until(lambda: len(seen.body) > 10, "some of it")
        peer.reset(seen, ErrorCode.REFUSED_STREAM)

    async def story() -> None:
        async with gateway() as under_test, h2_revision(refuse) as server:
            limit(under_test, replay_bytes_max=10)
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                seen = client.ask(method="POST", ended=False)
                client.data(seen, b"x" * 11)
                assert (await client.answered(seen)).status == "502"
            assert len(server.streams) == 1

    run(story())


@pytest.mark.parametrize("protocol", ["h2c", "http1"])
def test_an_early_answer_ends_the_request(protocol: str) -> None:
    async def early_h1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await reader.read()

    async def early_h2(peer: Peer, seen: Seen) -> None:
        peer.say(seen, (":status", "413"))
        peer.data(seen, b"big", ended=True)

    async def story() -> None:
        async with (
            gateway() as under_test,
            revision(early_h1) as address,
            h2_revision(early_h2) as server,
        ):
            backends = {"one": (server.address if protocol == "h2c" else address,)}
            under_test.router.replace((h2c if protocol == "h2c" else table)(backends))
            async with h2_client(under_test) as client:
                seen = client.ask(method="POST", ended=False)
                client.data(seen, b"x" * 1000)
                await until(lambda: seen.code is not None, "it is told to stop")
                assert (seen.status, seen.body, seen.code) == ("413", b"big", 0)
                if protocol == "h2c":
                    await until(lambda: server.streams[0].code == 8, "so is the revision")
                assert not client.is_closed

    run(story())


def test_draining_finishes_streams_and_says_goodbye() -> None:
    async def story() -> bytes:
        async with gateway() as under_test, h2_revision(hold) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            reader, writer = await under_test.connect()
            writer.write(PREFACE + settings_frame([]) + SETTINGS_ACK + headers(1, *ASK))
            await until(lambda: len(server.streams) == 1, "it is under way")
            drained = asyncio.ensure_future(under_test.worker.drain())
            said = await reader.readuntil(b"draining")
            writer.write(headers(3, *ASK) + ping(b"draining", ack=True) + headers(5, *ASK))
            await until(lambda: len(server.streams) == 2, "what was on its way is served")
            for each in server.streams:
                server.peers[0].say(each, (":status", "200"), ended=True)
            said += await reader.read()
            writer.close()
            assert await drained == 0
            return said

    said = run(story())
    first = goaway(2**31 - 1, ErrorCode.NO_ERROR) + ping(b"draining", ack=False)
    assert first in said
    last = said.index(goaway(3, ErrorCode.NO_ERROR))
    assert last < said.index(b"\x88", last), "the answers come after it"


def test_a_client_that_does_not_hear_of_the_drain_is_told_again() -> None:
    async def story() -> bytes:
        async with gateway(drain_idle_s_max=0.05, tick_s=0.01) as under_test:
            reader, writer = await under_test.connect()
            writer.write(PREFACE + settings_frame([]) + SETTINGS_ACK)
            await reader.readexactly(9)
            drained = asyncio.ensure_future(under_test.worker.drain())
            said = await reader.read()
            writer.close()
            assert await drained == 0
            return said

    assert run(story()).endswith(goaway(0, ErrorCode.NO_ERROR))


def test_many_connections_leave_nothing_behind() -> None:
    async def story() -> None:
        async with gateway() as under_test, revision(saying("one")) as address:
            under_test.router.replace(table({"one": (address,)}))
            for _ in range(20):
                async with h2_client(under_test) as client:
                    assert (await client.get()).body == b"one"
            await until(lambda: not under_test.worker.deadlines.connections, "all are forgotten")

    run(story())


def test_one_streams_malformed_request_leaves_the_others_alone() -> None:
    async def story() -> None:
        async with gateway() as under_test, h2_revision(saying_h2("one")) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                bad = client.ask("/", ("x-test", "a\x00b"))
                good = client.ask()
                assert (await client.answered(bad)).code == ErrorCode.PROTOCOL_ERROR
                assert (await client.answered(good)).body == b"one"
            assert len(server.streams) == 1

    run(story())
