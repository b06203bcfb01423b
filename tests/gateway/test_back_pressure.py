"""Who is faster waits for who is slower: what the worker holds of a body or a queue is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from tests.support.gateway import (
    HOST,
    WAIT_S,
    Gateway,
    gateway,
    read_head,
    revision,
    run,
    saying,
    table,
    until,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HIGH = 16 * 1024  # bytes: `buffer_bytes_high` here
SOCKETS = 8 * 1024 * 1024  # bytes that the kernel may hold between two ends


def head(*lines: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} / HTTP/1.1", f"Host: {HOST}", *lines, "", ""]).encode()


async def stuck(writer: asyncio.StreamWriter, limit: int) -> int:
    """Write until nothing more is taken; return how much was. Fail beyond the limit."""
    taken, piece = 0, b"x" * 65536
    while taken < limit:
        writer.write(piece)
        taken += len(piece)
        try:
            async with asyncio.timeout(0.3):
                await writer.drain()
        except TimeoutError:
            return taken
    raise AssertionError(f"it took {taken} bytes")


def unsent(worker: Gateway) -> int:
    """Return the bytes that wait in the worker for its clients to read."""
    return sum(
        connection._transport.get_write_buffer_size()  # type: ignore[attr-defined]
        for connection in worker.worker.deadlines.connections
    )


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the connection and read nothing."""
    del reader
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.Event().wait()


def test_a_client_waits_for_a_revision_that_does_not_read() -> None:
    async def story() -> None:
        async with gateway(buffer_bytes_high=HIGH) as worker, revision(deaf) as address:
            worker.router.replace(table({"one": (address,)}))
            _, writer = await worker.connect()
            writer.write(head("Content-Length: 1000000000", method="PUT"))
            await stuck(writer, 4 * SOCKETS)
            writer.transport.abort()

    run(story())


def test_a_connection_full_of_an_unread_body_serves_no_other_request() -> None:
    """The revision answers an upload early and reads no more of that connection."""

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await read_head(reader)).startswith(b"PUT"):
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            await taken.wait()
            writer.write(OK)
            await asyncio.Event().wait()
        writer.write(OK)

    async def upload(size: int) -> bool:
        """Tell whether the worker took the whole body while the revision did not; then get."""
        taken.clear()
        async with gateway(buffer_bytes_high=HIGH) as worker, revision(early) as address:
            worker.router.replace(table({"one": (address,)}))
            (replica,) = worker.backend().replicas
            reader, writer = await worker.connect()
            writer.write(head(f"Content-Length: {size}", method="PUT") + b"x" * size)
            await until(lambda: replica.in_flight == 1, "it is under way")
            (exchange,) = worker.under_way()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await writer.drain()
                    while not exchange.request_ended:  # type: ignore[attr-defined] # noqa: ASYNC110
                        await asyncio.sleep(0)
            upstream = exchange._lease  # type: ignore[attr-defined]
            unread = upstream.transport.get_write_buffer_size()
            fits = bool(exchange.request_ended) and unread > HIGH  # type: ignore[attr-defined]
            if fits:
                taken.set()
                await asyncio.wait_for(read_head(reader), WAIT_S)
                assert (await worker.get()).endswith(b"ok")
            writer.transport.abort()
            return fits

    async def story() -> bool:
        for size in range(1_000_000, 7_000_000, 120_000):
            if await upload(size):
                return True
        return False

    taken = asyncio.Event()
    assert run(story())


def test_a_revision_waits_for_a_client_that_does_not_read() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
            sent += 65536

    async def story() -> None:
        async with gateway(buffer_bytes_high=HIGH) as worker, revision(endless) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(head())
            before = -1
            while before != sent:  # until nothing moves for a while
                before = sent
                try:
                    async with asyncio.timeout(0.3):
                        await asyncio.Event().wait()
                except TimeoutError:
                    pass
            assert 0 < sent < 4 * SOCKETS
            assert unsent(worker) < HIGH + 512 * 1024
            writer.transport.abort()

    run(story())


def test_a_client_that_pipelines_without_end_is_read_at_the_pace_of_its_answers() -> None:
    """What is read ahead stays bounded while requests are answered one after the other."""

    async def story() -> None:
        async with gateway() as worker, revision(saying("one")) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            request = head()
            count = 20_000
            writer.write(request * count)
            (connection,) = worker.worker.deadlines.connections
            most = 0
            for _ in range(300):
                await reader.readuntil(b"one")
                most = max(most, len(connection._buffer))  # type: ignore[attr-defined]
            assert most <= 64 * 1024 + 256 * 1024
            writer.transport.abort()

    run(story())


def test_every_pipelined_request_of_a_long_train_is_answered() -> None:
    async def story() -> int:
        async with gateway() as worker, revision(saying("one")) as address:
            worker.router.replace(table({"one": (address,)}))
            answer = await worker.exchange(head() * 3000 + head("Connection: close"))
            return answer.count(b"\r\n\r\none")

    assert run(story()) == 3001


def test_pipelined_uploads_wait_for_their_turn_and_arrive_whole() -> None:
    """Reading stops and goes on again and again; no byte of any body is lost."""
    sizes: list[int] = []

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            text = await read_head(reader)
            size = int(text.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            sizes.append(len(await reader.readexactly(size)))
            writer.write(OK)

    async def story() -> bytes:
        async with gateway(buffer_bytes_high=HIGH) as worker, revision(counting) as address:
            worker.router.replace(table({"one": (address,)}))
            one = head("Content-Length: 300000", method="POST") + b"x" * 300_000
            last = head("Content-Length: 5", "Connection: close", method="POST") + b"small"
            return await worker.exchange(one, [one, one, last])

    assert run(story()).count(b"\r\n\r\nok") == 4
    assert sizes == [300_000, 300_000, 300_000, 5]
