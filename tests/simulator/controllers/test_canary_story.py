"""The canary story through the real store and the real loop, with a data plane of a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from simulator.controllers.settings import ControllerSettings
from simulator.resources.conditions import FALSE, READY, TRUE, find, is_true
from simulator.resources.core import Event, Namespace, Pod
from simulator.resources.meta import FOREGROUND_FINALIZER, Key, ObjectMeta
from simulator.resources.networking import Ingress
from simulator.resources.serving import (
    ANNOTATION_PROGRESS_DEADLINE,
    LABEL_REVISION,
    LABEL_ROUTING_STATE,
    Configuration,
    Revision,
    RevisionTemplate,
    Route,
    Service,
    ServiceSpec,
    TrafficTarget,
)
from simulator.store.transitions import DeleteOptions
from tests.support.cluster import Cluster, cluster, is_gone
from tests.support.world import changed, template, told

LATEST = TrafficTarget(latest_revision=True, percent=100)
FIRST, SECOND = "hello-00001", "hello-00002"


def pinned(**percents: int) -> tuple[TrafficTarget, ...]:
    """Return entries for hello-0000N: `pinned(r1=90, r2=10)`."""
    return tuple(
        TrafficTarget(revision_name=f"hello-{int(key[1:]):05d}", latest_revision=False, percent=n)
        for key, n in percents.items()
    )


def with_deadline(made: RevisionTemplate, deadline: str) -> RevisionTemplate:
    annotations = {ANNOTATION_PROGRESS_DEADLINE: deadline}
    return changed(made, metadata=changed(made.metadata, annotations=annotations))


def play(path: Path, story: Callable[[Cluster], Awaitable[None]]) -> None:
    async def run() -> None:
        async with cluster(path) as running:
            await story(running)

    asyncio.run(run())


async def first_ready(running: Cluster) -> None:
    await running.store.create(
        Service(
            metadata=ObjectMeta(name="hello", namespace="default"),
            spec=ServiceSpec(template=template(), traffic=(LATEST,)),
        )
    )
    await ready(running)


async def ready(running: Cluster) -> None:
    """Wait as kn does: Ready is True for the present generation."""

    def holds() -> bool:
        service = running.get(Service, "hello")
        observed = service.status.observed_generation == service.metadata.generation
        return observed and is_true(service.status.conditions)

    await running.until(holds)


async def failed(running: Cluster) -> None:
    def holds() -> bool:
        service = running.get(Service, "hello")
        condition = find(service.status.conditions, READY)
        observed = service.status.observed_generation == service.metadata.generation
        return observed and condition is not None and condition.status == FALSE

    await running.until(holds)


def served(running: Cluster) -> dict[str, int]:
    """Return what the gateway serves on the Service's host: revision → percent."""
    rule = running.get(Ingress, "hello").status.programmed[0]
    return {split.service_name: split.percent for split in rule.http.paths[0].splits}


def pods_of(running: Cluster, revision: str) -> list[Pod]:
    return list(running.store.list(Pod, "default", {LABEL_REVISION: revision}))


def test_a_new_service_becomes_ready_with_url_traffic_and_events(tmp_path: Path) -> None:
    async def story(running: Cluster) -> None:
        await first_ready(running)
        service = running.get(Service, "hello")
        assert told(service.status.conditions) == {
            "ConfigurationsReady": (TRUE, "", ""),
            "Ready": (TRUE, "", ""),
            "RoutesReady": (TRUE, "", ""),
        }
        assert service.status.url == "http://hello.default.example.com"
        assert service.status.latest_created_revision_name == FIRST
        assert service.status.latest_ready_revision_name == FIRST
        assert service.status.traffic == (
            TrafficTarget(revision_name=FIRST, latest_revision=True, percent=100),
        )
        assert told(running.get(Route, "hello").status.conditions) == {
            "AllTrafficAssigned": (TRUE, "", ""),
            "CertificateProvisioned": (
                TRUE,
                "TLSNotEnabled",
                "external-domain-tls is not enabled",
            ),
            "IngressReady": (TRUE, "", ""),
            "Ready": (TRUE, "", ""),
        }
        (pod,) = pods_of(running, FIRST)
        env = {one.name: one.value for one in pod.spec.containers[0].env}
        assert env == {
            "K_REVISION": FIRST,
            "K_CONFIGURATION": "hello",
            "K_SERVICE": "hello",
        }
        (digest,) = running.get(Revision, FIRST).status.container_statuses
        assert digest.image_digest.startswith("registry.example/helloworld-go@sha256:")
        expected = {
            ("Service", "Created", 'Created Configuration "hello"'),
            ("Service", "Created", 'Created Route "hello"'),
            ("Configuration", "Created", f'Created Revision "{FIRST}"'),
            ("Configuration", "ConfigurationReady", "Configuration becomes ready"),
            (
                "Configuration",
                "LatestReadyUpdate",
                f'LatestReadyRevisionName updated to "{FIRST}"',
            ),
            (
                "Revision",
                "RevisionReady",
                "Revision becomes ready upon all resources being ready",
            ),
            ("Route", "Created", 'Created Ingress "hello"'),
        }

        def recorded() -> set[tuple[str, str, str]]:
            events = running.store.list(Event)
            return {(one.involved_object.kind, one.reason, one.message) for one in events}

        await running.until(lambda: recorded() >= expected)

    play(tmp_path, story)


