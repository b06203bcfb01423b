"""Replicas that come, go, are slow or close: what waits, what is tried again, what is refused."""

from __future__ import annotations

import asyncio

import pytest

from gateway.contract import Backend, Delta, Route, Share, Split
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
            backend = worker.router.match(HOST.encode()).targets[0].backend
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


def test_an_applications_own_503_is_passed_on() -> None:
    reply = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"
    assert run(through(reply, request("Connection: close"))).endswith(b"busy")


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
            backend = worker.router.match(HOST.encode()).targets[0].backend
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


def test_a_table_that_does_not_compile_changes_nothing() -> None:
    from gateway.router import RefusedTable

    async def story() -> None:
        async with gateway() as worker, revision(saying("one")) as address:
            worker.router.replace(table({"one": (address,)}))
            share = Share("default/missing", 100)
            for row, why in [
                (Route("other", ("b",), Split("b", (share,))), "names no backend"),
                (Route("other", (HOST,), Split("b", (Share("default/one", 1),))), "host"),
                (Route("hello", ("b",), Split("b", ())), "not all zero"),
                (Route("other", ("b",), Split("b", (Share("default/one", 1),), "x")), "unknown"),
            ]:
                with pytest.raises(RefusedTable, match=why):
                    worker.router.install(Delta(routes=(row,)))
                assert (await worker.get()).endswith(b"one")

    run(story())
