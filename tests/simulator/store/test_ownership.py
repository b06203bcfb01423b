"""The Store notes who writes, when it is told; what changes nothing is nobody's write."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator.errors import AlreadyExists
from simulator.resources.meta import Resource
from simulator.resources.serving import Service, ServiceStatus
from simulator.store.objects import taken
from tests.support.clocks import ManualClock
from tests.support.stored import open_store, service, unversioned, with_image


def entries(obj: Resource) -> list[tuple[str, str, str, Any]]:
    return [
        (one["manager"], one.get("subresource", ""), one["time"], one["fieldsV1"])
        for one in obj.metadata.managed_fields
    ]


def with_url(obj: Service, url: str) -> Service:
    return msgspec.structs.replace(obj, status=ServiceStatus(url=url))


CONTAINERS = {"f:template": {"f:spec": {"f:containers": {}}}}
AT, LATER = "2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z"


def test_each_writer_owns_what_it_wrote(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        async with open_store(tmp_path, clock=clock) as store:
            made = await store.create(service(), "maker")
            spec = {".": {}, "f:template": {".": {}, "f:spec": {".": {}, "f:containers": {}}}}
            assert entries(made) == [("maker", "", AT, {"f:spec": spec})]
            clock.advance(60)
            shown = await store.update_status(with_url(made, "http://a"), "shower")
            status = {"f:status": {".": {}, "f:url": {}}}
            assert entries(shown)[1:] == [("shower", "status", LATER, status)]
            changed = await store.update(with_image(shown, "app:2"), "changer")
            left = {".": {}, "f:template": {".": {}, "f:spec": {}}}
            assert entries(changed) == [
                ("maker", "", AT, {"f:spec": left}),
                ("changer", "", LATER, {"f:spec": CONTAINERS}),
                ("shower", "status", LATER, status),
            ]

    asyncio.run(scenario())


def test_what_changes_nothing_takes_nothing_and_makes_no_version(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = ManualClock()
        async with open_store(tmp_path, clock=clock) as store:
            made = await store.create(service(), "maker")
            clock.advance(60)
            assert await store.update(unversioned(made), "other") == made
            assert await store.update_status(unversioned(made), "other") == made
            later = [one | {"time": LATER} for one in made.metadata.managed_fields]
            said = unversioned(made).with_metadata(managed_fields=tuple(later))
            assert await store.update(said) == made, "another time alone is no change"
            assert store.version == 1

    asyncio.run(scenario())


def test_a_writer_that_saw_no_entries_loses_none(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with open_store(tmp_path) as store:
            made = await store.create(service(), "maker")
            blind = unversioned(made).with_metadata(managed_fields=())
            changed = await store.update(with_image(blind, "app:2"), "other")
            assert [one[0] for one in entries(changed)] == ["maker", "other"]

    asyncio.run(scenario())


TAKEN = 'services.serving.knative.dev "a" already exists'
GENERATED = f"{TAKEN}, the server was not able to generate a unique name for the object"


@pytest.mark.parametrize(
    ("obj", "message"), [(service("a"), TAKEN), (service("", generate_name="a"), GENERATED)]
)
def test_a_name_that_is_taken_is_refused_as_its_giver_deserves(obj: Service, message: str) -> None:
    refused = taken(obj, "a")
    assert isinstance(refused, AlreadyExists)
    assert refused.message == message
