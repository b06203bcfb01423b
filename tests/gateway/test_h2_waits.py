"""Peers that let us wait: each wait has an end, and an attack ends at once."""

from __future__ import annotations

import asyncio

import msgspec

from gateway.http2.errors import ErrorCode
from gateway.http2.frames import (
    HEADERS,
    PREFACE,
    SETTINGS_ACK,
    frame,
    goaway,
    rst_stream,
    settings_frame,
)
from tests.support.gateway import HOST, Gateway, gateway, revision, run, until
from tests.support.h2peers import Peer, Seen, h2_client, h2_revision, h2c
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


async def raw(under_test: Gateway, *sent: bytes) -> bytes:
    """Send these bytes; return all that comes until the connection closes."""
    reader, writer = await under_test.connect()
    writer.write(b"".join(sent))
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionResetError:
        return b"reset"


def test_a_client_that_acknowledges_no_settings_is_sent_away() -> None:
    async def story() -> bytes:
        async with gateway(tick_s=0.01) as under_test:
            limit(under_test, settings_ack_s_max=0.05)
            return await raw(under_test, PREFACE, settings_frame([]))

    assert b"SETTINGS were not acknowledged in time" in run(story())


def test_a_head_that_does_not_end_is_cut() -> None:
    async def story() -> bytes:
        async with gateway(tick_s=0.01) as under_test:
            limit(under_test, header_block_s_max=0.05)
            start = PREFACE + settings_frame([]) + SETTINGS_ACK
            return await raw(under_test, start, frame(HEADERS, 0, 1, b"\x82"))

    assert b"a header block that does not end" in run(story())


def test_an_idle_client_is_sent_away() -> None:
    async def story() -> bytes:
        async with gateway(tick_s=0.01, keep_alive_idle_s_max=0.05) as under_test:
            return await raw(under_test, PREFACE, settings_frame([]), SETTINGS_ACK)

    assert run(story()).endswith(goaway(0, ErrorCode.NO_ERROR))


def test_a_client_that_opens_no_window_loses_the_stream_and_the_revision_stops() -> None:
    async def story() -> None:
        async with gateway(tick_s=0.01) as under_test, h2_revision(begin) as server:
            limit(under_test, write_stalled_s_max=0.1)
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test, initial={4: 0}) as client:
                seen = await client.answered(client.ask())
                assert (seen.status, seen.code) == ("200", ErrorCode.CANCEL)
                await until(lambda: server.streams[0].code == 8, "the revision hears of it")

    run(story())


def test_a_silent_revision_is_asked_and_given_up() -> None:
    async def story() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(settings_frame([]) + SETTINGS_ACK)
            await reader.read()

        async with gateway(tick_s=0.01) as under_test, revision(serve) as address:
            limit(under_test, ping_interval_s=0.05, ping_ack_s_max=0.05)
            under_test.router.replace(h2c({"one": (address,)}))
            async with h2_client(under_test) as client:
                assert (await client.get()).status == "502"

    run(story())


def test_rapid_reset_ends_the_connection_and_all_work_upstream() -> None:
    async def story() -> None:
        async with gateway() as under_test, h2_revision(hold) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            attack = [headers(each, *ASK) + rst_stream(each, 8) for each in range(1, 601, 2)]
            start = PREFACE + settings_frame([]) + SETTINGS_ACK
            said = await raw(under_test, start, *attack)
            assert b"too many streams were reset" in said
            replica = under_test.backend().replicas[0]
            await until(lambda: replica.in_flight == 0, "nothing is left")
            await until(lambda: all(each.is_over for each in server.streams), "all cancelled")
            assert under_test.worker.waiting == 0

    run(story())
