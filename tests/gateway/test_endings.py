"""How connections end: half-closed clients, answers that must be readable, drain, no leaks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

import pytest

from tests.support.gateway import (
    HOST,
    WAIT_S,
    Gateway,
    gateway,
    read_head,
    replying,
    revision,
    run,
    saying,
    table,
    until,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def request(*lines: str, method: str = "GET", body: bytes = b"") -> bytes:
    head = "\r\n".join([f"{method} / HTTP/1.1", f"Host: {HOST}", *lines, "", ""])
    return head.encode() + body


def test_a_client_that_pipelines_and_closes_its_half_gets_every_answer() -> None:
    async def story() -> bytes:
        async with gateway() as worker, revision(saying("one")) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(request() * 3 + b"GET / HT")
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), WAIT_S)

    assert run(story()).count(b"\r\n\r\none") == 3


def test_a_client_that_closes_its_half_within_a_pipelined_body_is_let_go() -> None:
    async def story() -> bytes:
        async with gateway() as worker, revision(saying("one")) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(request() + request("Content-Length: 9", method="POST", body=b"half"))
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), WAIT_S)
            await until(lambda: not worker.under_way(), "nothing is left")
            return answer

    assert run(story()).count(b"\r\n\r\none") == 1


def test_a_malformed_host_is_a_400_that_closes() -> None:
    async def story() -> bytes:
        async with gateway() as worker:
            reader, writer = await worker.connect()
            writer.write(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
            return await asyncio.wait_for(reader.read(), WAIT_S)

    answer = run(story())
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close\r\n" in answer


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(request("Content-Length: 900000", "Content-Length: 9"), id="a head"),
        pytest.param(
            request("Transfer-Encoding: chunked", body=b"zz\r\n", method="POST"), id="a body"
        ),
    ],
)
def test_a_refusal_can_be_read_by_a_client_that_still_sends(raw: bytes) -> None:
    """A socket closed with unread bytes would reset the connection, and the 400 be lost."""

    async def story() -> bytes:
        async with gateway() as worker, revision(saying("one")) as address:
            worker.router.replace(table({"one": (address,)}))
            _, writer = await worker.connect()
            reader = writer.transport.get_protocol()._stream_reader  # type: ignore[attr-defined]
            writer.write(raw)
            head = await asyncio.wait_for(read_head(reader), WAIT_S)
            writer.write(b"x" * 900_000)
            await writer.drain()
            return head + await asyncio.wait_for(reader.read(), WAIT_S)

    assert b"\r\n\r\nbad request: " in run(story())


def test_an_early_answer_that_only_closing_ends_does_end() -> None:
    """An HTTP/1.0 client that waits for the end of the answer before it sends the rest."""
    reply = b"HTTP/1.1 200 OK\r\n\r\nearly"

    async def story() -> bytes:
        async with gateway() as worker, revision(replying(reply)) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            head = f"POST / HTTP/1.0\r\nHost: {HOST}\r\nContent-Length: 9\r\n\r\n"
            writer.write(head.encode() + b"half")
            return await asyncio.wait_for(reader.read(), WAIT_S)

    assert run(story()).endswith(b"\r\n\r\nearly")


def test_a_client_that_neither_reads_its_last_answer_nor_goes_is_cut() -> None:
    size = 12_000_000
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (size, b"x" * size)

    async def story() -> None:
        limits = {"tick_s": 0.005, "head_s_max": 0.1, "buffer_bytes_high": 2 * size}
        async with gateway(**limits) as worker, revision(replying(reply)) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(request("Connection: close"))
            await until(lambda: bool(worker.under_way()), "it is under way")
            await until(lambda: not worker.under_way(), "it is answered")
            await until(lambda: not worker.worker.deadlines.connections, "it is cut")
            writer.transport.abort()

    run(story())


def test_a_drain_that_takes_too_long_cuts_what_is_left() -> None:
    async def story() -> int:
        async with gateway(drain_s_max=0.3, drain_idle_s_max=0.0, tick_s=0.01) as worker:
            worker.router.replace(table({"one": ()}))
            backend = worker.backend()
            _, idle = await worker.connect()
            _, asking = await worker.connect()
            asking.write(request())
            await until(lambda: backend.waiting == 1, "a request waits for a replica")
            cut = await worker.worker.drain()
            await until(lambda: backend.waiting == 0, "its dial ended with it")
            idle.close()
            return cut

    assert run(story()) == 1


def test_a_drain_lets_what_is_under_way_end() -> None:
    release = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await release.wait()
        writer.write(OK)

    async def story() -> bytes:
        async with gateway() as worker, revision(slow) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(request())
            await until(lambda: bool(worker.under_way()), "it is under way")
            draining = asyncio.ensure_future(worker.worker.drain())
            await asyncio.sleep(0)
            release.set()
            answer = await asyncio.wait_for(reader.read(), WAIT_S)
            assert await draining == 0
            return answer

    answer = run(story())
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(b"ok")


async def at_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_head(reader)
    await reader.read()


async def at_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
    await reader.read()


def idle_everywhere(worker: Gateway) -> bool:
    backend = worker.backend()
    busy = sum(replica.in_flight for replica in backend.replicas)
    deadlines = worker.worker.deadlines
    return not (worker.under_way() or deadlines.connections or busy or backend.waiting)


@pytest.mark.parametrize("script", [None, at_head, at_body], ids=["dialing", "waiting", "reading"])
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(request(), id="get"),
        pytest.param(request("Content-Length: 9", method="PUT", body=b"half"), id="half a body"),
    ],
)
@pytest.mark.parametrize("resets", [True, False], ids=["reset", "fin"])
def test_a_client_that_goes_leaves_nothing_behind(
    script: object, raw: bytes, *, resets: bool
) -> None:
    async def story() -> None:
        async with contextlib.AsyncExitStack() as stack:
            worker = await stack.enter_async_context(gateway(tick_s=0.01))
            addresses: tuple[str, ...] = ()
            if script is not None:
                addresses = (await stack.enter_async_context(revision(script)),)  # type: ignore[arg-type]
            worker.router.replace(table({"one": addresses}, timeout_s=1.0))
            backend = worker.backend()
            _, writer = await worker.connect()
            writer.write(raw)
            await until(
                lambda: bool(backend.waiting or sum(r.in_flight for r in backend.replicas)),
                "it is under way",
            )
            if script is not None:
                (exchange,) = worker.under_way()
                started = script is at_body
                await until(
                    lambda: exchange.response_started is started and not backend.waiting,  # type: ignore[attr-defined]
                    "it is that far",
                )
            if resets:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, linger
                )
            writer.transport.abort()
            await until(lambda: idle_everywhere(worker), "nothing is left")

    run(story())


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_answer_that_breaks_off_never_looks_whole(version: str) -> None:
    """To an HTTP/1.0 client nothing but the connection's end says so: it has to be a reset."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await reader.read(1)  # until the client has it
        writer.transport.abort()

    async def story() -> bytes:
        async with gateway() as worker, revision(script) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(
                f"POST / HTTP/{version}\r\nHost: {HOST}\r\nContent-Length: 1\r\n\r\n".encode()
            )
            said = await reader.readuntil(b"abc")
            writer.write(b"x")
            try:
                async with asyncio.timeout(WAIT_S):
                    said += await reader.read()
            except ConnectionResetError:
                return said + b"|reset"
            return said

    said = run(story())
    assert said.endswith(b"|reset") or (version == "1.1" and said.endswith(b"3\r\nabc\r\n"))
