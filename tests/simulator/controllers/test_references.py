"""Who is needed: every way in which traffic may reach a revision, now or next."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.controllers.references import (
    Mentions,
    is_meant,
    is_needed,
    mentions_concerning,
    mentions_of,
    routes_concerned,
)
from simulator.resources.meta import Key
from simulator.resources.networking import Ingress, IngressSpec, IngressStatus
from simulator.resources.serving import (
    LABEL_SERVICE,
    Configuration,
    Route,
    RouteStatus,
    TrafficTarget,
)
from tests.support.traffic import rule
from tests.support.world import World, changed, configuration, meta, owned, revision, route

LATEST = TrafficTarget(configuration_name="hello", latest_revision=True, percent=100)
LABELS = {LABEL_SERVICE: "hello"}
ONE = revision("one", generation=1, routing="reserve")
OTHER = configuration("other")


def pinned(name: str, percent: int = 100) -> TrafficTarget:
    return TrafficTarget(revision_name=name, latest_revision=False, percent=percent)


def reporting(*names: str, traffic: tuple[TrafficTarget, ...] = ()) -> Route:
    told = tuple(TrafficTarget(revision_name=name, percent=0) for name in names)
    return route(traffic=traffic, labels=LABELS, status=RouteStatus(traffic=told))


def ingress(of: Route, spec: tuple[str, ...] = (), served: tuple[str, ...] = ()) -> Ingress:
    def rules(names: tuple[str, ...]) -> Any:
        return (rule("hello.default.example.com", dict.fromkeys(names, 1)),) if names else ()

    made = Ingress(
        metadata=meta("hello"),
        spec=IngressSpec(rules=rules(spec)),
        status=IngressStatus(programmed=rules(served)),
    )
    return owned(made, of)


NAMED = [
    pytest.param(route(traffic=(pinned("one"),), labels=LABELS), None, True, id="the spec pins it"),
    pytest.param(
        route(traffic=(pinned("two"), pinned("one", 0)), labels=LABELS),
        None,
        True,
        id="a tag without traffic pins it",
    ),
    pytest.param(reporting("one"), None, True, id="the status reports it"),
    pytest.param(reporting("two"), None, False, id="another one"),
    pytest.param(route(traffic=(LATEST,), labels=LABELS), None, False, id="older than the newest"),
    pytest.param(
        reporting("two"),
        ingress(reporting("two"), spec=("one", "two")),
        True,
        id="a gradual rollout is on its way from it",
    ),
    pytest.param(
        reporting("two"),
        ingress(reporting("two"), spec=("two",), served=("one",)),
        True,
        id="the gateway still serves it",
    ),
    pytest.param(
        reporting("two"),
        ingress(route("else"), spec=("one",), served=("one",)),
        False,
        id="what an earlier route left behind serves it",
    ),
    pytest.param(
        route(traffic=(pinned("one"),), labels={LABEL_SERVICE: "other"}),
        None,
        False,
        id="another service's route wants it, and may not",
    ),
    pytest.param(route("own", traffic=(pinned("one"),)), None, True, id="a route on its own"),
]


@pytest.mark.parametrize(("of", "its_ingress", "meant"), NAMED)
def test_who_is_meant_by_name(of: Route, its_ingress: Ingress | None, meant: bool) -> None:
    newest = configuration(created="two", ready="two", generation=2)
    assert is_meant(mentions_of(of, its_ingress), ONE, newest) is meant


FOLLOWED = [
    pytest.param({"created": "one", "ready": "two"}, True, id="the latest created"),
    pytest.param({"created": "two", "ready": "one"}, True, id="the latest ready, not served yet"),
    pytest.param(
        {"created": "zero", "ready": "zero", "generation": 1}, True, id="made, and not noted yet"
    ),
    pytest.param({"created": "two", "ready": "two", "generation": 2}, False, id="an older one"),
    pytest.param(None, False, id="there is no configuration"),
]


@pytest.mark.parametrize(("of", "meant"), FOLLOWED)
def test_who_is_meant_by_following_a_configuration(of: dict[str, Any] | None, meant: bool) -> None:
    own = configuration(**({"generation": 3} | of)) if of is not None else None
    mentions = mentions_of(route(traffic=(LATEST,), labels=LABELS), None)
    assert is_meant(mentions, ONE, own) is meant
    assert not is_meant(Mentions(followed=frozenset({"other"})), ONE, own)


NEEDS = [
    pytest.param("active", None, (), True, id="marked, since a route meant it"),
    pytest.param("reserve", "one", (), True, id="the newest, whatever routes say"),
    pytest.param("reserve", "two", (), False, id="an older one that nobody means"),
    pytest.param("reserve", "two", (Mentions(frozenset({"one"})),), True, id="meant, not marked"),
    pytest.param("pending", None, (), False, id="no configuration, no route"),
]


@pytest.mark.parametrize(("routing", "created", "mentions", "needed"), NEEDS)
def test_who_is_needed(
    routing: str, created: str | None, mentions: tuple[Mentions, ...], needed: bool
) -> None:
    of: Configuration | None = configuration(created=created, generation=2) if created else None
    one = revision("one", routing=routing)
    assert is_needed(one, of, mentions) is needed
    going = one.with_metadata(deletion_timestamp="2026-01-01T00:00:00Z")
    assert not is_needed(going, of, mentions)


def test_routes_are_found_by_what_they_name_and_by_marks() -> None:
    routes = (
        route("latest", traffic=(LATEST,)),
        route("pinned", traffic=(pinned("one"),)),
        route("reported", status=RouteStatus(traffic=(pinned("one"),))),
        route("noted"),
        route("else", traffic=(pinned("two"),)),
        changed(route("far", traffic=(LATEST,)), metadata=meta("far", namespace="shop")),
    )
    world = World(*routes)
    noted = ONE.with_metadata(annotations={"serving.knative.dev/routes": "noted"})

    def names(keys: tuple[Key, ...]) -> list[str]:
        return [key.name for key in keys]

    assert names(routes_concerned(noted, world)) == ["latest", "noted", "pinned", "reported"]
    assert names(routes_concerned(configuration(), world)) == ["latest"]
    assert names(routes_concerned(OTHER, world)) == []


def test_a_route_on_its_way_out_means_nobody() -> None:
    going = route(traffic=(pinned("one"),), deletion_timestamp="2026-01-01T00:00:00Z")
    assert mentions_concerning(ONE, World(going)) == ()
    assert len(mentions_concerning(ONE, World(route(traffic=(pinned("one"),))))) == 1
