"""containerConcurrency: a hard limit per replica, a queue of ten times as many, then a 503."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tests.support.gateway import HOST, Gateway, gateway, read_head, revision, run, table, until

GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


class Counted:
    """A revision that lets one request after the other go, and knows how many it had at once."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self._passes = asyncio.Semaphore(0)

    async def script(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_head(reader)
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self._passes.acquire()
            self.inside -= 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def let_go(self, count: int = 1) -> None:
        for _ in range(count):
            self._passes.release()


def behind(
    replicas: int, limit: int, story: Callable[[Gateway, list[Counted]], Awaitable[None]]
) -> list[Counted]:
    """Run a story with a gateway before that many counted replicas of one revision."""

    async def run_it() -> list[Counted]:
        counted = [Counted() for _ in range(replicas)]
        async with gateway() as worker, asyncio.TaskGroup():
            contexts = [revision(each.script) for each in counted]
            addresses = [await each.__aenter__() for each in contexts]
            worker.router.replace(table({"one": tuple(addresses)}, concurrency=limit))
            await story(worker, counted)
            for each in contexts:
                await each.__aexit__(None, None, None)
        return counted

    return run(run_it())


def reset(writer: asyncio.StreamWriter) -> None:
    """Leave as one who is gone for good: with a FIN alone a client may still read."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@pytest.mark.parametrize(("replicas", "limit"), [(1, 1), (1, 3), (3, 1), (2, 5)])
def test_a_replica_never_has_more_than_its_limit(replicas: int, limit: int) -> None:
    async def story(worker: Gateway, counted: list[Counted]) -> None:
        many = replicas * limit * 3
        asking = [asyncio.ensure_future(worker.get()) for _ in range(many)]
        await until(
            lambda: sum(each.inside for each in counted) == replicas * limit, "all places are taken"
        )
        await until(lambda: worker.backend().waiting == many - replicas * limit, "the rest waits")
        for each in counted:
            each.let_go(many)
        for answer in await asyncio.gather(*asking):
            assert answer.endswith(b"ok")

    assert all(each.most == limit for each in behind(replicas, limit, story))


def test_beyond_ten_times_as_many_it_is_a_503() -> None:
    async def story(worker: Gateway, counted: list[Counted]) -> None:
        asking = [asyncio.ensure_future(worker.get()) for _ in range(11)]
        await until(lambda: worker.backend().waiting == 10, "the queue is full")
        refused = await worker.get()
        assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert refused.endswith(b"\r\n\r\npending request queue full\n")
        counted[0].let_go(11)
        answers = Counter(answer[:15] for answer in await asyncio.gather(*asking))
        assert answers == {b"HTTP/1.1 200 OK": 11}

    behind(1, 1, story)


def test_a_client_that_leaves_gives_its_place_to_the_next() -> None:
    async def story(worker: Gateway, counted: list[Counted]) -> None:
        _, first = await worker.connect()
        first.write(GET)
        await until(lambda: counted[0].inside == 1, "the first is inside")
        _, gone = await worker.connect()
        gone.write(GET)
        await until(lambda: worker.backend().waiting == 1, "the second waits")
        third = asyncio.ensure_future(worker.get())
        await until(lambda: worker.backend().waiting == 2, "the third waits too")
        reset(gone)
        await until(lambda: worker.backend().waiting == 1, "the second is gone")
        reset(first)
        await until(lambda: counted[0].inside == 2, "the third is inside")
        counted[0].let_go(2)
        assert (await third).endswith(b"ok")

    behind(1, 1, story)


def test_a_limit_that_is_lifted_lets_all_in() -> None:
    async def story(worker: Gateway, counted: list[Counted]) -> None:
        asking = [asyncio.ensure_future(worker.get()) for _ in range(5)]
        await until(lambda: worker.backend().waiting == 4, "four wait")
        (replica,) = worker.backend().replicas
        worker.router.replace(table({"one": (replica.address,)}))
        await until(lambda: counted[0].inside == 5, "all are inside")
        counted[0].let_go(5)
        await asyncio.gather(*asking)

    behind(1, 1, story)
