"""Service: a table per rule of `pkg/reconciler/service`."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.controllers.service import (
    Observed,
    ServiceController,
    make_configuration,
    make_route,
)
from simulator.reconciling.plan import Action, Create, Plan, Record, Update, UpdateStatus
from simulator.resources.conditions import FALSE, TRUE, UNKNOWN, Condition
from simulator.resources.meta import LAST_APPLIED
from simulator.resources.serving import (
    Address,
    Configuration,
    ConfigurationStatus,
    Route,
    RouteStatus,
    Service,
    TrafficTarget,
)
from tests.support.world import (
    NOW,
    World,
    changed,
    configuration,
    is_false,
    is_true,
    is_unknown,
    owned,
    revision,
    service,
    template,
    told,
)

HELLO = service()
CONTROLLER = ServiceController()
OUT_OF_DATE = (
    UNKNOWN,
    "OutOfDate",
    "The Configuration is still working to reflect the latest desired specification.",
)


def stored_configuration(of: Service = HELLO, **status: Any) -> Configuration:
    """Return the Service's Configuration as it is stored, Ready unless told otherwise."""
    known: dict[str, Any] = {
        "observed_generation": 1,
        "conditions": (is_true(),),
        "latest_created_revision_name": "hello-00001",
        "latest_ready_revision_name": "hello-00001",
    }
    made = make_configuration(of, None).with_metadata(uid="c", generation=1, resource_version="3")
    return changed(made, status=ConfigurationStatus(**(known | status)))


def stored_route(of: Service = HELLO, **status: Any) -> Route:
    traffic = (TrafficTarget(revision_name="hello-00001", latest_revision=True, percent=100),)
    known: dict[str, Any] = {
        "observed_generation": 1,
        "conditions": (is_true(),),
        "url": "http://hello.default.example.com",
        "address": Address(url="http://hello.default.svc.cluster.local"),
        "traffic": traffic,
    }
    made = make_route(of).with_metadata(uid="r", generation=1, resource_version="4")
    return changed(made, status=RouteStatus(**(known | status)))


def plan(*children: Any, of: Service = HELLO) -> Plan:
    observed = CONTROLLER.observe(World(of, *children), of.key)
    assert observed is not None
    return CONTROLLER.plan(observed, NOW)


def status_of(made: Plan) -> dict[str, tuple[str, str, str]]:
    last = [one.object for one in made.actions if isinstance(one, UpdateStatus)][-1]
    assert isinstance(last, Service)
    assert last.status.observed_generation == last.metadata.generation
    return told(last.status.conditions)


def verbs(made: Plan) -> list[tuple[type[Action], str]]:
    return [
        (type(one), one.message if isinstance(one, Record) else one.object.KIND)
        for one in made.actions
    ]


def test_a_new_service_gets_its_children_and_tells_so() -> None:
    made = plan()
    assert verbs(made) == [
        (Create, "Configuration"),
        (Record, 'Created Configuration "hello"'),
        (Create, "Route"),
        (Record, 'Created Route "hello"'),
        (UpdateStatus, "Service"),
    ]
    assert status_of(made)["ConfigurationsReady"] == OUT_OF_DATE
    assert status_of(made)["RoutesReady"] == (
        UNKNOWN,
        "OutOfDate",
        "The Route is still working to reflect the latest desired specification.",
    )


def test_a_named_revision_keeps_the_route_waiting_for_the_configuration() -> None:
    named = service(template=template(name="hello-one"))
    made = plan(of=named)
    assert (Create, "Route") not in verbs(made)
    assert status_of(made)["RoutesReady"] == (UNKNOWN, "", "")


def test_ready_children_make_it_ready_and_it_tells_what_they_tell() -> None:
    made = plan(stored_configuration(), stored_route())
    (write,) = made.actions
    assert isinstance(write, UpdateStatus)
    assert isinstance(write.object, Service)
    status = write.object.status
    assert {status for status, _, _ in told(status.conditions).values()} == {TRUE}
    assert (status.url, status.latest_ready_revision_name) == (
        "http://hello.default.example.com",
        "hello-00001",
    )
    assert status.traffic == stored_route().status.traffic
    assert status.address == stored_route().status.address


