"""The store's files stay small, however much is written and however often it is started."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from simulator.errors import Expired
from simulator.resources.serving import Service
from simulator.store.settings import StoreSettings
from tests.support.clocks import ManualClock
from tests.support.stored import open_store, service, take, unversioned, with_image

WAL_BYTES_MAX = 1024 * 1024
WRITES = 150
FILLER = "x" * 100_000


def test_the_log_is_merged_into_the_database_as_it_grows(tmp_path: Path) -> None:
    async def scenario() -> None:
        settings = StoreSettings(wal_bytes_max=WAL_BYTES_MAX, wal_pages_max=100)
        async with open_store(tmp_path, settings) as store:
            last = await store.create(service(annotations={"filler": FILLER}))
            wal, largest = tmp_path / "store.sqlite-wal", 0
            for number in range(WRITES):
                last = await store.update(with_image(last, f"app:{number}"))
                largest = max(largest, wal.stat().st_size)
            assert largest < WAL_BYTES_MAX < WRITES * len(FILLER)

    asyncio.run(scenario())


def test_history_that_is_old_enough_goes_also_where_each_start_writes_little(
    tmp_path: Path,
) -> None:
    settings = StoreSettings(history_s_min=900.0, history_events_min=10)
    clock = ManualClock()

    async def scenario() -> None:
        for start in range(8):
            async with open_store(tmp_path, settings, clock) as store:
                if not store.list(Service):
                    await store.create(service())
                for number in range(5):
                    last = unversioned(store.list(Service)[0])
                    await store.update(with_image(last, f"app:{start}:{number}"))
            clock.advance(300.0)
        async with open_store(tmp_path, settings, clock) as store:
            # Versions 1 to 41; less than 900 s old are the last two starts, of five writes each.
            kept = await take(store.watch(since=31), 10)
            assert [event.version for event in kept] == list(range(32, 42))
            with pytest.raises(Expired):
                await take(store.watch(since=30), 1)

    asyncio.run(scenario())


def test_what_is_young_is_kept_over_a_restart_however_much_it_is(tmp_path: Path) -> None:
    settings = StoreSettings(
        history_events_min=5, history_in_memory_events=4, compaction_every_events=3
    )
    clock = ManualClock()

    async def scenario() -> None:
        async with open_store(tmp_path, settings, clock) as store:
            last = await store.create(service())
            for number in range(40):
                last = await store.update(with_image(last, f"app:{number}"))
        # kn watches again from the same version for 630 s.
        clock.advance(630.0)
        async with open_store(tmp_path, settings, clock) as store:
            assert len(await take(store.watch(since=0), 41)) == 41

    asyncio.run(scenario())


def test_writes_that_wait_together_share_one_sync(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            before = store.commits
            await asyncio.gather(*(store.create(service(f"s{n}")) for n in range(32)))
            assert store.commits == before + 1
            assert [event.version for event in await take(store.watch(since=0), 32)] == list(
                range(1, 33)
            )
            # While one commit is under way, all that comes meanwhile waits for the next.
            first = asyncio.ensure_future(store.create(service("first")))
            while not first.done():
                later = [store.create(service(f"t{n}")) for n in range(31)]
                await asyncio.sleep(0)
                await asyncio.gather(*later, first)
            assert store.commits <= before + 3

    asyncio.run(scenario())
