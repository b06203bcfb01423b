"""Errors of the gateway's own, as clients of HTTP/2 and of gRPC read them."""

from __future__ import annotations

import asyncio

import pytest

from gateway.http2.errors import ErrorCode
from gateway.http2.frames import PREFACE, goaway
from tests.support.gateway import HOST, WAIT_S, Script, gateway, replying, revision, run, until
from tests.support.h2peers import Peer, Seen, h2_client, h2_revision, h2c


@pytest.mark.parametrize(
    ("host", "refused", "status"),
    [
        pytest.param("nobody.example.com", False, "12", id="404 is UNIMPLEMENTED"),
        pytest.param(HOST, True, "14", id="502 is UNAVAILABLE"),
    ],
)
def test_a_grpc_client_gets_its_errors_as_trailers_alone(
    host: str, refused: bool, status: str
) -> None:
    async def break_off(peer: Peer, seen: Seen) -> None:
        peer.reset(seen, 2)

    async def story() -> Seen:
        async with gateway() as under_test, h2_revision(break_off) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                grpc = ("content-type", "application/grpc+proto")
                return await client.answered(client.ask("/a.B/c", grpc, method="POST", host=host))

    seen = run(story())
    assert seen.status == "200"
    assert seen.head["content-type"] == "application/grpc"
    assert seen.head["grpc-status"] == status
    assert seen.head["grpc-message"]
    assert (seen.body, seen.ended) == (b"", True)
    assert refused is (status == "14")


GRPC = ("content-type", "application/grpc")


@pytest.mark.parametrize("headers", [(), (GRPC,)], ids=["plain", "gRPC"])
def test_an_error_explains_itself_where_there_was_a_route(
    headers: tuple[tuple[str, str], ...],
) -> None:
    async def break_off(peer: Peer, seen: Seen) -> None:
        peer.reset(seen, 2)

    async def story() -> tuple[Seen, Seen]:
        async with gateway() as under_test, h2_revision(break_off) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                asked = (("knary-explain", "1"), *headers)
                lost = await client.answered(client.ask("/", *asked, host="nobody.example.com"))
                failed = await client.answered(client.ask("/", *asked))
                return lost, failed

    lost, failed = run(story())
    assert lost.ended
    assert "knary-explain" not in lost.head
    assert "revision=one;" in failed.head["knary-explain"]
    assert "knary-revision" not in failed.head  # it is the gateway that answered


def test_a_grpc_call_that_takes_too_long_ends_with_trailers() -> None:
    async def start(peer: Peer, seen: Seen) -> None:
        peer.say(seen, (":status", "200"), ("content-type", "application/grpc"))
        peer.data(seen, b"\0\0\0\0\0")

    async def story() -> Seen:
        async with gateway(tick_s=0.01) as under_test, h2_revision(start) as server:
            under_test.router.replace(h2c({"one": (server.address,)}, timeout_s=0.1))
            async with h2_client(under_test) as client:
                seen = client.ask("/a.B/c", ("content-type", "application/grpc"), method="POST")
                await client.answered(seen)
                await until(lambda: server.streams[0].code == 8, "the revision hears of it")
                return seen

    seen = run(story())
    assert seen.body == b"\0\0\0\0\0"
    assert seen.trailers["grpc-status"] == "14"


def test_a_revision_that_does_not_speak_h2c_is_a_502() -> None:
    script: Script = replying(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async def story() -> None:
        async with gateway() as under_test, revision(script) as address:
            under_test.router.replace(h2c({"one": (address,)}))
            async with h2_client(under_test) as client:
                seen = await client.get()
                assert seen.status == "502"

    run(story())


@pytest.mark.parametrize(
    ("begins", "answered"),
    [
        pytest.param(PREFACE[:-6] + b"XX\r\n\r\n", "GOAWAY", id="wrong at its end"),
        pytest.param(PREFACE[:-1] + b"x", "GOAWAY", id="wrong in its last byte"),
        pytest.param(b"INVALID CONNECTION PREFACE\r\n\r\n", "400", id="h2spec's: no HTTP at all"),
        pytest.param(b"PRI / HTTP/1.0\r\n\r\n", "404", id="a method of that name"),
        pytest.param(b"PRI / HTTP/2.0\r\n\r\n", "505", id="another target"),
        pytest.param(b"PRJ * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505", id="another method"),
    ],
)
def test_who_does_not_begin_as_http2_does_is_answered_in_http1(
    begins: bytes, answered: str
) -> None:
    """RFC 9113 3.4: the GOAWAY may be left out, for such a peer speaks no HTTP/2."""

    async def story() -> bytes:
        async with gateway() as under_test:
            reader, writer = await under_test.connect()
            writer.write(begins)
            try:
                return await asyncio.wait_for(reader.read(), WAIT_S)
            finally:
                writer.close()

    said = run(story())
    if answered == "GOAWAY":
        assert said.endswith(goaway(0, ErrorCode.PROTOCOL_ERROR, b"no HTTP/2 preface"))
    else:
        assert said.startswith(b"HTTP/1.1 %b " % answered.encode())
