"""From any version of the history, with any selector: what a watch tells leads to what there is.

One long story of labelled objects that come, change, enter and leave selections and go; then a
watch from each of its versions, before and after a restart of the API and its store.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from simulator.api.settings import ApiSettings
from simulator.resources.meta import Key
from simulator.resources.serving import Service
from simulator.store.objects import Store
from simulator.store.settings import StoreSettings
from tests.support.api import SERVICES, Api, running_api
from tests.support.stored import service, unversioned, with_image

STEPS = 30
SEED = 1
NAMES = tuple(f"s{number}" for number in range(5))
LABELS: tuple[dict[str, str], ...] = ({}, {"a": "x"}, {"a": "y"}, {"a": "x", "b": ""}, {"b": "z"})
ALL_SERVICES = "/apis/serving.knative.dev/v1/services"
SELECTIONS = {
    "all": (SERVICES, ""),
    "all namespaces": (ALL_SERVICES, ""),
    "equal": (SERVICES, "labelSelector=a%3Dx"),
    "in all namespaces": (ALL_SERVICES, "labelSelector=a+in+(x,y)"),
    "not equal": (SERVICES, "labelSelector=a!%3Dx"),
    "exists": (SERVICES, "labelSelector=b"),
    "not there": (SERVICES, "labelSelector=!b"),
    "both": (SERVICES, "labelSelector=a%3Dx,b"),
    "one name": (SERVICES, "fieldSelector=metadata.name%3Ds1"),
    "every other name": (SERVICES, "fieldSelector=metadata.name!%3Ds1"),
    "name and label": (SERVICES, "fieldSelector=metadata.name%3Ds1&labelSelector=a"),
}
# Little history in memory, in small pieces: most replays join the disk's to the memory's.
STORE = StoreSettings(history_in_memory_events=7, history_chunk_events=3)
API = ApiSettings(bookmark_interval_s=0.002, watch_batch_events_max=4)

Shown = dict[str, str]  # name to resourceVersion, as a selection shows them


async def tell(store: Store, dice: random.Random) -> None:
    """Write so many steps: every version after the first is a write to a Service."""
    for number in range(STEPS):
        namespace, name = dice.choice(("default", "other")), dice.choice(NAMES)
        known = store.get(Service, namespace, name)
        labels = dice.choice(LABELS)
        if known is None:
            await store.create(service(name, namespace=namespace, labels=labels))
        elif dice.random() < 0.2:
            await store.delete(Service, Key(namespace, name))
        elif dice.random() < 0.5:
            await store.update(with_image(unversioned(known), f"app:{number}"))
        else:
            changed = with_image(unversioned(known), f"app:{number}")
            await store.update(changed.with_metadata(labels=labels))


async def shown_now(api: Api, path: str, query: str) -> Shown:
    """Return what a list shows of the selection."""
    listed = (await api.call("GET", f"{path}?{query}")).json
    return {_key(item): item["metadata"]["resourceVersion"] for item in listed["items"]}


async def replay(api: Api, path: str, query: str, since: int) -> list[Any]:
    """Return the events of a watch from `since` up to what there is now."""
    whole = f"{path}?watch=1&allowWatchBookmarks=1&resourceVersion={since}&{query}"
    events: list[Any] = []
    async with api.watch(whole) as frames:
        while True:
            (frame,) = await frames.take(1)
            if frame["type"] == "BOOKMARK":
                assert frame["object"]["metadata"]["resourceVersion"] == str(api.store.version)
                return events
            events.append(frame)


def applied(state: Shown, events: list[Any]) -> Shown:
    """Return the state after the events, each of which must fit it."""
    state = dict(state)
    last = 0
    for event in events:
        version = int(event["object"]["metadata"]["resourceVersion"])
        assert version > last, "doubled, or out of order"
        last = version
        name = _key(event["object"])
        assert (name in state) is (event["type"] != "ADDED"), event
        if event["type"] == "DELETED":
            del state[name]
        else:
            state[name] = str(version)
    return state


def _key(obj: Any) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


async def replays(api: Api) -> dict[str, list[list[Any]]]:
    """Return each selection's events from every version, checked against the list."""
    found: dict[str, list[list[Any]]] = {}
    for title, (path, query) in SELECTIONS.items():
        listed = await shown_now(api, path, query)
        whole = await replay(api, path, query, 1)
        assert applied({}, whole) == listed, title
        found[title] = [whole]
        for since in range(2, api.store.version + 1):
            before = [e for e in whole if int(e["object"]["metadata"]["resourceVersion"]) <= since]
            events = await replay(api, path, query, since)
            assert events == whole[len(before) :], (title, since)
            assert applied(applied({}, before), events) == listed, (title, since)
            found[title].append(events)
    return found


def test_from_every_version_a_watch_leads_to_the_list(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path, API, STORE) as api:
            await tell(api.store, random.Random(SEED))
            assert api.store.version == 1 + STEPS
            running = await replays(api)
            assert {event["type"] for event in running["equal"][0]} == {
                *("ADDED", "MODIFIED", "DELETED")
            }
        async with running_api(tmp_path, API, STORE) as api:
            assert await replays(api) == running, "a restart forgets nothing, and tells it alike"

    asyncio.run(scenario())