def test_the_splitter_in_use_is_told_as_the_route_tells_it() -> None:
    told = {"knary.dev/splitter": "exact"}
    made = plan(stored_configuration(), stored_route(annotations=told))
    write = made.actions[-1]
    assert isinstance(write, UpdateStatus)
    assert isinstance(write.object, Service)
    assert write.object.status.annotations == told


def test_nothing_to_say_is_nothing_to_write() -> None:
    made = plan(stored_configuration(), stored_route())
    (write,) = made.actions
    assert isinstance(write, UpdateStatus)
    assert isinstance(write.object, Service)
    assert plan(stored_configuration(), stored_route(), of=write.object) == Plan()


FACTS = [
    pytest.param(
        {"conditions": (is_unknown(),)},
        {},
        (UNKNOWN, "", ""),
        (TRUE, "", ""),
        (UNKNOWN, "", ""),
        id="a revision is starting: traffic goes on, Ready is Unknown",
    ),
    pytest.param(
        {"conditions": (is_false("RevisionFailed", "m"),)},
        {},
        (FALSE, "RevisionFailed", "m"),
        (TRUE, "", ""),
        (FALSE, "RevisionFailed", "m"),
        id="a new revision failed: Ready is False while the route is Ready",
    ),
    pytest.param(
        {},
        {"conditions": (is_unknown("Uninitialized", "w"),)},
        (TRUE, "", ""),
        (UNKNOWN, "Uninitialized", "w"),
        (UNKNOWN, "Uninitialized", "w"),
        id="the gateway is not there yet",
    ),
    pytest.param(
        {"latest_ready_revision_name": "hello-00002"},
        {},
        (TRUE, "", ""),
        (UNKNOWN, "TrafficNotMigrated", "Traffic is not yet migrated to the latest revision."),
        (UNKNOWN, "TrafficNotMigrated", "Traffic is not yet migrated to the latest revision."),
        id="the latest revision is ready, the route does not know yet",
    ),
    pytest.param(
        {},
        {"traffic": ()},
        (TRUE, "", ""),
        (UNKNOWN, "TrafficNotMigrated", "Traffic is not yet migrated to the latest revision."),
        (UNKNOWN, "TrafficNotMigrated", "Traffic is not yet migrated to the latest revision."),
        id="the route reports fewer targets than it has",
    ),
    pytest.param(
        {"observed_generation": 0},
        {},
        OUT_OF_DATE,
        (TRUE, "", ""),
        OUT_OF_DATE,
        id="the configuration has not looked yet",
    ),
    pytest.param(
        {"conditions": ()},
        {},
        (UNKNOWN, "", ""),
        (TRUE, "", ""),
        (UNKNOWN, "", ""),
        id="a configuration without conditions says nothing",
    ),
]


@pytest.mark.parametrize(
    ("of_configuration", "of_route", "configurations", "routes", "ready"), FACTS
)
def test_its_conditions_follow_its_childrens(
    of_configuration: dict[str, Any],
    of_route: dict[str, Any],
    configurations: tuple[str, str, str],
    routes: tuple[str, str, str],
    ready: tuple[str, str, str],
) -> None:
    made = plan(stored_configuration(**of_configuration), stored_route(**of_route))
    assert status_of(made) == {
        "ConfigurationsReady": configurations,
        "RoutesReady": routes,
        "Ready": ready,
    }


def test_a_new_template_updates_the_configuration_and_not_the_route() -> None:
    new = service(template=template(TARGET="Knative"), generation=2)
    made = plan(stored_configuration(), stored_route(), of=new)
    assert verbs(made) == [(Update, "Configuration"), (UpdateStatus, "Service")]
    assert status_of(made)["Ready"] == OUT_OF_DATE


def test_new_traffic_updates_the_route_and_not_the_configuration() -> None:
    pinned = TrafficTarget(revision_name="hello-00001", latest_revision=False, percent=100)
    made = plan(stored_configuration(), stored_route(), of=service(traffic=(pinned,)))
    assert verbs(made) == [(Update, "Route"), (UpdateStatus, "Service")]
    assert status_of(made)["Ready"][:2] == (UNKNOWN, "OutOfDate")


