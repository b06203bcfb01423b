"""The loop on the real store: what wakes a key, what a refusal leads to, what it survives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from simulator.clock import SystemClock
from simulator.errors import AlreadyExists, StorageFailed
from simulator.reconciling.apply import Outcome, apply
from simulator.reconciling.controller import run_controllers
from simulator.reconciling.plan import (
    NOTHING,
    Create,
    Delete,
    Plan,
    Record,
    Update,
    UpdateStatus,
)
from simulator.reconciling.progress import Progress
from simulator.reconciling.reader import Reader
from simulator.resources.core import Event, Namespace, Pod
from simulator.resources.meta import Key, ObjectMeta, Resource
from simulator.store.objects import Store
from tests.support.world import NOW

WAIT_S = 20.0


def namespace(name: str, **labels: str) -> Namespace:
    return Namespace(metadata=ObjectMeta(name=name, labels=labels))


class Scripted:
    """A controller of namespaces whose plan the test gives."""

    name = "scripted"
    kind: type[Resource] = Namespace
    watches: tuple[type[Resource], ...] = ()

    def __init__(self, decide: Callable[[Namespace], Plan]) -> None:
        self._decide = decide
        self.observed: list[tuple[str, str]] = []
        self.looked = asyncio.Event()

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        if changed.metadata.name == "confusing":
            raise RuntimeError("cannot tell")
        return (changed.key,)

    def observe(self, reader: Reader, key: Key) -> Namespace | None:
        return reader.get(Namespace, *key)

    def plan(self, observed: Namespace, now: datetime) -> Plan:  # noqa: ARG002
        self.observed.append((observed.metadata.name, observed.metadata.resource_version))
        self.looked.set()
        return self._decide(observed)

    async def looks(self, times: int) -> None:
        """Wait until it has looked so many times."""
        async with asyncio.timeout(WAIT_S):
            while len(self.observed) < times:
                self.looked.clear()
                await self.looked.wait()


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(path / "store.sqlite", SystemClock())
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def running(store: Store, *controllers: Any) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(run_controllers(store, controllers, SystemClock()))
        yield
        task.cancel()


def test_every_object_is_looked_at_once_at_the_start_and_again_when_it_changes(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with opened(tmp_path) as store:
            for name in ("a", "b"):
                await store.create(namespace(name))
            controller = Scripted(lambda _: NOTHING)
            async with running(store, controller):
                await controller.looks(2)
                assert {name for name, _ in controller.observed} == {"a", "b"}
                changed = await store.update(namespace("a", new="yes"))
                await controller.looks(3)
                assert controller.observed[-1] == ("a", changed.metadata.resource_version)

    asyncio.run(story())


def test_it_tells_how_far_it_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as store:
            gate = asyncio.Event()
            await store.create(namespace("a"))
            controller = Scripted(lambda observed: Plan((UpdateStatus(observed),)))
            progress = Progress()
            running_to = partial(run_controllers, progress=progress)
            async with asyncio.TaskGroup() as tasks:
                loop = running_to(Slow(store, gate), (controller,), SystemClock())
                task = tasks.create_task(loop)
                await controller.looks(1)
                changed = await store.update(namespace("a", one="1"))
                assert progress.version < store.version - 1
                gate.set()
                await controller.looks(2)
                assert controller.observed[-1] == ("a", changed.metadata.resource_version)
                await store.create(namespace("b"))
                await controller.looks(3)
                assert progress.version >= int(changed.metadata.resource_version)
                task.cancel()

    asyncio.run(story())


def test_a_plan_that_raises_is_logged_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failures = iter([True, True, False])

    def decide(_: Namespace) -> Plan:
        if next(failures, False):
            raise ZeroDivisionError("a bug in the plan")
        return NOTHING

    async def story() -> None:
        async with opened(tmp_path) as store:
            await store.create(namespace("a"))
            controller = Scripted(decide)
            async with running(store, controller):
                await controller.looks(3)

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert "a bug in the plan" in caplog.text
    assert "Traceback" in caplog.text


def test_a_change_that_cannot_be_placed_does_not_stop_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with opened(tmp_path) as store:
            controller = Scripted(lambda _: NOTHING)
            async with running(store, controller):
                await asyncio.sleep(0)
                await store.create(namespace("confusing"))
                await store.create(namespace("plain"))
                await controller.looks(1)
                assert controller.observed[0][0] == "plain"

    asyncio.run(story())
    assert "cannot tell" in caplog.text


def test_a_conflict_makes_the_loop_look_again(tmp_path: Path) -> None:
    stale: list[Namespace] = []

    def decide(observed: Namespace) -> Plan:
        # The first plan is made on a state that is no more when it is carried out.
        stale.append(observed)
        if "done" in observed.metadata.labels:
            return NOTHING
        version = "1" if len(stale) == 1 else observed.metadata.resource_version
        return Plan(
            (Update(observed.with_metadata(labels={"done": "yes"}, resource_version=version)),)
        )

    async def story() -> None:
        async with opened(tmp_path) as store:
            await store.create(namespace("other"))
            await store.create(namespace("a"))
            await store.delete(Namespace, Key("", "other"))
            controller = Scripted(decide)
            async with running(store, controller):
                await controller.looks(3)
                found = store.get(Namespace, "", "a")
                assert found is not None
                assert found.metadata.labels == {"done": "yes"}

    asyncio.run(story())


def test_a_plan_is_looked_at_again_when_it_asks_for_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as store:
            await store.create(namespace("a"))
            controller = Scripted(lambda _: Plan(requeue_after_s=0.001))
            async with running(store, controller):
                await controller.looks(4)

    asyncio.run(story())


def test_one_key_is_never_planned_for_twice_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as store:
            gate = asyncio.Event()
            await store.create(namespace("a"))
            controller = Scripted(lambda observed: Plan((UpdateStatus(observed),)))
            slow = Slow(store, gate)
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(run_controllers(slow, (controller,), SystemClock()))
                await controller.looks(1)
                await store.update(namespace("a", one="1"))
                await store.update(namespace("a", two="2"))
                assert len(controller.observed) == 1
                gate.set()
                await controller.looks(2)
                task.cancel()

    asyncio.run(story())


class Slow(Store):
    """The store, whose status writes wait at a gate."""

    def __init__(self, store: Store, gate: asyncio.Event) -> None:
        self.__dict__.update(store.__dict__)
        self._gate = gate

    async def update_status(self, obj: Any, manager: str) -> Any:  # noqa: ARG002
        await self._gate.wait()
        return obj


def test_the_loop_ends_when_the_store_is_closed(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as store:
            controller = Scripted(lambda _: NOTHING)
            task = asyncio.create_task(run_controllers(store, (controller,), SystemClock()))
            await store.create(namespace("a"))
            await controller.looks(1)
            await store.close()
            async with asyncio.timeout(WAIT_S):
                await task

    asyncio.run(story())


def outcome_of(path: Path, plan: Callable[[Namespace], Plan]) -> tuple[Outcome, Store]:
    async def story() -> tuple[Outcome, Store]:
        async with opened(path) as store:
            known = await store.create(namespace("known"))
            return await apply(store, plan(known), "test-controller", NOW), store

    return asyncio.run(story())


def test_actions_after_a_refused_one_are_not_carried_out(tmp_path: Path) -> None:
    outcome, store = outcome_of(
        tmp_path,
        lambda known: Plan(
            (
                Create(namespace("first")),
                Create(namespace("known")),
                Create(namespace("last")),
                Record(known, "Normal", "Created", "Created Namespace"),
            )
        ),
    )
    assert outcome is Outcome.BACK_OFF
    assert [one.metadata.name for one in store.list(Namespace)] == ["first", "known"]
    assert not store.list(Event)


REFUSALS = [
    pytest.param(Update(namespace("nobody")), Outcome.LOOK_AGAIN, id="gone: look again"),
    pytest.param(
        Update(Namespace(metadata=ObjectMeta(name="known", resource_version="999"))),
        Outcome.LOOK_AGAIN,
        id="changed: look again",
    ),
    pytest.param(Create(namespace("known")), Outcome.BACK_OFF, id="there already: back off"),
    pytest.param(Delete(namespace("nobody")), Outcome.DONE, id="deleted already: fine"),
    pytest.param(
        Delete(Namespace(metadata=ObjectMeta(name="known", uid="another"))),
        Outcome.LOOK_AGAIN,
        id="replaced by another of its name: not deleted",
    ),
]


@pytest.mark.parametrize(("action", "outcome"), REFUSALS)
def test_a_refusal_decides_what_happens_next(tmp_path: Path, action: Any, outcome: Outcome) -> None:
    found, store = outcome_of(tmp_path, lambda _: Plan((action,)))
    assert found is outcome
    assert [one.metadata.name for one in store.list(Namespace)] == ["known"]


def test_a_disk_that_fails_makes_the_loop_back_off(caplog: pytest.LogCaptureFixture) -> None:
    class Full:
        def get(self, *_: Any) -> None:
            return None

        async def create(self, obj: Resource, manager: str) -> Resource:  # noqa: ARG002
            raise StorageFailed("the disk is full")

    async def story() -> Outcome:
        bus: Any = Full()
        return await apply(bus, Plan((Create(namespace("a")),)), "test-controller", NOW)

    assert asyncio.run(story()) is Outcome.BACK_OFF
    assert "the disk is full" in caplog.text


def test_equal_events_are_counted_and_others_stand_beside_them(tmp_path: Path) -> None:
    pod = Pod(metadata=ObjectMeta(name="p", namespace="default", uid="u"))

    async def story() -> list[Event]:
        async with opened(tmp_path) as store:
            for message in ("same", "same", "other", "same"):
                plan = Plan((Record(pod, "Warning", "BackOff", message),))
                assert await apply(store, plan, "test-controller", NOW) is Outcome.DONE
            return list(store.list(Event))

    events = asyncio.run(story())
    assert sorted((one.message, one.count) for one in events) == [("other", 1), ("same", 3)]
    assert {one.source.component for one in events} == {"test-controller"}
    assert {one.involved_object.kind for one in events} == {"Pod"}


def test_an_event_that_cannot_be_recorded_fails_nothing() -> None:
    class Refusing:
        def get(self, *_: Any) -> None:
            return None

        async def create(self, obj: Resource, manager: str) -> Resource:  # noqa: ARG002
            raise AlreadyExists("someone was faster")

    async def story() -> Outcome:
        bus: Any = Refusing()
        plan = Plan((Record(namespace("a"), "Normal", "Reason", "x" * 5000),))
        return await apply(bus, plan, "test-controller", NOW)

    assert asyncio.run(story()) is Outcome.DONE
