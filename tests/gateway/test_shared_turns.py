"""Counts of real requests to several workers, each a process, which split them as one would."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from gateway.contract import RouteTable
from tests.support.gateway import HOST, WAIT_S, read_head, revision, run, saying, table
from tests.support.workerprocess import WorkerProcess, worker_process

KNATIVES_OWN = {"a": 1, "b": 2, "c": 4, "d": 8, "e": 16, "f": 32, "g": 37}
REQUESTS = 1_000
IS_COMPILED = os.environ.get("KNARY_COMPILED") == "1"
# Interpreted, a worker that is preempted while it holds a lock makes another take its own turn.
MAY_BE_ALONE = not IS_COMPILED


class Fleet:
    """Revisions by name, and workers before them."""

    def __init__(self, folder: Path, addresses: dict[str, str]) -> None:
        self._folder = folder
        self._addresses = addresses
        self._count = 0

    def table(self, weights: dict[str, int], splitter: str = "stratified") -> RouteTable:
        addresses = {name: (self._addresses[name],) for name in weights}
        return table(addresses, weights, splitter=splitter)

    @contextlib.asynccontextmanager
    async def worker(self, first: RouteTable) -> AsyncIterator[WorkerProcess]:
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir()
        turns = str(self._folder / "turns")
        async with worker_process(folder, first, turns_file=turns) as worker:
            yield worker


@contextlib.asynccontextmanager
async def fleet(folder: Path, names: str) -> AsyncIterator[Fleet]:
    async with contextlib.AsyncExitStack() as revisions:
        yield Fleet(
            folder,
            {name: await revisions.enter_async_context(revision(saying(name))) for name in names},
        )


async def asked(worker: WorkerProcess, requests: int) -> Counter[str]:
    """Return who answered so many requests of one client."""
    reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
    found: Counter[str] = Counter()
    async with asyncio.timeout(WAIT_S * 2):
        for _ in range(requests):
            writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            await read_head(reader)
            found[(await reader.readexactly(1)).decode()] += 1
    writer.close()
    return found


async def asked_at_once(workers: Sequence[WorkerProcess], requests: int) -> Counter[str]:
    """Return who answered so many requests, as many by each worker, all at the same time."""
    parts = [asked(worker, requests // len(workers)) for worker in workers]
    return sum(await asyncio.gather(*parts), Counter())


@pytest.mark.parametrize("count", [1, 2, 4])
def test_knatives_own_split_of_a_thousand_requests_is_exact_over_all_workers(
    tmp_path: Path, count: int
) -> None:
    async def story() -> None:
        async with fleet(tmp_path, "abcdefg") as all_of, contextlib.AsyncExitStack() as running:
            started = [all_of.worker(all_of.table(KNATIVES_OWN)) for _ in range(count)]
            workers = await asyncio.gather(*map(running.enter_async_context, started))
            found = await asked_at_once(workers, REQUESTS)
            for name, weight in KNATIVES_OWN.items():
                assert abs(found[name] - 10 * weight) <= (count if MAY_BE_ALONE else 0), found

    run(story())


def test_percents_that_change_one_worker_after_the_other_stay_within_one_request(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with fleet(tmp_path, "on") as all_of:
            first = all_of.table({"o": 99, "n": 1})
            async with all_of.worker(first) as one, all_of.worker(first) as two:
                got, due = 0, 0.0
                percents = {one: 1, two: 1}
                for step in range(1, 13):
                    for worker in (one, two):
                        percent = percents[worker] = 8 * step
                        await worker.serve(all_of.table({"o": 100 - percent, "n": percent}))
                        for each in (one, two):
                            found = await asked_at_once([each], 7)
                            got, due = got + found["n"], due + 7 * percents[each] / 100
                            assert abs(got - due) < 1 + 1e-9

    run(story())


def test_a_target_that_comes_and_one_that_goes_are_shared_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with fleet(tmp_path, "abc") as all_of:
            first = all_of.table({"a": 50, "b": 50})
            async with all_of.worker(first) as one, all_of.worker(first) as two:
                await asked_at_once([one, two], 11 * 2)
                for weights in ({"a": 60, "b": 30, "c": 10}, {"c": 80, "a": 20}):
                    await one.serve(all_of.table(weights))
                    await asked_at_once([one, two], 3 * 2)  # the other still has the old one
                    await two.serve(all_of.table(weights))
                    found = await asked_at_once([one, two], 100)
                    for name, weight in weights.items():
                        assert abs(found[name] - weight) < 2

    run(story())


def test_a_worker_killed_and_one_started_in_its_place_share_the_turns_of_the_other(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with fleet(tmp_path, "abcdefg") as all_of:
            served = all_of.table(KNATIVES_OWN)
            async with all_of.worker(served) as one:
                async with all_of.worker(served) as two:
                    found = await asked_at_once([one, two], 246)
                    two.process.kill()
                    await two.process.wait()
                found += await asked_at_once([one], 254)
                async with all_of.worker(served) as three:
                    found += await asked_at_once([one, three], 500)
            assert found == {name: 10 * weight for name, weight in KNATIVES_OWN.items()}

    run(story())


def test_whoever_asks_is_told_whose_turn_it_was(tmp_path: Path) -> None:
    async def explained(worker: WorkerProcess) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
        writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\nKnary-Explain: 1\r\n\r\n".encode())
        async with asyncio.timeout(WAIT_S):
            head = (await read_head(reader)).decode()
        writer.close()
        found = re.search(r"turn=\d+; turns=\w+", head)
        assert found, head
        return found[0]

    async def story() -> None:
        async with fleet(tmp_path, "on") as all_of:
            first = all_of.table({"o": 50, "n": 50})
            async with all_of.worker(first) as one, all_of.worker(first) as two:
                told = [await explained(each) for each in (one, two, two, one)]
                assert told == [f"turn={n}; turns=shared" for n in (1, 2, 3, 4)]
                await one.serve(all_of.table({"o": 50, "n": 50}, "random"))
                assert (await explained(one)).endswith("turns=own")
                kinds = {each.hello.turns for each in (one, two)}
                assert kinds == {"shared" if IS_COMPILED else "shared, by a lock"}

    run(story())