def test_what_others_put_on_the_children_is_clobbered() -> None:
    touched = stored_configuration().with_metadata(labels={"theirs": "yes"})
    made = plan(touched, stored_route())
    assert [one for one in verbs(made) if one[0] is Update] == [(Update, "Configuration")]
    (update,) = [one for one in made.actions if isinstance(one, Update)]
    assert "theirs" not in update.object.metadata.labels
    assert status_of(made)["Ready"] == (TRUE, "", "")  # metadata makes no new generation


def test_children_carry_the_services_metadata_as_knative_passes_it_on() -> None:
    annotations = {LAST_APPLIED: "{}", "serving.knative.dev/rollout-duration": "9s", "a": "b"}
    parent = service(labels={"team": "blue"}, annotations=annotations)
    made, existing = make_configuration(parent, None), configuration()
    existing = existing.with_metadata(annotations={"serving.knative.dev/routes": "other"})
    assert made.metadata.labels == {
        "team": "blue",
        "serving.knative.dev/service": "hello",
        "serving.knative.dev/serviceUID": "uid-hello",
    }
    assert made.metadata.annotations == {"a": "b", "serving.knative.dev/routes": "hello"}
    assert (
        make_configuration(parent, existing).metadata.annotations["serving.knative.dev/routes"]
        == "hello,other"
    )
    child = make_route(parent)
    assert child.metadata.labels == {"team": "blue", "serving.knative.dev/service": "hello"}
    assert child.metadata.annotations == {
        "serving.knative.dev/rollout-duration": "9s",
        "a": "b",
    }
    assert child.spec.traffic[0].configuration_name == "hello"


OTHER = service("other")


def test_a_configuration_of_another_owner_stops_everything() -> None:
    theirs = owned(stored_configuration(), OTHER)
    made = plan(theirs, stored_route())
    assert status_of(made)["ConfigurationsReady"] == (
        FALSE,
        "NotOwned",
        'There is an existing Configuration "hello" that we do not own.',
    )
    assert verbs(made)[0] == (Record, 'service: "hello" does not own configuration: "hello"')


def test_a_route_of_another_owner_is_left_alone() -> None:
    made = plan(stored_configuration(), owned(stored_route(), OTHER))
    assert status_of(made)["RoutesReady"] == (
        FALSE,
        "NotOwned",
        'There is an existing Route "hello" that we do not own.',
    )


NAMED = service(template=template(name="hello-one", TARGET="new"))
TAKEN = (
    FALSE,
    "RevisionNameTaken",
    (
        'The revision name "hello-one" is taken by a conflicting Revision, so traffic will not be'
        " migrated"
    ),
)
OURS = stored_configuration(NAMED)


@pytest.mark.parametrize(
    ("named", "taken"),
    [
        pytest.param(revision("hello-one", of=OURS), False, id="of this generation"),
        pytest.param(
            revision("hello-one", of=OURS, generation=7, spec=NAMED.spec.template.spec),
            False,
            id="older, but equal: a rollback",
        ),
        pytest.param(revision("hello-one", of=OURS, generation=7), True, id="another spec"),
        pytest.param(revision("hello-one", of=configuration("other")), True, id="another owner"),
    ],
)
def test_a_named_revision_must_be_the_one_described(named: Any, taken: bool) -> None:
    made = plan(OURS, stored_route(NAMED), named, of=NAMED)
    assert (status_of(made)["RoutesReady"] == TAKEN) is taken


def test_a_service_that_is_being_deleted_is_left_alone() -> None:
    going = HELLO.with_metadata(deletion_timestamp="2026-01-01T00:00:00Z")
    assert CONTROLLER.observe(World(going), going.key) is None


def test_a_new_generation_is_never_ready_before_its_children_are() -> None:
    ready = (is_true("ConfigurationsReady"), Condition("Ready", TRUE), is_true("RoutesReady"))
    old = changed(HELLO.status, conditions=ready, observed_generation=1)
    new = changed(service(template=template(TARGET="x"), generation=2), status=old)
    made = CONTROLLER.plan(Observed(new, stored_configuration(), stored_route()), NOW)
    assert status_of(made)["Ready"] == OUT_OF_DATE
