"""Flow control from end to end: nobody's slowness fills our memory, or stops anybody else."""

from __future__ import annotations

import asyncio
import socket

import msgspec
import pytest

from gateway.http2.frames import PREFACE, SETTINGS_ACK, settings_frame
from tests.support.gateway import HOST, gateway, read_head, revision, run, table, until
from tests.support.h2peers import Peer, Seen, h2_client, h2_revision, h2c, saying_h2
from tests.support.http2 import headers

ASK = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/"),
    (b":authority", HOST.encode()),
)
MIB = 1024 * 1024
SIZE = 12 * MIB  # more than the kernel's buffers hold


async def settle() -> None:
    """Let everybody do all that can be done now."""
    for _ in range(300):
        await asyncio.sleep(0)


@pytest.mark.parametrize("protocol", ["h2c", "http1"])
def test_a_client_that_reads_nothing_stops_the_revision(protocol: str) -> None:
    size = 2 * MIB if protocol == "h2c" else SIZE

    async def story() -> None:
        sent = 0

        async def flood(peer: Peer, seen: Seen) -> None:
            nonlocal sent
            peer.say(seen, (":status", "200"))
            while sent < size:
                await until(lambda: peer.room(seen) > 0 or seen.code is not None, "a window")
                piece = min(peer.room(seen), 16_384)
                peer.h2.send_data(seen.id, b"x" * piece)
                sent += piece
                peer.send()
            peer.data(seen, ended=True)

        async def flood_h1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await read_head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            while sent < size:
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent += 65_536

        async with (
            gateway() as under_test,
            h2_revision(flood) as server,
            revision(flood_h1) as address,
        ):
            if protocol == "h2c":
                under_test.router.replace(h2c({"one": (server.address,)}))
            else:
                under_test.router.replace(table({"one": (address,)}))
            async with h2_client(under_test, reads_slowly=True) as client:
                seen = client.ask()
                await until(lambda: len(seen.body) == 65_535, "the window is full")
                await settle()
                before = sent
                await settle()
                assert sent == before, "the revision waits"
                if protocol == "h2c":
                    assert sent < MIB
                stream = client.h2.streams[seen.id]
                while not seen.is_over:
                    unread = 65_535 - stream.inbound_flow_control_window
                    if unread > 0:
                        client.read_on(seen, unread)
                    await asyncio.sleep(0)
                assert len(seen.body) == size

    run(story())


