"""The order of transitions, as a watcher of the API sees it: whole stories, frame by frame.

Each story is compared with the file of its name in `transcripts/`. With
KNARY_TRANSCRIPTS=write the files are written anew: then read the difference.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from simulator.controllers.all import build
from simulator.controllers.settings import STOCK
from simulator.resources.serving import VERSION
from tests.support.api import SERVICES, Api, manifest, running_api
from tests.support.cluster import IMAGES
from tests.support.dataplane import PodLife, Programmer
from tests.support.frames_told import (
    Frame,
    assert_changes_have_their_time,
    assert_lawful,
    in_order,
    told,
    told_events,
)
from tests.support.stepping import Stepper, stepping

GOLDEN = Path(__file__).with_name("transcripts")
GROUP = "/apis/serving.knative.dev/v1/namespaces/default"
HELLO = f"{SERVICES}/hello"
WATCHED = ("Configuration", "Revision", "Route", "Service")
MERGE = "application/merge-patch+json"

Story = Callable[["Watcher"], Awaitable[None]]


class Watcher:
    """A user at the API, and what the watches of the four kinds have told."""

    def __init__(self, api: Api, stepper: Stepper) -> None:
        self.api = api
        self.stepper = stepper

    async def create(self, image: str = "helloworld-go:1", **metadata: Any) -> None:
        await self.send("POST", SERVICES, manifest(image=f"registry.example/{image}", **metadata))

    async def change(self, **spec: Any) -> None:
        await self.send("PATCH", HELLO, {"spec": spec}, Content_Type=MERGE)

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> None:
        reply = await self.api.call(method, path, body, **headers)
        assert reply.code in (200, 201), reply.body
        await self.stepper.settle()


def template(image: str, **metadata: Any) -> dict[str, Any]:
    """Return a template that runs another image."""
    image = image if "/" in image else f"registry.example/{image}"
    return {"metadata": metadata, "spec": {"containers": [{"image": image}]}}


def pinned(revision: str, percent: int, **fields: Any) -> dict[str, Any]:
    return {"revisionName": revision, "percent": percent, **fields}


class Told(NamedTuple):
    """A story's name, every frame that watches of the four kinds got, and the Events there were."""

    name: str
    frames: list[Frame]
    events: list[Any]


async def played(folder: Path, story: Story, name: str) -> Told:
    """Play a story, and return what was told of it."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(running_api(folder))
        controllers = (*build(STOCK, lambda: IMAGES), PodLife(), Programmer())
        stepper = await stack.enter_async_context(stepping(api.store, controllers, api.clock))
        watches = {
            kind: await stack.enter_async_context(
                api.watch(f"{GROUP}/{kind.lower()}s?watch=true&resourceVersion={api.store.version}")
            )
            for kind in WATCHED
        }
        await story(Watcher(api, stepper))
        frames: list[Frame] = []
        for kind, watch in watches.items():
            count = sum(
                (VERSION, kind) == (event.object.API_VERSION, event.object.KIND)
                for event in stepper.seen
            )
            frames += await watch.take(count)
        events = (await api.call("GET", "/api/v1/namespaces/default/events")).json["items"]
        return Told(name, in_order(frames), events)


async def create(watcher: Watcher) -> None:
    await watcher.create()


async def update(watcher: Watcher) -> None:
    await watcher.create()
    await watcher.change(template=template("helloworld-go:2"))


async def bad_image(watcher: Watcher) -> None:
    await watcher.create()
    await watcher.change(template=template("elsewhere.example/unknown:1"))


async def crash(watcher: Watcher) -> None:
    await watcher.create()
    await watcher.change(template=template("helloworld-go:crash"))
    await watcher.change(template=template("helloworld-go:3"))


async def first_revision_crashes(watcher: Watcher) -> None:
    await watcher.create("helloworld-go:crash")


async def never_ready(watcher: Watcher) -> None:
    await watcher.create()
    await watcher.change(template=template("helloworld-go:never-ready"))
    await watcher.stepper.pass_time(700)


async def traffic_change(watcher: Watcher) -> None:
    await watcher.create()
    await watcher.change(template=template("helloworld-go:2"), traffic=[pinned("hello-00001", 100)])
    halves = [pinned("hello-00001", 50), pinned("hello-00002", 50, tag="candidate")]
    await watcher.change(traffic=halves)
    await watcher.change(traffic=[pinned("hello-00009", 100)])
    await watcher.change(traffic=[{"latestRevision": True, "percent": 100}])


async def named_revisions(watcher: Watcher) -> None:
    await watcher.create()
    first, second = (
        template("helloworld-go:2", name="hello-second"),
        template("helloworld-go:3", name="hello-third"),
    )
    await watcher.change(template=first)
    await watcher.change(template=second)
    await watcher.change(template=first)  # back: the name brings its revision
    await watcher.change(template=template("helloworld-go:4", name="hello-third"))  # it is taken


async def metadata_change(watcher: Watcher) -> None:
    await watcher.create()
    body = {"metadata": {"labels": {"team": "blue"}, "annotations": {"note": "x"}}}
    await watcher.send("PATCH", HELLO, body, Content_Type=MERGE)


async def delete(watcher: Watcher) -> None:
    await watcher.create()
    await watcher.send("DELETE", HELLO, {"propagationPolicy": "Background"})


async def delete_in_the_foreground(watcher: Watcher) -> None:
    await watcher.create()
    await watcher.send("DELETE", HELLO, {"propagationPolicy": "Foreground"})


async def delete_a_revision_in_use(watcher: Watcher) -> None:
    await watcher.create()
    await watcher.send("DELETE", f"{GROUP}/revisions/hello-00001")


STORIES = (
    create,
    update,
    bad_image,
    crash,
    first_revision_crashes,
    never_ready,
    traffic_change,
    named_revisions,
    metadata_change,
    delete,
    delete_in_the_foreground,
    delete_a_revision_in_use,
)


@pytest.fixture(scope="module", params=STORIES, ids=lambda story: story.__name__)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Play each story once, for all tests."""
    name = request.param.__name__.replace("_", "-")
    return asyncio.run(played(tmp_path_factory.mktemp(name), request.param, name))


def test_generations_conditions_and_their_times_keep_the_rules(story: Told) -> None:
    assert_lawful(story.frames)
    assert_changes_have_their_time(story.frames)


def test_a_story_is_told_as_it_is_written_down(story: Told) -> None:
    golden = GOLDEN / f"{story.name}.txt"
    lines = [*told(story.frames), "", *told_events(story.events)]
    if os.environ.get("KNARY_TRANSCRIPTS") == "write":
        golden.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines == golden.read_text(encoding="utf-8").splitlines()
