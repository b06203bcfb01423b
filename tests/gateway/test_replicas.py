"""Replicas that come, go, are slow or close: what waits, what is tried again, what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Iterator

import pytest

from gateway.contract import Backend, Delta
from tests.support.gateway import (
    HOST,
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


async def through(reply: bytes, raw: bytes) -> bytes:
    """Return what a client gets for `raw` from a revision that answers `reply`."""
    async with gateway() as worker, revision(replying(reply)) as address:
        worker.router.replace(table({"one": (address,)}))
        return await worker.exchange(raw)


def test_a_request_waits_for_the_replica_that_is_coming_up() -> None:
    async def story() -> bytes:
        async with gateway() as worker, revision(saying("late")) as address:
            worker.router.replace(table({"one": ()}))
            asking = asyncio.ensure_future(worker.get())
            backend = worker.backend()
            await until(lambda: backend.waiting == 1, "the request waits")
            worker.router.install(Delta(backends=(Backend("default/one", (address,)),)))
            return await asking

    assert run(story()).endswith(b"late")


def test_no_replica_in_time_is_a_503_that_says_so() -> None:
    async def story() -> bytes:
        async with gateway(replica_wait_s_max=0.05) as worker:
            worker.router.replace(table({"one": ("127.0.0.1:1",)}))
            return await worker.get()

    answer = run(story())
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable")
    assert answer.endswith(b"no replica of the revision is ready\n")


def test_a_revision_out_of_time_is_a_504_in_queue_proxys_words() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> bytes:
        async with gateway(tick_s=0.01) as worker, revision(mute) as address:
            worker.router.replace(table({"one": (address,)}, timeout_s=0.05))
            return await worker.get()

    answer = run(story())
    assert answer.startswith(b"HTTP/1.1 504 Gateway Timeout")
    assert answer.endswith(b"\r\n\r\nrequest timeout\n")


def test_an_idle_connection_that_the_revision_closed_costs_no_get() -> None:
    """It answers one request and closes at the second: that is sent again, on a new connection."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(OK)
        await read_head(reader)

    async def story() -> list[bytes]:
        async with gateway() as worker, revision(once) as address:
            worker.router.replace(table({"one": (address,)}))
            return [await worker.get() for _ in range(4)]

    assert all(answer.endswith(b"ok") for answer in run(story()))


def test_a_post_is_never_sent_twice() -> None:
    posts: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(OK)
        posts.append(await read_head(reader))

    async def story() -> bytes:
        async with gateway() as worker, revision(once) as address:
            worker.router.replace(table({"one": (address,)}))
            await worker.get()
            raw = request("Content-Length: 2", "Connection: close", method="POST", body=b"hi")
            return await worker.exchange(raw)

    assert run(story()).startswith(b"HTTP/1.1 502")
    assert len(posts) == 1


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"HTTP/1.1 2", id="a part of a head"),
        pytest.param(b"garbage\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", id="101 unasked"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n", id="early hints"),
    ],
)
def test_a_get_whose_answer_began_is_not_sent_again(start: bytes) -> None:
    served = 0

    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        for reply in (OK, start):
            await read_head(reader)
            served += 1
            writer.write(reply)
            await writer.drain()

    async def story() -> bytes:
        async with gateway() as worker, revision(breaking) as address:
            worker.router.replace(table({"one": (address,)}))
            await worker.get()
            return await worker.get()

    assert b"HTTP/1.1 502 Bad Gateway\r\n" in run(story())
    assert served == 2


def test_a_put_is_sent_again_whole_or_not_at_all() -> None:
    heard: list[bytes] = []

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (OK, b""):
            heard.append(await read_head(reader) + await reader.read(4))
            if not reply:
                return
            writer.write(reply)

    async def story(pieces: list[bytes]) -> bytes:
        heard.clear()
        async with gateway() as worker, revision(once) as address:
            worker.router.replace(table({"one": (address,)}))
            put = request("Content-Length: 4", "Connection: close", method="PUT")
            await worker.exchange(put + b"1234")
            return await worker.exchange(put + pieces[0], pieces[1:])

    assert run(story([b"5678"])).endswith(b"ok")
    assert [text[-4:] for text in heard] == [b"1234", b"5678", b"5678"]
    assert run(story([b"56", b"78"])).startswith(b"HTTP/1.1 ")
    assert len(heard) <= 3


