"""The labeler: who is active, and when a mark may go."""

from __future__ import annotations

from typing import Any

from simulator.controllers.labeler import LabelerController
from simulator.reconciling.plan import Plan, Record, Update
from simulator.resources.networking import Ingress, IngressStatus
from simulator.resources.serving import (
    LABEL_ROUTING_STATE,
    LABEL_SERVICE,
    ROUTE_FINALIZER,
    Route,
    RouteStatus,
    TrafficTarget,
)
from tests.support.traffic import rule
from tests.support.world import (
    MOMENT,
    NOW,
    World,
    configuration,
    is_false,
    is_true,
    is_unknown,
    meta,
    owned,
    revision,
    route,
)

CONTROLLER = LabelerController()
LATEST = TrafficTarget(configuration_name="hello", latest_revision=True, percent=100)
ROUTES = "serving.knative.dev/routes"
MODIFIED = "serving.knative.dev/routingStateModified"
MARKED = {ROUTES: "hello"}


def labelled(**fields: Any) -> Route:
    known: dict[str, Any] = {"labels": {LABEL_SERVICE: "hello"}, "finalizers": (ROUTE_FINALIZER,)}
    return route(**(known | fields))


def plan(of: Route, *objects: Any) -> Plan:
    observed = CONTROLLER.observe(World(of, *objects), of.key)
    assert observed is not None
    return CONTROLLER.plan(observed, NOW)


def updates(made: Plan) -> dict[str, tuple[str | None, str | None]]:
    """Return name → (routes annotation, routing state) of what is updated."""
    return {
        one.object.metadata.name: (
            one.object.metadata.annotations.get(ROUTES),
            one.object.metadata.labels.get(LABEL_ROUTING_STATE),
        )
        for one in made.actions
        if isinstance(one, Update)
    }


def service_configuration(**fields: Any) -> Any:
    known: dict[str, Any] = {
        "labels": {LABEL_SERVICE: "hello"},
        "annotations": MARKED,
        "generation": 2,
    }
    return configuration(**(known | fields))


def settled(condition: Any, *names: str, observed: int = 1) -> RouteStatus:
    traffic = tuple(TrafficTarget(revision_name=name, percent=0) for name in names)
    return RouteStatus(observed_generation=observed, conditions=(condition,), traffic=traffic)


OLD = revision("old", generation=1, annotations=MARKED)
NEW = revision("new", generation=2, annotations=MARKED)


def test_a_route_on_its_own_gets_the_finalizer() -> None:
    made = plan(route(traffic=(LATEST,)))
    assert isinstance(made.actions[0], Update)
    assert made.actions[0].object.metadata.finalizers == (ROUTE_FINALIZER,)
    assert isinstance(made.actions[1], Record)
    assert made.actions[1].reason == "FinalizerUpdate"


def test_what_spec_and_status_name_is_active_and_so_is_the_latest_created() -> None:
    fresh = {name: revision(name, routing="pending") for name in ("old", "new", "pinned")}
    pinned = TrafficTarget(revision_name="pinned", latest_revision=False, percent=0)
    made = plan(
        labelled(traffic=(LATEST, pinned), status=settled(is_unknown(), "old")),
        service_configuration(created="new", annotations={}),
        *fresh.values(),
    )
    assert updates(made) == {
        "hello": ("hello", None),
        "old": ("hello", "active"),
        "new": ("hello", "active"),
        "pinned": ("hello", "active"),
    }
    stamps = {
        one.object.metadata.annotations[MODIFIED]
        for one in made.actions
        if isinstance(one, Update) and one.object.metadata.name != "hello"
    }
    assert stamps == {MOMENT}


def test_nothing_is_reserved_before_the_route_has_settled() -> None:
    for status in (
        settled(is_unknown(), "new"),
        settled(is_true(), "new", observed=0),
    ):
        made = plan(
            labelled(traffic=(LATEST,), status=status),
            service_configuration(created="new"),
            OLD,
            NEW,
        )
        assert updates(made) == {}


def test_what_the_gateway_still_serves_stays_active_though_the_route_has_failed() -> None:
    # The Ingress for "new" was never programmed: requests go on to "old".
    failed = labelled(traffic=(LATEST,), status=settled(is_false(), "new"))
    others = (service_configuration(created="new"), OLD, NEW, revision("gone", annotations=MARKED))
    served = IngressStatus(programmed=(rule("hello.default.example.com", {"old": 100}),))
    ingress = Ingress(metadata=meta("hello"), status=served)
    made = plan(failed, *others, owned(ingress, failed))
    assert updates(made) == {"gone": (None, "reserve")}
    assert CONTROLLER.wakes(ingress, World()) == (failed.key,)
    # What an earlier route of this name left behind says nothing about this one.
    made = plan(failed, *others, ingress)
    assert updates(made) == {"gone": (None, "reserve"), "old": (None, "reserve")}


def test_once_it_has_settled_the_others_are_reserved() -> None:
    for condition in (is_true(), is_false()):
        made = plan(
            labelled(traffic=(LATEST,), status=settled(condition, "new")),
            service_configuration(created="new"),
            OLD,
            NEW,
        )
        assert updates(made) == {"old": (None, "reserve")}


def test_another_routes_mark_keeps_a_revision_active() -> None:
    shared = revision("old", annotations={ROUTES: "hello,other"})
    made = plan(
        labelled(traffic=(LATEST,), status=settled(is_true(), "new")),
        service_configuration(created="new"),
        shared,
        NEW,
    )
    assert updates(made) == {"old": ("other", "active")}


def test_all_as_it_should_be_writes_nothing() -> None:
    made = plan(
        labelled(traffic=(LATEST,), status=settled(is_true(), "new")),
        service_configuration(created="new"),
        NEW,
    )
    assert made == Plan()


def test_a_deleted_route_takes_its_marks_away_and_then_goes() -> None:
    going = labelled(traffic=(LATEST,), deletion_timestamp=MOMENT)
    made = plan(going, service_configuration(created="new"), NEW, OLD)
    assert updates(made) == {
        "hello": (None, None),
        "new": (None, "reserve"),
        "old": (None, "reserve"),
    }
    assert made.requeue_after_s == 0.0
    cleared = plan(going, service_configuration(created="new", annotations={}))
    (update,) = cleared.actions
    assert isinstance(update, Update)
    assert update.object.metadata.finalizers == ()


def test_an_entry_that_names_nothing_that_exists_is_passed_over() -> None:
    gone = TrafficTarget(revision_name="gone", latest_revision=False, percent=100)
    assert updates(plan(labelled(traffic=(gone,), status=settled(is_false())))) == {}
