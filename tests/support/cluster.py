"""The real store and the real controllers, with the tiny data plane, for one test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from simulator.clock import SystemClock
from simulator.controllers.all import build
from simulator.controllers.settings import STOCK, ControllerSettings
from simulator.images import ImageMap, ImageRule, Program
from simulator.reconciling.controller import run_controllers
from simulator.reconciling.plan import Controller
from simulator.resources.core import Namespace
from simulator.resources.meta import ObjectMeta, R, Resource
from simulator.resources.serving import Service
from simulator.store.objects import Store, WatchEvent
from tests.support.dataplane import PodLife, Programmer

WAIT_S = 20.0
IMAGES = ImageMap((ImageRule("registry.example/*", Program(command=("true",))),))


class Cluster:
    """What a test may do to the store, and what it has seen there."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen: list[WatchEvent] = []
        self._changed = asyncio.Condition()

    def get(self, kind: type[R], name: str) -> R:
        """Return the object; it must be there."""
        found = self.store.get(kind, "default", name)
        assert found is not None, f"no {kind.KIND} {name}"
        return found

    async def change(self, name: str, **spec: Any) -> Service:
        """Give the Service these fields of its spec."""
        service = self.get(Service, name)
        new = msgspec.structs.replace(service.spec, **spec)
        return await self.store.update(
            msgspec.structs.replace(service, spec=new).with_metadata(resource_version="")
        )

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until it holds, at most WAIT_S."""
        async with asyncio.timeout(WAIT_S), self._changed:
            await self._changed.wait_for(holds)

    async def follow(self) -> None:
        watch = self.store.watch()
        async for event in watch:
            self.seen.append(event)
            async with self._changed:
                self._changed.notify_all()

    def history(self, kind: type[R], name: str) -> list[R]:
        """Return every state of the object that was seen, in order."""
        events = (event.object for event in self.seen)
        return [one for one in events if isinstance(one, kind) and one.metadata.name == name]


@asynccontextmanager
async def cluster(
    path: Path, settings: ControllerSettings = STOCK, *, with_gateway: bool = True
) -> AsyncIterator[Cluster]:
    """Run store and controllers until the block ends."""
    clock = SystemClock()
    store = await Store.open(path / "store.sqlite", clock)
    if store.get(Namespace, "", "default") is None:
        await store.create(Namespace(metadata=ObjectMeta(name="default")))
    controllers: tuple[Controller[Any], ...] = (*build(settings, lambda: IMAGES), PodLife())
    if with_gateway:
        controllers += (Programmer(),)
    running = Cluster(store)
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(running.follow())
        reconciling = tasks.create_task(run_controllers(store, controllers, clock))
        await asyncio.sleep(0)
        yield running
        reconciling.cancel()
        following.cancel()
    await store.close()


def is_gone(store: Store, kind: type[Resource]) -> bool:
    return not store.list(kind)
