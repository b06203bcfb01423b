"""A store, a publisher and workers that only listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from simulator.clock import SystemClock
from simulator.gatewaylink.link import Link
from simulator.gatewaylink.publisher import Publisher
from simulator.gatewaylink.settings import LinkSettings, PublisherSettings
from simulator.resources.conditions import READY, find
from simulator.resources.core import Pod
from simulator.resources.meta import R, Resource
from simulator.resources.networking import Ingress
from simulator.store.objects import DeleteOptions, Store
from simulator.store.settings import DEFAULTS
from simulator.traffic.rows import TrafficSettings
from simulator.traffic.table import TableCompiler
from tests.support.gatewayworker import ListeningWorker, listening_worker
from tests.support.traffic import NAMESPACE, ingress

WAIT_S = 10.0


class Stage:
    """A store, a publisher and one or two workers."""

    def __init__(self, store: Store, publisher: Publisher, workers: list[ListeningWorker]) -> None:
        self.store = store
        self.publisher = publisher
        self.workers = workers

    @property
    def worker(self) -> ListeningWorker:
        return self.workers[0]

    def weights(self) -> dict[str, int]:
        routes = self.worker.table.routes.values()
        return {share.backend: share.weight for row in routes for share in row.split.shares}

    def addresses(self) -> dict[str, tuple[str, ...]]:
        return {key: row.addresses for key, row in self.worker.table.backends.items()}

    def ready(self, name: str = "hello") -> str | None:
        """Return the Ready of the Ingress, for the generation that it is of now."""
        found = self.store.get(Ingress, NAMESPACE, name)
        if found is None or found.status.observed_generation != found.metadata.generation:
            return None
        condition = find(found.status.conditions, READY)
        return condition.status if condition else None

    def finalizers(self, one: Pod) -> tuple[str, ...]:
        found = self.store.get(Pod, *one.key)
        return found.metadata.finalizers if found else ()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until a write to the store makes it true."""
        watch = self.store.watch()
        try:
            async with asyncio.timeout(WAIT_S):
                while not condition():
                    await anext(watch)
        finally:
            watch.close()

    async def put(self, *objects: Resource) -> None:
        """Store new objects, with their status."""
        await asyncio.gather(*(self.store.create(bare(one)) for one in objects))

    async def split(self, percents: dict[str, int]) -> None:
        """Let the Ingress `hello` split anew, as the route controller does."""
        stored = self.store.get(Ingress, NAMESPACE, "hello")
        assert stored is not None
        spec = ingress("hello", percents).spec
        await self.store.update(msgspec.structs.replace(stored, spec=spec))

    async def delete(self, one: Pod, grace_s: int = 300) -> None:
        await self.store.delete(Pod, one.key, DeleteOptions(grace_period_s=grace_s))


def bare(one: R) -> R:
    """Return the object without what the store gives it."""
    return one.with_metadata(uid="", generation=None, creation_timestamp=None)


@asynccontextmanager
async def stage(
    folder: Path, *objects: Resource, workers: int = 1, **settings: Any
) -> AsyncIterator[Stage]:
    clock = SystemClock()
    limits = replace(DEFAULTS, **settings)
    store = await Store.open(folder / "store.sqlite", clock, limits)
    await asyncio.gather(*(store.create(bare(one)) for one in objects))
    progress = asyncio.Event()
    link = Link(
        folder / "gateway.sock",
        tuple(folder / f"{index}.pid" for index in range(workers)),
        clock=clock,
        on_progress=progress.set,
        settings=LinkSettings(acknowledge_s_max=60.0, absent_s_max=60.0),
    )
    publisher = Publisher(
        store,
        link,
        TableCompiler(TrafficSettings()),
        clock=clock,
        progress=progress,
        settings=PublisherSettings(retry_s=0.01),
    )
    async with asyncio.TaskGroup() as group, AsyncExitStack() as connected:
        running = [group.create_task(link.run()), group.create_task(publisher.run())]
        path = folder / "gateway.sock"
        listening = [
            await connected.enter_async_context(listening_worker(path, index))
            for index in range(workers)
        ]
        yield Stage(store, publisher, listening)
        for task in running:
            task.cancel()
    await store.close()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


HELLO = ingress("hello", {"a": 100})
