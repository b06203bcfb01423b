"""Watches: every event after a version, in order, each once, or Expired."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from simulator.errors import AlreadyExists, Conflict, Expired, NotFound
from simulator.resources.core import Pod, PodStatus
from simulator.resources.meta import Key, ObjectMeta
from simulator.resources.serving import Configuration, Service
from simulator.store.objects import Store, WatchEvent
from simulator.store.settings import StoreSettings
from simulator.store.watching import History, HistoryChunk, Kinds
from tests.support.clocks import ManualClock
from tests.support.stored import (
    WITHIN_S,
    open_store,
    replayed,
    service,
    take,
    unversioned,
    with_image,
)

SMALL = StoreSettings(history_in_memory_events=4, history_chunk_events=3)


async def story(store: Store) -> None:
    """Write versions 1 to 4: created, changed, labelled, deleted."""
    first = await store.create(service())
    second = await store.update(with_image(first, "app:2"))
    await store.update(second.with_metadata(labels={"a": "b"}))
    await store.delete(Service, first.key)


def told(events: list[WatchEvent]) -> list[tuple[str, int]]:
    return [(event.type, event.version) for event in events]


def test_a_watch_sees_what_happens_from_now_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            await store.create(service("before"))
            watch = store.watch([Service])
            await story(store)
            events = await take(watch, 4)
            assert told(events) == [("ADDED", 2), ("MODIFIED", 3), ("MODIFIED", 4), ("DELETED", 5)]
            assert events[3].object.metadata.resource_version == "5"
            assert watch.is_drained

    asyncio.run(scenario())


@pytest.mark.parametrize("since", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_a_watch_from_a_version_replays_all_after_it(
    tmp_path: Path, since: int, *, restarted: bool
) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            await story(store)
            if not restarted:
                await check(store)
        if restarted:
            async with open_store(tmp_path) as store:
                await check(store)

    async def check(store: Store) -> None:
        watch = store.watch(since=since)
        await store.create(service("next"))
        expected = [("ADDED", 1), ("MODIFIED", 2), ("MODIFIED", 3), ("DELETED", 4), ("ADDED", 5)]
        assert told(await take(watch, 5 - since)) == expected[since:]

    asyncio.run(scenario())


def test_history_in_memory_and_on_disk_join_without_a_seam(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path, SMALL) as store:
            for n in range(30):
                kind = Service if n % 3 else Configuration
                await store.create(kind(metadata=ObjectMeta(name=f"o{n}", namespace="default")))
            for since in range(31):
                watch = store.watch(since=since)
                assert told(await take(watch, 30 - since)) == [
                    ("ADDED", version) for version in range(since + 1, 31)
                ]
            watch = store.watch([Configuration], since=0)
            versions = [event.version for event in await take(watch, 10)]
            assert versions == list(range(1, 31, 3))

    asyncio.run(scenario())


def test_what_selectors_saw_before_a_write_outlives_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            await story(store)
            meta = ObjectMeta(name="p", namespace="default")
            pod = await store.create(Pod(metadata=meta, status=PodStatus(phase="Pending")))
            await store.update_status(
                Pod(metadata=pod.metadata, status=PodStatus(phase="Running", message="up"))
            )
            live = await take(store.watch(since=0), 6)
        async with open_store(tmp_path) as store:
            assert await take(store.watch(since=0), 6) == live
        before = [event.before for event in live]
        assert [one is not None for one in before] == [False, False, True, False, False, True]
        assert before[2] == Service(metadata=ObjectMeta(name="hello", namespace="default"))
        assert before[5] == Pod(metadata=meta, status=PodStatus(phase="Pending"))

    asyncio.run(scenario())


def test_who_falls_behind_gets_expired_and_holds_nobody_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path, StoreSettings(watch_queue_events_max=3)) as store:
            slow, quick = store.watch(), store.watch()
            for n in range(4):
                await store.create(service(f"s{n}"))
                await take(quick, 1)
            for _ in range(2):
                with pytest.raises(Expired, match="fell behind"):
                    await anext(slow)

    asyncio.run(scenario())


def test_a_version_of_the_future_is_expired(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            with pytest.raises(Expired, match="too large resource version: 9, current: 0"):
                await anext(store.watch(since=9))

    asyncio.run(scenario())


def test_history_is_kept_by_age_and_by_number_and_then_expires(tmp_path: Path) -> None:
    settings = StoreSettings(
        history_s_min=600.0,
        history_events_min=5,
        history_in_memory_events=1,
        compaction_every_events=1,
    )

    async def scenario() -> None:
        clock = ManualClock()
        async with open_store(tmp_path, settings, clock) as store:
            for n in range(20):
                await store.create(service(f"s{n}"))
            # All are young: none has gone.
            assert len(await take(store.watch(since=0), 20)) == 20
            clock.advance(601)
            await store.create(service("late"))
            # The compaction runs on the store's thread, before the read that follows it.
            with pytest.raises(Expired, match=r"too old resource version: 15 \(16\)"):
                await take(store.watch(since=15), 1)
            assert len(await take(store.watch(since=16), 5)) == 5
        async with open_store(tmp_path, settings, clock) as store:
            with pytest.raises(Expired):
                await take(store.watch(since=0), 1)
            assert len(store.list(Service)) == 21

    asyncio.run(scenario())


def test_closing_ends_an_iteration_under_way(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            watch, other = store.watch(), store.watch()

            async def consume() -> list[int]:
                return [event.version async for event in watch]

            consuming = asyncio.ensure_future(consume())
            await store.create(service())
            await take(other, 1)
            watch.close()
            async with asyncio.timeout(WITHIN_S):
                assert await consuming == [1]
        assert [event async for event in other] == []

    asyncio.run(scenario())


def test_every_watcher_of_many_writers_ends_with_the_final_list(tmp_path: Path) -> None:
    writers, rounds, last = 8, 25, "last"

    async def write(store: Store, writer: int) -> None:
        for step in range(rounds):
            name = f"s{(writer + step) % 5}"
            try:
                current = store.get(Service, "default", name)
                if current is None:
                    await store.create(service(name))
                elif step % 4 == 3:
                    await store.delete(Service, Key("default", name))
                elif step % 2:
                    await store.update(unversioned(with_image(current, f"app:{writer}-{step}")))
                else:
                    await store.update(current.with_metadata(labels={"step": str(step)}))
            except (AlreadyExists, Conflict, NotFound):
                continue

    async def follow(store: Store, since: int | None) -> list[WatchEvent]:
        seen: list[WatchEvent] = []
        async for event in store.watch([Service], since=since):
            seen.append(event)
            if event.object.metadata.name == last:
                break
        return seen

    async def scenario() -> None:
        async with open_store(tmp_path, SMALL) as store:
            followers = [asyncio.ensure_future(follow(store, 0)) for _ in range(6)]
            await asyncio.gather(*(write(store, n) for n in range(writers)))
            # These begin in the midst of it all, on disk and in memory.
            followers += [asyncio.ensure_future(follow(store, 0)) for _ in range(3)]
            await asyncio.gather(*(write(store, n) for n in range(writers)))
            await store.create(service(last))
            async with asyncio.timeout(WITHIN_S):
                histories = await asyncio.gather(*followers)
            final = {(Service, *obj.key): obj for obj in store.list(Service)}
        async with open_store(tmp_path) as store:
            histories.append(await follow(store, 0))
            assert {(Service, *obj.key): obj for obj in store.list(Service)} == final
        for history in histories:
            assert history == histories[0]
        assert replayed(histories[0]) == final

    asyncio.run(scenario())


def test_large_events_leave_the_memory_before_many_do() -> None:
    async def scenario() -> None:
        asked = []

        async def load(after: int, until: int, kinds: Kinds) -> HistoryChunk:
            asked.append((after, until, kinds))
            return HistoryChunk((), until, is_last=True)

        history = History(0, StoreSettings(history_in_memory_bytes_max=100), load)
        for version, size in enumerate([30, 30, 30, 30, 200, 10], 1):
            history.publish([WatchEvent("MODIFIED", service(), version)], [size])
        assert told(await history.follow(None, 5, 6).next_events(9)) == [("MODIFIED", 6)]
        assert asked == []
        assert told(await history.follow(None, 2, 6).next_events(9)) == [("MODIFIED", 6)]
        assert asked == [(2, 5, None)]

    asyncio.run(scenario())


@pytest.mark.parametrize("since", range(4))
def test_what_left_the_memory_for_its_size_is_replayed_from_the_disk(
    tmp_path: Path, since: int
) -> None:
    async def scenario() -> None:
        settings = StoreSettings(history_in_memory_bytes_max=1, history_chunk_events=3)
        async with open_store(tmp_path, settings=settings) as store:
            now = store.watch([Service])
            await story(store)
            events = await take(now, 4)
            past = store.watch([Service], since=since)
            assert await take(past, 4 - since) == events[since:]

    asyncio.run(scenario())