@pytest.mark.parametrize("protocol", ["h2c", "http1"])
def test_a_revision_that_reads_nothing_stops_the_client(protocol: str) -> None:
    async def story() -> None:
        go = asyncio.Event()

        async def slow(peer: Peer, seen: Seen) -> None:
            await go.wait()
            while not seen.ended:
                unread = 65_535 - peer.h2.streams[seen.id].inbound_flow_control_window
                if unread > 0:
                    peer.read_on(seen, unread)
                await asyncio.sleep(0)
            peer.say(seen, (":status", str(200 + (len(seen.body) != SIZE))), ended=True)

        async def slow_h1(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_head(reader)
            await go.wait()
            await reader.readexactly(SIZE)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        async with (
            gateway() as under_test,
            h2_revision(slow, reads_slowly=True) as server,
            revision(slow_h1) as address,
        ):
            if protocol == "h2c":
                under_test.router.replace(h2c({"one": (server.address,)}))
            else:
                under_test.router.replace(table({"one": (address,)}))
            async with h2_client(under_test) as client:
                seen = client.ask("/", ("content-length", str(SIZE)), method="POST", ended=False)
                pouring = asyncio.ensure_future(client.pour(seen, b"y" * SIZE))
                await until(lambda: client.room(seen) == 0, "the window is full")
                await settle()
                session = next(iter(under_test.worker.deadlines.connections))
                streams = session.core.streams  # type: ignore[attr-defined]
                await until(lambda: streams[seen.id].paused, "the client is held")
                go.set()
                await client.answered(seen)
                await pouring
                assert seen.status == "200"

    run(story())


def test_a_slow_reader_does_not_stop_the_other_streams() -> None:
    async def story() -> None:
        async def answer(peer: Peer, seen: Seen) -> None:
            if seen.head[":path"] == "/big":
                peer.say(seen, (":status", "200"))
                await peer.pour(seen, b"x" * 4 * MIB)
            else:
                await saying_h2("one")(peer, seen)

        async with gateway() as under_test, h2_revision(answer) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with (
                h2_client(under_test, reads_slowly=True) as slow,
                h2_client(under_test) as quick,
            ):
                big = [slow.ask("/big") for _ in range(20)]
                await until(lambda: sum(len(each.body) for each in big) == 65_535, "it is full")
                await settle()
                assert len(server.peers) == 1
                for _ in range(5):
                    assert (await quick.get()).body == b"one"
                whole = await quick.get("/big")
                assert len(whole.body) == 4 * MIB

    run(story())


def test_uploads_that_wait_do_not_stop_the_other_streams() -> None:
    async def story() -> None:
        async def answer(peer: Peer, seen: Seen) -> None:
            if seen.head[":path"] != "/held":
                await until(lambda: seen.is_over, "the request is whole")
                peer.h2.acknowledge_received_data(len(seen.body), seen.id)
                await saying_h2(str(len(seen.body)))(peer, seen)

        async with gateway() as under_test, h2_revision(answer, reads_slowly=True) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            async with h2_client(under_test) as client:
                held = [client.ask("/held", method="POST", ended=False) for _ in range(20)]
                pours = [asyncio.ensure_future(client.pour(each, b"x" * MIB)) for each in held]
                await until(lambda: all(client.room(each) == 0 for each in held), "all wait")
                seen = client.ask(method="POST")
                assert (await client.answered(seen)).body == b"0"
                for pour in pours:
                    pour.cancel()
                await asyncio.gather(*pours, return_exceptions=True)

    run(story())


def test_a_client_that_asks_on_and_never_reads_is_cut() -> None:
    """Heads need no window: what bounds them is how much may be written and not read."""

    async def heads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_head(reader)
            writer.write(b"HTTP/1.1 204 No Content\r\nX-Pad: %b\r\n\r\n" % (b"p" * 16_000))

    async def story() -> None:
        async with gateway(buffer_bytes_high=1000) as under_test, revision(heads) as address:
            worker = under_test.worker
            worker.http2 = msgspec.structs.replace(worker.http2, unread_bytes_max=100_000)
            under_test.router.replace(table({"one": (address,)}))
            narrow = socket.socket()
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            narrow.setblocking(False)
            await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", under_test.port))
            reader, writer = await asyncio.open_connection(sock=narrow, limit=1)
            writer.write(PREFACE + settings_frame([]) + SETTINGS_ACK)
            await until(lambda: bool(worker.deadlines.connections), "it is there")
            stream_id = 1
            while worker.deadlines.connections and stream_id < 20_000:
                writer.write(headers(stream_id, *ASK))
                stream_id += 2
                await asyncio.sleep(0)
            assert not worker.deadlines.connections, "it is cut"
            writer.transport.abort()
            del reader

    run(story())


@pytest.mark.parametrize("window", [65_535, 2**24])
def test_a_long_answer_arrives_whole_whatever_the_window(window: int) -> None:
    async def long_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        writer.write(b"x" * SIZE)
        await reader.read()

    async def story() -> None:
        async with gateway() as under_test, revision(long_answer) as address:
            worker = under_test.worker
            worker.http2 = msgspec.structs.replace(worker.http2, unread_bytes_max=512 * 1024)
            under_test.router.replace(table({"one": (address,)}))
            async with h2_client(under_test, initial={4: window}) as client:
                client.h2.increment_flow_control_window(2**24)
                seen = await client.get()
                assert (len(seen.body), seen.ended) == (SIZE, True)

    run(story())


def test_an_http1_client_that_reads_slowly_stops_a_revision_of_h2c() -> None:
    async def story() -> None:
        sent = 0

        async def flood(peer: Peer, seen: Seen) -> None:
            nonlocal sent
            peer.say(seen, (":status", "200"))
            while sent < SIZE:
                await until(lambda: peer.room(seen) > 0 or seen.code is not None, "a window")
                size = min(peer.room(seen), 16_384)
                peer.h2.send_data(seen.id, b"x" * size)
                sent += size
                peer.send()
            peer.data(seen, ended=True)

        async with gateway() as under_test, h2_revision(flood) as server:
            under_test.router.replace(h2c({"one": (server.address,)}))
            reader, writer = await under_test.connect()
            request = f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
            writer.write(request.encode())
            await read_head(reader)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            before = -1
            while before != sent:
                before = sent
                await settle()
            assert sent < SIZE
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            whole = await reader.read()
            assert whole.count(b"x") == SIZE

    run(story())
