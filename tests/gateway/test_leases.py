"""What a replica's counts and connections come to on the ways that are seldom gone."""

from __future__ import annotations

import asyncio

import pytest

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


def test_who_waits_for_room_gets_in_by_order_of_arrival_whatever_is_looked_at_meanwhile() -> None:
    async def story() -> None:
        order: list[bytes] = []
        passes = asyncio.Semaphore(0)

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                order.append((await read_head(reader)).split()[1])
                await passes.acquire()
                writer.write(OK)

        async with gateway(room_check_s=0.001) as worker, revision(script) as address:
            worker.router.replace(table({"one": (address,)}, concurrency=1))
            asking = []
            for number in range(9):
                asking.append(asyncio.ensure_future(worker.get(f"/{number}")))
                expected = number + 1
                await until(lambda: worker.backend().waiting + len(order) == expected, "it waits")  # noqa: B023
                await asyncio.sleep(0.0015)  # some look, and find no room
            for _ in asking:
                passes.release()
            await asyncio.gather(*asking)
            assert order == [b"/%d" % number for number in range(9)]

    run(story())


def test_a_long_line_costs_one_look_at_a_time() -> None:
    async def story() -> None:
        looks = 0

        class Looked(Gate):
            def has_room(self) -> bool:
                nonlocal looks
                looks += 1
                return super().has_room()

        async with gateway(room_check_s=0.01) as worker, revision(saying("ok")) as address:
            worker.router.replace(table({"one": (address,)}, concurrency=10))
            (replica,) = worker.backend().replicas
            replica.gate = Looked(0)
            many = [await worker.connect() for _ in range(100)]
            for _, writer in many:
                writer.write(GET)
            await until(lambda: worker.backend().waiting == 100, "all wait")
            looks = 0
            await asyncio.sleep(0.1)
            assert 0 < looks < 50  # not ten times a hundred
            replica.gate.limit = 10
            for reader, _ in many:
                await read_head(reader)

    run(story())


def test_who_waits_for_room_on_a_revision_that_then_refuses_all_is_told_so() -> None:
    async def story() -> None:
        async with gateway(replica_wait_s_max=0.1, redial_s=0.01) as worker:
            async with revision(saying("ok")) as address:
                worker.router.replace(table({"one": (address,)}, concurrency=10))
                (replica,) = worker.backend().replicas
                replica.gate = Gate(0)
                many = [asyncio.ensure_future(worker.get()) for _ in range(20)]
                await until(lambda: worker.backend().waiting == 20, "all wait")
            replica.gate.limit = 1  # nobody listens there any more
            async with asyncio.timeout(5):
                for answer in await asyncio.gather(*many):
                    assert answer.startswith(b"HTTP/1.1 503 ")
            assert replica.in_flight == worker.backend().waiting == 0

    run(story())


@pytest.mark.parametrize("protocol", ["http1", "h2c"])
def test_a_connection_that_is_cancelled_at_any_step_is_counted_no_more(protocol: str) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\0\0\0\4\0\0\0\0\0")  # h2c's SETTINGS; HTTP/1.1 has not asked yet
        await reader.read()

    async def story() -> None:
        async with gateway() as worker, revision(silent) as address:
            rows = table({"one": (address,)}, protocol=protocol)  # type: ignore[arg-type]
            worker.router.replace(rows)
            (replica,) = worker.backend().replicas
            for steps in range(12):
                asking = await worker.connect()
                asking[1].write(GET)
                await until(lambda: worker.worker.waiting == 1, "it is dialling")
                for _ in range(steps):
                    await asyncio.sleep(0)
                for exchange in worker.under_way():
                    exchange.expire()
                await until(lambda: not worker.worker.waiting, "it dials no more")
                for session in list(worker.worker.sessions):
                    session.transport.abort()
                await until(lambda: not worker.worker.sessions, "each dials anew")
            await until(lambda: not worker.worker.upstream_connections, "all are gone")
            assert replica.in_flight == 0
            assert replica.sessions == list(worker.worker.sessions) == []

    run(story())


def test_a_request_on_a_revision_that_left_the_table_keeps_that_revisions_waits() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read()

    async def story() -> None:
        async with gateway(tick_s=0.01) as worker, revision(silent) as address:
            worker.router.replace(table({"one": (address,)}, response_start_s=0.2))
            (replica,) = worker.backend().replicas
            asking = asyncio.ensure_future(worker.get())
            await until(lambda: replica.in_flight == 1, "it is under way")
            worker.router.replace(RouteTable())
            async with asyncio.timeout(5):
                assert (await asking).startswith(b"HTTP/1.1 504 ")

    run(story())
