"""A gradual rollout through the real store and the real loop, over a restart in its middle."""

from __future__ import annotations

import asyncio
from pathlib import Path

from simulator.resources.conditions import READY, find, is_true
from simulator.resources.core import Pod
from simulator.resources.meta import ObjectMeta
from simulator.resources.networking import Ingress, revisions_of
from simulator.resources.serving import (
    ANNOTATION_ROLLOUT_DURATION,
    LABEL_REVISION,
    Service,
    ServiceSpec,
    TrafficTarget,
)
from tests.support.cluster import Cluster, cluster
from tests.support.world import template

LATEST = TrafficTarget(latest_revision=True, percent=100)
FIRST, SECOND = "hello-00001", "hello-00002"
DURATION = {ANNOTATION_ROLLOUT_DURATION: "3s"}  # 1 %, then 51 % and 100 % a second apart each


def is_ready(running: Cluster) -> bool:
    service = running.get(Service, "hello")
    observed = service.status.observed_generation == service.metadata.generation
    return observed and is_true(service.status.conditions)


def told(running: Cluster) -> list[tuple[str, int | None]]:
    traffic = running.get(Service, "hello").status.traffic
    return [(entry.revision_name, entry.percent) for entry in traffic]


async def begin(running: Cluster) -> None:
    await running.store.create(
        Service(
            metadata=ObjectMeta(name="hello", namespace="default", annotations=DURATION),
            spec=ServiceSpec(template=template(), traffic=(LATEST,)),
        )
    )
    await running.until(lambda: is_ready(running))
    assert told(running) == [(FIRST, 100)]
    await running.change("hello", template=template(TARGET="Knative"))
    await running.until(lambda: told(running) == [(FIRST, 99), (SECOND, 1)])
    ready = find(running.get(Service, "hello").status.conditions, READY)
    assert ready is not None
    assert (ready.status, ready.reason) == ("Unknown", "RolloutInProgress")


async def end(running: Cluster) -> None:
    await running.until(lambda: told(running) == [(FIRST, 49), (SECOND, 51)])
    await running.until(lambda: is_ready(running))
    assert told(running) == [(SECOND, 100)]
    await running.until(lambda: FIRST not in replicas(running))


def replicas(running: Cluster) -> set[str]:
    return {pod.metadata.labels[LABEL_REVISION] for pod in running.store.list(Pod, "default")}


def assert_nothing_was_stopped_that_was_served(running: Cluster) -> None:
    """Follow all that happened: whom the gateway served had a replica then."""
    served: frozenset[str] = frozenset()
    stopped: set[str] = set()
    for event in running.seen:
        if isinstance(event.object, Ingress):
            served = revisions_of(event.object.status.programmed)
        elif isinstance(event.object, Pod) and event.object.is_deleting:
            stopped.add(event.object.metadata.labels[LABEL_REVISION])
        assert served.isdisjoint(stopped)


def test_a_rollout_goes_on_over_a_restart_and_the_old_revision_runs_to_its_end(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with cluster(tmp_path) as running:
            await begin(running)
            assert_nothing_was_stopped_that_was_served(running)
        async with cluster(tmp_path) as running:
            assert told(running) == [(FIRST, 99), (SECOND, 1)]
            await end(running)
            assert_nothing_was_stopped_that_was_served(running)

    asyncio.run(story())
