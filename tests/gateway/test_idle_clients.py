"""Clients that stop in the middle: of a body that they send, or of an answer that they read.

The connection's own check is called with a time of the test's choice; nothing here waits.
"""

from __future__ import annotations

import asyncio

import pytest

from gateway.downstream.h1 import ClientConnection
from gateway.downstream.stillness import NOTHING_WAITS, Stillness
from tests.support.gateway import HOST, Gateway, gateway, read_head, revision, run, table, until

NEVER_S = 1000.0  # the worker's own timer: out of the way
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def post(*lines: str) -> bytes:
    return "\r\n".join(["POST / HTTP/1.1", f"Host: {HOST}", *lines, "", ""]).encode()


def client_of(worker: Gateway) -> ClientConnection:
    (connection,) = worker.worker.deadlines.connections
    assert isinstance(connection, ClientConnection)
    return connection


def unsent(connection: ClientConnection) -> int:
    return connection._transport.get_write_buffer_size()


class Uploads:
    """A revision that reads a request's body and says how much it has."""

    def __init__(self, answer: bytes = b"", *, after: int = 1 << 30) -> None:
        self.received = 0
        self.ended = False
        self._answer = answer
        self._after = after

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        while data := await reader.read(65536):
            self.received += len(data)
            if self._answer and self.received >= self._after:
                writer.write(self._answer)
                self._answer = b""
        self.ended = True


@pytest.mark.parametrize(
    ("framing", "first"),
    [("Content-Length: 9", b"abc"), ("Transfer-Encoding: chunked", b"3\r\nabc\r\n")],
    ids=["sized", "chunked"],
)
def test_a_body_that_stands_still_is_a_408_and_ends_at_the_revision(
    framing: str, first: bytes
) -> None:
    uploads = Uploads()

    async def story() -> bytes:
        async with gateway(tick_s=NEVER_S) as worker, revision(uploads) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(post(framing) + first)
            await until(lambda: uploads.received >= 3, "the revision has the first part")
            client = client_of(worker)
            client.check(0.0)
            client.check(59.0)
            client.check(61.0)
            said = await reader.read()
            await until(lambda: uploads.ended, "the revision sees the end")
            return said

    said = run(story())
    assert said.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"Connection: close\r\n" in said
    assert said.endswith(b"\r\n\r\nrequest body timeout\n")


def test_a_body_that_moves_is_waited_for() -> None:
    uploads = Uploads(OK, after=5)

    async def story() -> bytes:
        async with gateway(tick_s=NEVER_S) as worker, revision(uploads) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(post("Content-Length: 5"))
            for number in range(4):
                writer.write(b"x")
                await until(lambda wanted=number: uploads.received > wanted, "a byte arrives")  # type: ignore[misc]
                client_of(worker).check(59.0 * number)
            writer.write(b"x")
            return await reader.readexactly(len(OK))

    assert run(story()) == OK


def test_the_body_of_the_next_request_has_its_own_time() -> None:
    """As many bytes of it have come as of the one before, which says nothing."""

    async def story() -> bytes:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in range(2):
                await read_head(reader)
                await reader.readexactly(2)
                writer.write(OK)

        async with gateway(tick_s=NEVER_S) as worker, revision(script) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            for now in (0.0, 50.0):
                writer.write(post("Content-Length: 2") + b"x")
                await until(lambda: bool(worker.under_way()), "the request is under way")
                client_of(worker).check(now)
                client_of(worker).check(now + 30.0)
                writer.write(b"x")
                said = await reader.readexactly(len(OK))
            return said

    assert run(story()) == OK


def test_a_client_whose_answer_has_begun_may_send_when_it_likes() -> None:
    """Both directions may be one conversation; the revision's timeouts bound it."""
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
    uploads = Uploads(begun, after=1)

    async def story() -> bool:
        async with gateway(tick_s=NEVER_S) as worker, revision(uploads) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(post("Content-Length: 9") + b"abc")
            await reader.readuntil(b"ok\r\n")
            client = client_of(worker)
            client.check(0.0)
            client.check(500.0)
            writer.write(b"defghi")
            await until(lambda: uploads.received == 9, "the rest arrives")
            return not uploads.ended

    assert run(story())


