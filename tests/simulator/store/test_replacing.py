"""All objects become others at once: what goes on, what goes, what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from simulator.resources.core import PROCESS_FINALIZER, Pod
from simulator.resources.meta import ObjectMeta, Resource, controller_reference
from simulator.resources.serving import Configuration, Service
from simulator.store.objects import Store
from simulator.store.replacing import lasting, mended, replacement
from tests.support.stored import open_store, service, spec_of, take

LATER = "2026-01-02T03:04:05Z"


def named(obj: Resource, uid: str, version: str = "1") -> Resource:
    return obj.with_metadata(uid=uid, resource_version=version)


HELLO = named(service("hello"), "u1")
OTHER = named(service("other"), "u2")


def owned(kind: type[Resource], name: str, owner: Resource, **metadata: object) -> Resource:
    reference = controller_reference(owner)
    fields = {"name": name, "namespace": "default", "uid": f"{name}-uid", **metadata}
    return kind(metadata=ObjectMeta(owner_references=(reference,), **fields))  # type: ignore[arg-type]


POD = owned(Pod, "hello-x", HELLO, finalizers=(PROCESS_FINALIZER,))


@pytest.mark.parametrize(
    ("there", "wanted", "expected"),
    [
        pytest.param([], [], [], id="nothing stays nothing"),
        pytest.param([HELLO], [HELLO], [], id="what is as it is wanted goes on"),
        pytest.param([named(HELLO, "u1", "7")], [HELLO], [], id="whatever its version"),
        pytest.param([HELLO, OTHER], [OTHER], ["- hello"], id="what is not wanted goes"),
        pytest.param([], [HELLO], ["+ hello"], id="what is not there comes"),
        pytest.param(
            [named(service("hello", "app:2"), "u1")],
            [HELLO],
            ["- hello", "+ hello"],
            id="what is otherwise goes and comes, so that nobody takes its generation for another",
        ),
        pytest.param(
            [named(HELLO, "u9")], [HELLO], ["- hello", "+ hello"], id="so does a namesake"
        ),
        pytest.param([HELLO, POD], [HELLO], [], id="replicas of what goes on go on"),
        pytest.param(
            [HELLO, POD],
            [],
            ["- hello", "- hello-x"],
            id="its replicas go with it, finalizers or not",
        ),
        pytest.param(
            [HELLO, POD.with_metadata(deletion_timestamp=LATER)],
            [HELLO],
            ["- hello-x"],
            id="a replica on its way out goes",
        ),
        pytest.param(
            [HELLO, owned(Configuration, "hello", HELLO)],
            [HELLO],
            ["- hello"],
            id="an owned object that has a state of its own is wanted, or goes",
        ),
    ],
)
def test_what_a_replacement_changes(
    there: Sequence[Resource], wanted: Sequence[Resource], expected: list[str]
) -> None:
    assert told(replacement(there, wanted)) == expected


@pytest.mark.parametrize(
    ("there", "wanted", "expected"),
    [
        pytest.param([HELLO, POD], [HELLO], [], id="nobody wrote late"),
        pytest.param([POD], [], ["- hello-x"], id="a child of who is gone goes"),
        pytest.param([], [HELLO], ["+ hello"], id="what was collected comes back"),
        pytest.param(
            [HELLO.with_metadata(deletion_timestamp=LATER)],
            [HELLO],
            ["- hello", "+ hello"],
            id="so does what is being deleted",
        ),
        pytest.param([HELLO, OTHER], [HELLO], [], id="what a user made meanwhile stays"),
        pytest.param(
            [named(HELLO, "u9")], [HELLO], [], id="so does a namesake that a user made meanwhile"
        ),
        pytest.param(
            [HELLO, owned(Configuration, "hello", HELLO, uid="u9")],
            [HELLO, owned(Configuration, "hello", HELLO)],
            ["- hello", "+ hello"],
            id="a namesake that a controller made instead goes",
        ),
        pytest.param(
            [named(service("hello", "app:2"), "u1")], [HELLO], [], id="what was changed stays so"
        ),
    ],
)
def test_what_late_writes_did_is_undone(
    there: Sequence[Resource], wanted: Sequence[Resource], expected: list[str]
) -> None:
    assert told(mended(there, wanted)) == expected


def test_a_snapshot_has_neither_what_runs_nor_what_is_on_its_way_out() -> None:
    leaving = OTHER.with_metadata(deletion_timestamp=LATER)
    assert lasting([HELLO, POD, leaving]) == [HELLO]


def told(changes: object) -> list[str]:
    signs = {"DELETED": "-", "ADDED": "+"}
    return [f"{signs[one.type]} {one.object.metadata.name}" for one in changes]  # type: ignore[attr-defined]


# In a store ------------------------------------------------------------------------------------


def run(folder: Path, scenario: Callable[[Store], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with open_store(folder) as store:
            await scenario(store)

    asyncio.run(inside())


def test_all_of_it_is_one_commit_and_each_watch_sees_all_of_it(tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        kept = await store.create(service("kept"))
        held = await store.create(service("held", finalizers=("example.com/hold",)))
        before = store.commits
        watch = store.watch()
        wanted = [kept, named(service("new"), "u7")]
        changes = await store.change_all(partial(replacement, wanted=wanted))
        assert [one.type for one in changes] == ["DELETED", "ADDED"]
        assert store.commits == before + 1
        assert [one.metadata.name for one in store.list(Service)] == ["kept", "new"]
        events = await take(watch, 2)
        assert [(one.type, one.object.metadata.name) for one in events] == [
            ("DELETED", "held"),
            ("ADDED", "new"),
        ]
        assert int(events[0].object.metadata.resource_version) > int(held.metadata.resource_version)
        # The name is free at once, also for who had it.
        again = await store.create(service("held"))
        assert again.uid != held.uid

    run(tmp_path, scenario)


def test_a_write_under_way_is_replaced_like_one_that_is_done(tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        creating = asyncio.ensure_future(store.create(service("late")))
        await asyncio.sleep(0)
        await store.change_all(partial(replacement, wanted=[]))
        await creating
        assert store.list(Service) == ()

    run(tmp_path, scenario)


def test_it_survives_a_restart(tmp_path: Path) -> None:
    async def first(store: Store) -> None:
        made = await store.create(service("hello"))
        changed = msgspec.structs.replace(made, spec=spec_of("app:2"))
        await store.update(changed)
        await store.change_all(partial(replacement, wanted=[made]))

    async def second(store: Store) -> None:
        (found,) = store.list(Service)
        assert found.metadata.generation == 1
        assert found.spec == spec_of("app:1")

    run(tmp_path, first)
    run(tmp_path, second)


def test_nothing_to_change_costs_no_commit(tmp_path: Path) -> None:
    async def scenario(store: Store) -> None:
        made = await store.create(service("hello"))
        before = store.commits
        assert await store.change_all(partial(replacement, wanted=[made])) == []
        await store.flush()
        assert store.commits == before

    run(tmp_path, scenario)