def test_ready_at_its_generation_is_never_shown_before_the_gateway_serves_it(
    tmp_path: Path,
) -> None:
    async def story(running: Cluster) -> None:
        await first_ready(running)
        await running.change("hello", template=template(TARGET="Knative"), traffic=pinned(r1=100))
        await ready(running)
        for split in ({"r1": 50, "r2": 50}, {"r1": 20, "r2": 80}, {"r2": 100}, {"r1": 100}):
            await running.change("hello", traffic=pinned(**split))
            await ready(running)
        await running.change("hello", traffic=(LATEST,))
        await ready(running)
        for target in ("third", "fourth"):
            await running.change("hello", template=template(TARGET=target))
            await ready(running)
        programmed: dict[str, int] = {}
        for event in running.seen:
            if isinstance(event.object, Ingress) and event.object.status.programmed:
                splits = event.object.status.programmed[0].http.paths[0].splits
                programmed = {one.service_name: one.percent for one in splits}
            if not isinstance(event.object, Service):
                continue
            service = event.object
            observed = service.status.observed_generation == service.metadata.generation
            if observed and is_true(service.status.conditions):
                latest = service.status.latest_created_revision_name
                wanted = {one.revision_name or latest: one.percent for one in service.spec.traffic}
                assert programmed == wanted

    play(tmp_path, story)


def test_a_revision_at_zero_percent_gets_ready_beside_the_old_one(tmp_path: Path) -> None:
    async def story(running: Cluster) -> None:
        await first_ready(running)
        both = (*pinned(r1=100), TrafficTarget(latest_revision=True, percent=0, tag="next"))
        await running.change("hello", template=template(TARGET="Knative"), traffic=both)
        await ready(running)
        assert served(running) == {FIRST: 100}
        service = running.get(Service, "hello")
        assert service.status.latest_ready_revision_name == SECOND
        assert [(one.revision_name, one.percent, one.url) for one in service.status.traffic] == [
            (FIRST, 100, ""),
            (SECOND, 0, "http://next-hello.default.example.com"),
        ]
        assert len(pods_of(running, SECOND)) == 1

    play(tmp_path, story)


def test_a_rollback_serves_the_old_revision_and_keeps_the_latest_one_running(
    tmp_path: Path,
) -> None:
    async def story(running: Cluster) -> None:
        await first_ready(running)
        await running.change("hello", template=template(TARGET="Knative"))
        await ready(running)
        assert served(running) == {SECOND: 100}
        # Nothing needs the first revision now: it is stopped and stays Ready.
        await running.until(lambda: not pods_of(running, FIRST))
        await running.until(
            lambda: told(running.get(Revision, FIRST).status.conditions)["Active"][1] == "NoTraffic"
        )
        first = running.get(Revision, FIRST)
        assert first.metadata.labels[LABEL_ROUTING_STATE] == "reserve"
        assert first.is_ready
        await running.change("hello", traffic=pinned(r1=100))
        await ready(running)
        assert served(running) == {FIRST: 100}
        assert len(pods_of(running, FIRST)) == 1
        assert len(pods_of(running, SECOND)) == 1  # the latest generation's

    play(tmp_path, story)


BROKEN = [
    pytest.param(
        template("nowhere.example/app:1"),
        "ContainerMissing",
        'Revision "hello-00002" failed with message: Unable to fetch image'
        ' "nowhere.example/app:1": failed to resolve image to digest: no program is mapped to'
        " this image; see knary images.",
        id="an image that no program is mapped to",
    ),
    pytest.param(
        template("registry.example/app:crash"),
        "ExitCode1",
        'Revision "hello-00002" failed with message: Container failed with:'
        " no such thing as a free lunch.",
        id="a program that crashes at start",
    ),
    pytest.param(
        with_deadline(template("registry.example/app:never-ready"), "1s"),
        "ProgressDeadlineExceeded",
        'Revision "hello-00002" failed with message: ReplicaSet "hello-00002-deployment-',
        id="a program that never becomes ready",
    ),
]