def test_a_client_that_waits_for_the_revision_is_not_the_one_that_is_slow() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async def story() -> bool:
        async with (
            gateway(tick_s=NEVER_S, buffer_bytes_high=16384) as worker,
            revision(deaf) as address,
        ):
            worker.router.replace(table({"one": (address,)}))
            _, writer = await worker.connect()
            writer.write(post("Content-Length: 1000000000"))
            await until(lambda: bool(worker.worker.deadlines.connections), "connected")
            client = client_of(worker)
            piece = b"x" * 65536
            while not client._paused:  # more than the kernel's buffers hold
                writer.write(piece)
                await asyncio.sleep(0)
            client.check(0.0)
            client.check(500.0)
            return bool(worker.under_way())

    assert run(story())


BIG = 64 * 1024 * 1024


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % BIG)
    for _ in range(BIG // 65536):
        writer.write(b"x" * 65536)
        await writer.drain()
    await reader.read()


async def stalled(worker: Gateway) -> tuple[asyncio.StreamReader, ClientConnection]:
    """Return a client that asked for much and reads nothing, once the worker has noticed."""
    reader, writer = await worker.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % HOST.encode())
    await until(lambda: bool(worker.worker.deadlines.connections), "connected")
    client = client_of(worker)
    await until(lambda: client.cannot_write, "the answer waits for its client")
    return reader, client


def test_a_client_that_reads_nothing_is_cut() -> None:
    async def story() -> None:
        async with gateway(tick_s=NEVER_S) as worker, revision(endless) as address:
            worker.router.replace(table({"one": (address,)}))
            _, client = await stalled(worker)
            client.check(0.0)
            client.check(59.0)
            assert worker.under_way()
            client.check(61.0)
            await until(lambda: not worker.worker.deadlines.connections, "it is cut")
            await until(lambda: not worker.worker.upstream_connections, "and its revision told")

    run(story())


def test_a_client_that_reads_a_little_is_not() -> None:
    async def story() -> None:
        async with gateway(tick_s=NEVER_S) as worker, revision(endless) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % HOST.encode())
            await read_head(reader)
            client = client_of(worker)
            for number in range(8):
                before = worker.under_way()[0].bytes_down
                await until(lambda: client.cannot_write, "the answer waits for its client")
                client.check(59.0 * number)
                await reader.readexactly(4 * 1024 * 1024)
                moved = worker.under_way()[0]
                await until(lambda: moved.bytes_down > before, "more is on its way")  # noqa: B023
            assert not client._transport.is_closing()

    run(story())


def test_a_kept_connection_whose_last_answer_is_not_read_is_cut() -> None:
    size = 8 * 1024 * 1024

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
        await reader.read()

    async def story() -> None:
        async with (
            gateway(tick_s=NEVER_S, buffer_bytes_high=2 * size) as worker,
            revision(script) as address,
        ):
            worker.router.replace(table({"one": (address,)}))
            _, writer = await worker.connect()
            writer.write(b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % HOST.encode())
            await until(lambda: bool(worker.worker.deadlines.connections), "connected")
            client = client_of(worker)
            await until(lambda: unsent(client) > 0 and client.exchange is None, "answered")
            client.check(0.0)
            client.check(59.0)
            assert worker.worker.deadlines.connections
            client.check(61.0)
            await until(lambda: not worker.worker.deadlines.connections, "it is cut")

    run(story())


def test_stillness_begins_with_the_first_look_and_anew_after_a_rest() -> None:
    still = Stillness()
    assert [still.lasts_s(count, now) for count, now in ((3, 100.0), (3, 130.0))] == [0.0, 30.0]
    still.rest()
    assert [still.lasts_s(count, now) for count, now in ((3, 500.0), (2, 510.0))] == [0.0, 10.0]
    assert still.lasts_s(3, 520.0) == 0.0  # what fell rises again: that is movement


def test_an_answer_that_is_taken_is_movement_whatever_is_added_to_it() -> None:
    still = Stillness()
    assert still.unread_s(100, 100, 0.0) == 0.0
    assert still.unread_s(500, 506, 10.0) == 10.0  # more was written, in chunks; nothing taken
    assert still.unread_s(600, 600, 20.0) == 0.0
    assert still.unread_s(0, 600, 30.0) == 10.0  # the next answer
    assert still.unread_s(0, 0, 40.0) == NOTHING_WAITS
    assert still.unread_s(0, 5, 90.0) == 0.0
