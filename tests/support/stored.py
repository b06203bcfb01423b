"""A real store on a real file, and short ways to say what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from simulator.resources.meta import ObjectMeta, Resource
from simulator.resources.podspec import Container
from simulator.resources.serving import RevisionSpec, RevisionTemplate, Service, ServiceSpec
from simulator.store.objects import Store, Watch, WatchEvent
from simulator.store.settings import DEFAULTS, StoreSettings
from tests.support.clocks import ManualClock

WITHIN_S = 20.0


@asynccontextmanager
async def open_store(
    folder: Path, settings: StoreSettings = DEFAULTS, clock: ManualClock | None = None
) -> AsyncIterator[Store]:
    """Open the store of a folder, and close it."""
    store = await Store.open(folder / "store.sqlite", clock or ManualClock(), settings)
    try:
        yield store
    finally:
        await store.close()


def service(name: str = "hello", image: str = "app:1", **metadata: Any) -> Service:
    """Return a Service of namespace default, as a client might send it."""
    meta = ObjectMeta(**{"name": name, "namespace": "default", **metadata})
    return Service(metadata=meta, spec=spec_of(image))


def spec_of(image: str) -> ServiceSpec:
    container = Container(name="user-container", image=image)
    return ServiceSpec(template=RevisionTemplate(spec=RevisionSpec(containers=(container,))))


def with_image(obj: Service, image: str) -> Service:
    return msgspec.structs.replace(obj, spec=spec_of(image))


def unversioned(obj: Service) -> Service:
    """Return the object without a resourceVersion, so that no version is checked."""
    return obj.with_metadata(resource_version="")


async def take(watch: Watch, count: int) -> list[WatchEvent]:
    """Return the watch's next events, within a bounded time."""
    events: list[WatchEvent] = []
    async with asyncio.timeout(WITHIN_S):
        while len(events) < count:
            events += await watch.next_events(count - len(events))
    return events


def replayed(events: list[WatchEvent]) -> dict[tuple[type[Resource], str, str], Resource]:
    """Return the objects that are there after these events, checking that the versions rise."""
    objects: dict[tuple[type[Resource], str, str], Resource] = {}
    last = 0
    for event in events:
        assert event.version > last
        assert event.object.metadata.resource_version == str(event.version)
        last = event.version
        key = (type(event.object), *event.object.key)
        assert (key in objects) is (event.type != "ADDED"), "added once, then modified or deleted"
        if event.type == "DELETED":
            del objects[key]
        else:
            objects[key] = event.object
    return objects