def test_a_connection_whose_end_was_seen_gets_no_request() -> None:
    """The revision's FIN and a client's POST are met in one turn of the loop."""
    sockets: list[socket.socket] = []

    async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        sockets.append(socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())))
        writer.write(OK)
        await reader.read()

    async def story() -> bytes:
        async with gateway() as worker, revision(hanging_up) as address:
            worker.router.replace(table({"one": (address,)}))
            reader, writer = await worker.connect()
            writer.write(request())
            await read_head(reader)
            await reader.readexactly(2)
            sockets[0].shutdown(socket.SHUT_RDWR)
            writer.write(request("Content-Length: 0", "Connection: close", method="POST"))
            return await asyncio.wait_for(reader.read(), 10)

    answer = run(story())
    for each in sockets:
        each.close()
    assert answer.endswith(b"ok")


def test_an_applications_own_503_is_passed_on() -> None:
    reply = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
    assert run(through(reply, request("Connection: close"))).endswith(b"busy")


def test_a_revision_has_all_of_its_time() -> None:
    """However long ago the last tick was: the deadline never comes early."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> list[float]:
        loop = asyncio.get_running_loop()
        took = []
        async with gateway(tick_s=0.1) as worker, revision(mute) as address:
            worker.router.replace(table({"one": (address,)}, timeout_s=0.13))
            deadlines = worker.worker.deadlines
            for _ in range(3):
                await until(lambda: loop.time() - deadlines.now > 0.07, "most of a tick is over")
                began = loop.time()
                assert (await worker.get()).startswith(b"HTTP/1.1 504")
                took.append(loop.time() - began)
        return took

    assert min(run(story())) >= 0.128  # the loop counts in milliseconds


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """An address that lets connections hang: its queue of one is taken."""
    with socket.socket() as listener, contextlib.ExitStack() as fillers:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("bad", [black_hole, refusing])
def test_a_replica_that_takes_no_connection_is_left_alone_while_another_answers(
    bad: Callable[[], contextlib.AbstractContextManager[str]],
) -> None:
    connections = 0

    async def good(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await saying("good")(reader, writer)

    async def story() -> None:
        limits = {"upstream_connect_s_max": 0.2, "redial_s": 100.0}
        with bad() as address:
            async with gateway(**limits) as worker, revision(good) as other:
                worker.router.replace(table({"one": (address, other)}))
                for _ in range(6):
                    assert (await worker.get()).endswith(b"good")

    run(story())
    assert connections == 1


def test_a_replica_that_starts_again_at_its_address_gets_the_requests_that_waited() -> None:
    async def story() -> list[bytes]:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            async with gateway(redial_s=0.01) as worker:
                worker.router.replace(table({"one": (address,)}))
                asking = [asyncio.ensure_future(worker.get()) for _ in range(20)]
                backend = worker.backend()
                await until(lambda: backend.waiting == 20, "all wait")
                await until(lambda: backend.replicas[0].refused_until > 0, "one was refused")
                listener.listen()
                server = await asyncio.start_server(saying("again"), sock=listener.dup())
                answers = await asyncio.gather(*asking)
                assert (backend.waiting, backend.replicas[0].in_flight) == (0, 0)
                server.close()
            return answers

    assert {answer[-5:] for answer in run(story())} == {b"again"}


def test_a_retired_replica_is_reported_idle_when_its_last_request_is_over() -> None:
    release = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await release.wait()
        writer.write(OK)

    async def story() -> None:
        async with gateway() as worker, revision(slow) as old, revision(saying("new")) as new:
            worker.router.replace(table({"one": (old,)}))
            asking = asyncio.ensure_future(worker.get())
            backend = worker.backend()
            await until(
                lambda: bool(backend.replicas and backend.replicas[0].in_flight), "it is under way"
            )
            worker.router.replace(table({"one": (new,)}))
            assert worker.router.busy() == (old,)
            assert worker.idle == []
            release.set()
            assert (await asking).endswith(b"ok")
            assert worker.idle == [old]
            assert worker.router.busy() == ()

    run(story())
