"""What a replica's counts and connections come to on the ways that are seldom gone."""

from __future__ import annotations

import asyncio

from gateway.contract import RouteTable
from gateway.gates import Gate
from tests.support.gateway import (
    HOST,
    gateway,
    read_head,
    revision,
    run,
    saying,
    table,
    until,
)

GET = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Contended(Gate):
    """A gate whose room another worker takes between a look and a step."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.taken_first = 0  # so many times

    def enter(self) -> bool:
        if self.taken_first:
            self.taken_first -= 1
            return False
        return super().enter()


async def asked(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait_s: float = 5.0
) -> bytes:
    writer.write(GET)
    async with asyncio.timeout(wait_s):
        head = await read_head(reader)
        return head + await reader.readexactly(2)


def test_an_idle_connection_stays_in_the_pool_when_another_worker_takes_the_last_room() -> None:
    async def story() -> None:
        async with gateway() as worker, revision(saying("ok")) as address:
            worker.router.replace(table({"one": (address,)}, concurrency=5))
            reader, writer = await worker.connect()
            await asked(reader, writer)
            (replica,) = worker.backend().replicas
            gate = replica.gate = Contended(5)
            for _ in range(3):
                gate.taken_first = 1
                await asked(reader, writer)
            assert worker.worker.upstream_connections == len(replica.idle) == 1
            assert replica.in_flight == 0

    run(story())


def test_a_replica_that_comes_back_wakes_those_who_wait_for_it_now() -> None:
    async def story() -> None:
        may_answer = asyncio.Event()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await read_head(reader)
                await may_answer.wait()
                writer.write(OK)

        async with gateway(room_check_s=60.0) as worker, revision(script) as address:
            limited = table({"one": (address,)}, concurrency=1)
            worker.router.replace(limited)
            first = await worker.connect()
            first[1].write(GET)
            await until(lambda: worker.backend().replicas[0].in_flight == 1, "it is under way")
            worker.router.replace(RouteTable())
            worker.router.replace(limited)
            second = asyncio.ensure_future(worker.get())
            await until(lambda: worker.backend().waiting == 1, "the second waits")
            may_answer.set()
            async with asyncio.timeout(5):
                assert (await second).endswith(b"ok")

    run(story())


def test_an_explained_answer_tells_of_the_route_that_it_came_by_though_it_is_gone() -> None:
    async def story() -> None:
        may_answer = asyncio.Event()

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_head(reader)
            await may_answer.wait()
            writer.write(OK)

        async with gateway() as worker, revision(script) as address:
            worker.router.replace(table({"one": (address,)}))
            backend = worker.backend()
            asking = asyncio.ensure_future(
                worker.exchange(
                    f"GET / HTTP/1.1\r\nHost: {HOST}\r\nKnary-Explain: 1\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
            )
            await until(lambda: backend.replicas[0].in_flight == 1, "it is under way")
            worker.router.replace(RouteTable())
            may_answer.set()
            answer = await asking
            assert answer.endswith(b"ok"), answer
            assert b"rule=host" in answer

    run(story())