@pytest.mark.parametrize(("broken", "reason", "message"), BROKEN)
def test_a_failed_revision_moves_no_traffic(
    tmp_path: Path, broken: RevisionTemplate, reason: str, message: str
) -> None:
    async def story(running: Cluster) -> None:
        await first_ready(running)
        await running.change("hello", template=broken)
        await failed(running)
        conditions = told(running.get(Service, "hello").status.conditions)
        assert conditions["Ready"][:2] == (FALSE, "RevisionFailed")
        assert conditions["Ready"][2].startswith(message)
        assert conditions["RoutesReady"] == (TRUE, "", "")
        assert told(running.get(Revision, SECOND).status.conditions)["Ready"][1] == reason
        assert served(running) == {FIRST: 100}
        # The next good revision repairs it.
        await running.change("hello", template=template(TARGET="third"))
        await ready(running)
        assert served(running) == {"hello-00003": 100}
        for ingress in running.history(Ingress, "hello"):
            (path,) = ingress.spec.rules[0].http.paths
            assert SECOND not in {split.service_name for split in path.splits}

    play(tmp_path, story)


def test_a_first_revision_that_fails_fails_the_route_too(tmp_path: Path) -> None:
    async def story(running: Cluster) -> None:
        await running.store.create(
            Service(
                metadata=ObjectMeta(name="hello", namespace="default"),
                spec=ServiceSpec(template=template("nowhere.example/app"), traffic=(LATEST,)),
            )
        )
        await failed(running)
        await running.until(
            lambda: (
                told(running.get(Service, "hello").status.conditions)["RoutesReady"]
                == (
                    FALSE,
                    "RevisionMissing",
                    'Configuration "hello" does not have any ready Revision.',
                )
            )
        )

    play(tmp_path, story)


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_a_deleted_service_takes_everything_with_it(tmp_path: Path, propagation: str) -> None:
    async def story(running: Cluster) -> None:
        await first_ready(running)
        await running.change("hello", template=template(TARGET="Knative"))
        await ready(running)
        options = DeleteOptions(propagation=propagation)  # type: ignore[arg-type]
        await running.store.delete(Service, Key("default", "hello"), options)
        kinds = (Service, Configuration, Route, Revision, Ingress, Pod)
        await running.until(lambda: all(is_gone(running.store, kind) for kind in kinds))
        if propagation == "Foreground":
            gone = [event.object for event in running.seen if event.type == "DELETED"]
            last = [type(one) for one in gone if not isinstance(one, Event)][-1]
            assert last is Service
            assert any(
                FOREGROUND_FINALIZER in one.metadata.finalizers
                for one in running.history(Configuration, "hello")
            )

    play(tmp_path, story)


def test_orphaned_children_stay(tmp_path: Path) -> None:
    async def story(running: Cluster) -> None:
        await first_ready(running)
        options = DeleteOptions(propagation="Orphan")
        await running.store.delete(Service, Key("default", "hello"), options)
        await running.until(lambda: is_gone(running.store, Service))
        assert running.get(Configuration, "hello").metadata.owner_references == ()
        assert running.get(Route, "hello").metadata.owner_references == ()

    play(tmp_path, story)


def test_a_deleted_namespace_goes_when_all_it_contains_is_gone(tmp_path: Path) -> None:
    async def story(running: Cluster) -> None:
        await first_ready(running)
        await running.store.delete(Namespace, Key("", "default"))
        await running.until(lambda: is_gone(running.store, Namespace))
        kinds = (Service, Configuration, Route, Revision, Ingress, Pod)
        assert all(is_gone(running.store, kind) for kind in kinds)
        phases = [one.status.phase for one in running.history(Namespace, "default")]
        assert phases[-1] == "Terminating"

    play(tmp_path, story)


def test_after_a_restart_everything_is_as_it_was_and_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with cluster(tmp_path, with_gateway=False) as running:
            await running.store.create(
                Service(
                    metadata=ObjectMeta(name="hello", namespace="default"),
                    spec=ServiceSpec(template=template(), traffic=(LATEST,)),
                )
            )
            await running.until(lambda: running.store.get(Ingress, "default", "hello"))
            assert not is_true(running.get(Service, "hello").status.conditions)
        async with cluster(tmp_path) as running:
            await ready(running)
            version = running.store.version
            pods = running.store.list(Pod)
        async with cluster(tmp_path, ControllerSettings()) as running:
            await running.change("hello", traffic=pinned(r1=100))
            await ready(running)
            assert running.store.list(Pod) == pods
            assert running.store.version > version

    asyncio.run(story())


def test_a_deleted_pod_is_replaced(tmp_path: Path) -> None:
    async def story(running: Cluster) -> None:
        await first_ready(running)
        (pod,) = pods_of(running, FIRST)
        await running.store.delete(Pod, pod.key)
        await running.until(
            lambda: (
                [one.uid for one in pods_of(running, FIRST)] not in ([], [pod.uid])
                and all(not one.is_deleting for one in pods_of(running, FIRST))
            )
        )
        assert running.get(Revision, FIRST).is_ready

    play(tmp_path, story)
