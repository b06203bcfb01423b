"""Dials into a replica's own network: with sockets that somebody else makes."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import msgspec
import pytest

from gateway.contract import RouteTable, parse_address
from gateway.settings import Settings
from gateway.upstream.networks import Networks
from tests.support.gateway import gateway, revision, run, saying, table, until
from tests.support.keeper import Keeper, keeper

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="network namespaces are Linux's"
)
AHEAD = Settings().sockets_ahead_max


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_dial_takes_a_socket_of_the_network_and_the_next_ones_are_at_hand(tmp_path: Path) -> None:
    async def story() -> None:
        with keeper(tmp_path / "k", "one") as kept:
            async with gateway() as worker, revision(saying("here")) as address:
                worker.worker.networks = Networks(worker.worker.loop, str(kept.path), Settings())
                worker.router.replace(table({"hello": (f"one@{address}",)}))
                assert (await worker.get()).endswith(b"\r\n\r\nhere")
                assert kept.asked == [1 + AHEAD]
                # The connection is in the pool: nobody is asked on the warm path.
                assert (await worker.get()).endswith(b"\r\n\r\nhere")
                assert kept.asked == [1 + AHEAD]
                while worker.backend().replicas[0].idle:
                    worker.backend().replicas[0].idle[0].abandon()
                    await asyncio.sleep(0)
                assert (await worker.get()).endswith(b"\r\n\r\nhere")
                await until(lambda: kept.asked == [1 + AHEAD, 1], "one more is made")
                worker.worker.networks.close()

    run(story())


def test_many_dials_at_once_are_a_few_questions(tmp_path: Path) -> None:
    async def story() -> None:
        with keeper(tmp_path / "k", "one") as kept:
            async with gateway() as worker, revision(saying("here")) as address:
                worker.worker.networks = Networks(worker.worker.loop, str(kept.path), Settings())
                worker.router.replace(table({"hello": (f"one@{address}",)}))
                answers = await asyncio.gather(*(worker.get() for _ in range(200)))
                assert all(one.endswith(b"\r\n\r\nhere") for one in answers)
                assert sum(kept.asked) <= 200 + AHEAD
                assert max(kept.asked) <= 64
                worker.worker.networks.close()

    run(story())


def test_a_replica_that_leaves_the_table_has_no_sockets_left(tmp_path: Path) -> None:
    async def story() -> None:
        with keeper(tmp_path / "k", "one", "two") as kept:
            async with gateway() as worker, revision(saying("here")) as address:
                worker.worker.networks = Networks(worker.worker.loop, str(kept.path), Settings())
                worker.router.replace(table({"hello": (f"two@{address}",)}))
                await worker.get()
                before = open_descriptors()
                for _ in range(5):
                    worker.router.replace(table({"hello": (f"one@{address}",)}))
                    await worker.get()
                    worker.router.replace(table({"hello": (f"two@{address}",)}))
                    await worker.get()
                await until(lambda: open_descriptors() <= before, "no descriptor is left")
                worker.router.replace(RouteTable())
                worker.worker.networks.close()

    run(story())


def test_a_keeper_that_dies_fails_no_request_once_it_has_a_successor(tmp_path: Path) -> None:
    async def story() -> None:
        with keeper(tmp_path / "k", "one") as kept:
            async with (
                gateway(upstream_idle_connections_max=0) as worker,
                revision(saying("here")) as address,
            ):
                networks = Networks(worker.worker.loop, str(kept.path), Settings())
                worker.worker.networks = networks
                worker.router.replace(table({"hello": (f"one@{address}",)}))
                await worker.get()
                kept.stop()
                asking = asyncio.create_task(worker.get())
                await until(lambda: worker.worker.metrics.worker.dial_failures > 0, "a dial fails")
                kept.start()
                assert (await asking).endswith(b"\r\n\r\nhere")
                networks.close()

    run(story())


def test_without_a_keeper_a_request_waits_its_time_and_gets_503(tmp_path: Path) -> None:
    async def story() -> None:
        async with gateway(replica_wait_s_max=0.05) as worker:
            networks = Networks(worker.worker.loop, str(tmp_path / "nobody"), Settings())
            worker.worker.networks = networks
            worker.router.replace(table({"hello": ("one@127.0.0.1:8080",)}))
            assert (await worker.get()).startswith(b"HTTP/1.1 503 ")

    run(story())


def test_an_unknown_network_is_a_refused_connection(tmp_path: Path) -> None:
    async def story() -> None:
        with keeper(tmp_path / "k") as kept:
            networks = Networks(asyncio.get_running_loop(), str(kept.path), Settings())
            with pytest.raises(ConnectionRefusedError, match="unknown"):
                await networks.connect("one", "127.0.0.1", 8080)
            networks.close()

    run(story())


@pytest.mark.parametrize("answered", [True, False])
def test_who_gives_up_leaves_nothing_behind(tmp_path: Path, answered: bool) -> None:
    async def story(kept: Keeper) -> None:
        networks = Networks(asyncio.get_running_loop(), str(kept.path), Settings())
        kept.silent = not answered
        before = open_descriptors()
        asking = asyncio.create_task(networks.connect("one", "127.0.0.1", 1))
        await until(lambda: len(kept.asked) == 1, "the question is there")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        networks.forget("one")
        networks.close()
        await until(lambda: open_descriptors() <= before, "no descriptor is left")

    async def whole() -> None:
        with keeper(tmp_path / "k", "one") as kept:
            await story(kept)

    run(whole())


def test_where_nobody_keeps_networks_such_a_replica_is_one_that_does_not_answer() -> None:
    async def story() -> None:
        async with gateway(replica_wait_s_max=0.05) as worker, revision(saying("here")) as address:
            worker.router.replace(table({"hello": ("one@127.0.0.1:8080",)}))
            assert (await worker.get()).startswith(b"HTTP/1.1 503 ")
            worker.router.replace(table({"hello": (f"one@{address}", address)}))
            assert (await worker.get()).endswith(b"\r\n\r\nhere")

    run(story())


def test_more_networks_than_questions_fit_the_link_are_all_asked_for(tmp_path: Path) -> None:
    async def story() -> None:
        names = [f"network-{number}" for number in range(1000)]
        loop = asyncio.get_running_loop()
        settings = msgspec.structs.replace(Settings(), sockets_ahead_max=0)
        with keeper(tmp_path / "k", *names) as kept:
            async with revision(saying("here")) as address:
                where = parse_address(address)
                networks = Networks(loop, str(kept.path), settings)

                async def connect(name: str) -> None:
                    (await networks.connect(name, where.host, where.port)).close()

                await asyncio.gather(*map(connect, names))
                assert kept.asked == [1] * 1000
                networks.close()

    run(story())


def test_a_network_that_is_forgotten_during_a_dial_is_not_stocked(tmp_path: Path) -> None:
    async def story() -> None:
        with keeper(tmp_path / "k", "one") as kept:
            async with revision(saying("here")) as address:
                where = parse_address(address)
                networks = Networks(asyncio.get_running_loop(), str(kept.path), Settings())
                (await networks.connect("one", where.host, where.port)).close()
                networks.forget("one")
                before = open_descriptors()
                dials = [
                    asyncio.create_task(networks.connect("one", where.host, where.port))
                    for _ in range(3)
                ]
                await asyncio.sleep(0)
                networks.forget("one")
                for connected in await asyncio.gather(*dials):
                    connected.close()
                await until(lambda: open_descriptors() <= before, "no socket is kept")
                again = await networks.connect("one", where.host, where.port)
                again.close()
                await until(lambda: open_descriptors() == before + AHEAD, "but then some are")
                networks.close()

    run(story())


def test_a_keeper_that_hangs_is_hung_up_on_and_whoever_comes_then_is_asked(tmp_path: Path) -> None:
    async def story() -> None:
        settings = msgspec.structs.replace(Settings(), sockets_wait_s_max=0.05)
        with keeper(tmp_path / "k", "one") as kept:
            async with revision(saying("here")) as address:
                where = parse_address(address)
                networks = Networks(asyncio.get_running_loop(), str(kept.path), settings)
                before = open_descriptors()
                kept.silent = True
                dials = [networks.connect("one", where.host, where.port) for _ in range(3)]
                for refused in await asyncio.gather(*dials, return_exceptions=True):
                    assert isinstance(refused, ConnectionRefusedError)
                    assert str(refused) == "it does not answer within 0.05 s"
                kept.silent = False
                (await networks.connect("one", where.host, where.port)).close()
                networks.close()
                await until(lambda: open_descriptors() <= before, "no descriptor is left")

    run(story())


def test_requests_outlast_a_keeper_that_hangs_and_no_replica_is_blamed(tmp_path: Path) -> None:
    async def story() -> None:
        with keeper(tmp_path / "k", "one", "two") as kept:
            async with (
                gateway(upstream_idle_connections_max=0) as worker,
                revision(saying("here")) as address,
            ):
                settings = msgspec.structs.replace(Settings(), sockets_wait_s_max=0.05)
                networks = Networks(worker.worker.loop, str(kept.path), settings)
                worker.worker.networks = networks
                both = (f"one@{address}", f"two@{address}")
                worker.router.replace(table({"hello": both}))
                kept.silent = True
                asking = [asyncio.create_task(worker.get()) for _ in range(50)]
                await until(lambda: worker.worker.metrics.worker.dial_failures > 1, "dials fail")
                kept.silent = False
                assert all(one.endswith(b"\r\n\r\nhere") for one in await asyncio.gather(*asking))
                assert [one.slow_until for one in worker.backend().replicas] == [0.0, 0.0]
                networks.close()

    run(story())


def test_an_answer_that_was_there_in_time_counts_though_this_worker_stood_still(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        settings = msgspec.structs.replace(Settings(), sockets_wait_s_max=0.03)
        with keeper(tmp_path / "k", "one") as kept:
            kept.stalls_s = 0.04
            async with revision(saying("here")) as address:
                where = parse_address(address)
                networks = Networks(asyncio.get_running_loop(), str(kept.path), settings)
                for _ in range(3):
                    (await networks.connect("one", where.host, where.port)).close()
                networks.close()

    run(story())
