"""The Store on a real file: what is acknowledged, what is refused, what is seen meanwhile."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from simulator.errors import AlreadyExists, Conflict, NotFound, Unavailable
from simulator.resources.meta import Key, controller_reference
from simulator.resources.serving import LABEL_SERVICE, Configuration, Revision, Service
from simulator.store.objects import DeleteOptions, Store
from simulator.store.settings import StoreSettings
from tests.support.clocks import ManualClock
from tests.support.stored import open_store, service, unversioned, with_image

HELLO = Key("default", "hello")


def test_a_new_object_gets_identity_and_version_and_is_read_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            made = await store.create(service())
            meta = made.metadata
            assert (meta.resource_version, meta.generation) == ("1", 1)
            assert meta.creation_timestamp == "2026-01-02T03:04:05Z"
            assert re.fullmatch("[0-9a-f-]{36}", meta.uid)
            assert store.get(Service, "default", "hello") is made
            assert store.version == 1
            with pytest.raises(AlreadyExists, match='"hello" already exists'):
                await store.create(service())

    asyncio.run(scenario())


def test_reads_choose_by_namespace_label_and_owner(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            owner = await store.create(service())
            label = {LABEL_SERVICE: "hello"}
            child = service("one", labels=label, owner_references=(controller_reference(owner),))
            made = await asyncio.gather(
                store.create(child), store.create(service("two", namespace="other", labels=label))
            )
            assert store.list(Service, labels=label) == tuple(made)
            assert store.list(Service, "other") == (made[1],)
            assert store.list(Service, "default", {LABEL_SERVICE: "else"}) == ()
            assert store.owned_by(Service, owner.uid) == (made[0],)
            assert store.list(Revision) == ()

    asyncio.run(scenario())


def test_a_stale_version_is_a_conflict_and_none_is_not_checked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            first = await store.create(service())
            await store.update(with_image(first, "app:2"))
            with pytest.raises(Conflict):
                await store.update(with_image(first, "app:3"))
            third = await store.update(unversioned(with_image(first, "app:3")))
            assert (third.metadata.resource_version, third.metadata.generation) == ("3", 3)

    asyncio.run(scenario())


def test_of_many_who_update_the_same_version_one_wins(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            first = await store.create(service())
            results = await asyncio.gather(
                *(store.update(with_image(first, f"app:{n}")) for n in range(2, 12)),
                return_exceptions=True,
            )
            won = [one for one in results if isinstance(one, Service)]
            assert len(won) == 1
            assert sum(isinstance(one, Conflict) for one in results) == 9
            assert store.get(Service, *HELLO) is won[0]

    asyncio.run(scenario())


def test_an_update_without_a_change_makes_no_version(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            first = await store.create(service())
            assert await store.update(first) is first
            assert await store.update_status(first) is first
            assert store.version == 1

    asyncio.run(scenario())


def test_nothing_is_seen_before_it_is_committed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            creating = asyncio.ensure_future(store.create(service()))
            await asyncio.sleep(0)
            assert store.get(Service, *HELLO) is None
            assert store.version == 0
            # Decided all the same: a second one of its name is refused, and only once it is true.
            with pytest.raises(AlreadyExists):
                await store.create(service())
            assert store.get(Service, *HELLO) is not None
            await creating

    asyncio.run(scenario())


def test_writes_issued_together_are_decided_in_call_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            made, changed, gone, again = await asyncio.gather(
                store.create(service()),
                store.update(service(image="app:2")),
                store.delete(Service, HELLO),
                store.create(service(image="app:3")),
            )
            versions = [one.metadata.resource_version for one in (made, changed, gone, again)]
            assert versions == ["1", "2", "3", "4"]
            assert made.uid == changed.uid == gone.uid != again.uid
            assert store.list(Service) == (again,)

    asyncio.run(scenario())


def test_a_cancelled_writer_takes_nobody_else_down(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            creating = asyncio.ensure_future(store.create(service()))
            await asyncio.sleep(0)
            same = asyncio.ensure_future(store.update(service()))
            await asyncio.sleep(0)
            creating.cancel()
            assert (await same).metadata.name == "hello"
            assert store.version == 1

    asyncio.run(scenario())


def test_finalizers_hold_a_deleted_object_until_they_are_gone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            await store.create(service(finalizers=("knary.dev/x",)))
            marked = await store.delete(Service, HELLO)
            assert marked.is_deleting
            assert await store.delete(Service, HELLO) is marked
            gone = await store.update(marked.with_metadata(finalizers=()))
            assert gone.metadata.resource_version == "3"
            assert store.get(Service, *HELLO) is None
            with pytest.raises(NotFound):
                await store.delete(Service, HELLO)

    asyncio.run(scenario())


def test_generated_names_start_as_asked_and_differ(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            made = await asyncio.gather(
                *(store.create(service(name="", generate_name="pod-")) for _ in range(50))
            )
            names = {one.metadata.name for one in made}
            assert len(names) == 50
            assert all(re.fullmatch("pod-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)
            long = await store.create(service(name="", generate_name="x" * 70))
            assert len(long.metadata.name) == 63

    asyncio.run(scenario())


def test_everything_is_there_after_a_restart_and_versions_go_on(tmp_path: Path) -> None:
    async def before() -> Service:
        async with open_store(tmp_path) as store:
            kept = await store.create(service(annotations={"free": "ünïcode"}))
            await store.create(Configuration(metadata=service("gone").metadata))
            await store.delete(Configuration, Key("default", "gone"))
            return kept

    async def after(kept: Service) -> None:
        async with open_store(tmp_path) as store:
            assert store.version == 3
            assert store.list(Service) == (kept,)
            assert store.list(Configuration) == ()
            await store.delete(Service, HELLO)
        # Nothing is left, and still the counter goes on.
        async with open_store(tmp_path) as store:
            assert (await store.create(service())).metadata.resource_version == "5"

    asyncio.run(after(asyncio.run(before())))


def test_a_full_queue_and_a_closed_store_refuse(tmp_path: Path) -> None:
    async def scenario() -> None:
        settings = StoreSettings(pending_writes_max=3)
        store = await Store.open(tmp_path / "store.sqlite", ManualClock(), settings)
        writes = [store.create(service(f"s{n}")) for n in range(5)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert [type(one) for one in results] == [Service] * 3 + [Unavailable] * 2
        under_way = asyncio.ensure_future(store.create(service("last")))
        await asyncio.sleep(0)
        await store.close()
        assert (await under_way).metadata.name == "last"
        with pytest.raises(Unavailable):
            await store.create(service("late"))

    asyncio.run(scenario())


def test_preconditions_reach_the_decision(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            made = await store.create(service())
            with pytest.raises(Conflict):
                await store.delete(Service, HELLO, DeleteOptions(uid="other"))
            await store.delete(Service, HELLO, DeleteOptions(uid=made.uid))
            assert store.list(Service) == ()

    asyncio.run(scenario())
