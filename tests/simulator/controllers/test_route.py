"""Route: its Ingress, and that a bad target changes nothing of what is served."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.controllers.route import Observed, RouteController
from simulator.reconciling.plan import Action, Create, Plan, Record, Update, UpdateStatus
from simulator.resources.conditions import FALSE, TRUE, UNKNOWN
from simulator.resources.networking import Ingress, IngressStatus
from simulator.resources.serving import (
    LABEL_SERVICE,
    LABEL_VISIBILITY,
    Address,
    Route,
    RouteStatus,
    TrafficTarget,
)
from simulator.traffic.domains import Domains
from simulator.traffic.ingress import make_ingress
from simulator.traffic.targets import Assigned, Target
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
    route,
    told,
    without_placeholders,
)

CONTROLLER = RouteController()
LATEST = TrafficTarget(configuration_name="hello", latest_revision=True, percent=100)
HELLO = route(traffic=(LATEST,), labels={LABEL_SERVICE: "hello"})
CONFIGURATION = configuration(created="hello-00001", ready="hello-00001", conditions=(is_true(),))
FIRST = revision(ready=is_true())
TARGET = Target("hello-00001", 100, latest_revision=True, configuration_name="hello")
ASSIGNED = Assigned((), {"": (TARGET,)})
NOT_CONFIGURED = (UNKNOWN, "IngressNotConfigured", "Ingress has not yet been reconciled.")


def stored_ingress(of: Route = HELLO, **status: Any) -> Ingress:
    known: dict[str, Any] = {"observed_generation": 1, "conditions": (is_true(),)}
    made = make_ingress(of, ASSIGNED, Domains()).with_metadata(
        uid="i", generation=1, resource_version="5"
    )
    return changed(made, status=IngressStatus(**(known | status)))


def plan(*objects: Any, of: Route = HELLO) -> Plan:
    observed = CONTROLLER.observe(World(of, *objects), of.key)
    assert observed is not None
    return without_placeholders(CONTROLLER.plan(observed, NOW))


def status_of(made: Plan) -> RouteStatus:
    (write,) = [one.object for one in made.actions if isinstance(one, UpdateStatus)]
    assert isinstance(write, Route)
    return write.status


def verbs(made: Plan) -> list[tuple[type[Action], str]]:
    return [
        (type(one), one.message if isinstance(one, Record) else one.object.KIND)
        for one in made.actions
    ]


def test_the_first_ready_revision_gets_an_ingress() -> None:
    made = plan(CONFIGURATION, FIRST)
    assert verbs(made) == [
        (Create, "Ingress"),
        (Record, 'Created Ingress "hello"'),
        (UpdateStatus, "Route"),
    ]
    status = status_of(made)
    assert status.url == "http://hello.default.example.com"
    assert status.address == Address(url="http://hello.default.svc.cluster.local")
    assert status.traffic == (
        TrafficTarget(revision_name="hello-00001", latest_revision=True, percent=100),
    )
    assert told(status.conditions) == {
        "AllTrafficAssigned": (TRUE, "", ""),
        "CertificateProvisioned": (TRUE, "TLSNotEnabled", "external-domain-tls is not enabled"),
        "IngressReady": NOT_CONFIGURED,
        "Ready": NOT_CONFIGURED,
    }


WAITS = "Waiting for load balancer to be ready"
INGRESSES = [
    pytest.param({}, (TRUE, "", ""), id="programmed"),
    pytest.param(
        {"conditions": (is_unknown("Uninitialized", WAITS),)},
        (UNKNOWN, "Uninitialized", WAITS),
        id="waiting for a replica or for the gateway",
    ),
    pytest.param(
        {"conditions": (is_false("DomainConflict", "m"),)},
        (FALSE, "DomainConflict", "m"),
        id="refused",
    ),
    pytest.param({"observed_generation": 0}, NOT_CONFIGURED, id="not looked at yet"),
    pytest.param({"conditions": ()}, NOT_CONFIGURED, id="without a word"),
]


@pytest.mark.parametrize(("status", "expected"), INGRESSES)
def test_it_is_as_ready_as_its_ingress(status: Any, expected: Any) -> None:
    found = told(status_of(plan(CONFIGURATION, FIRST, stored_ingress(**status))).conditions)
    assert found["IngressReady"] == found["Ready"] == expected


SETTLED = changed(HELLO, status=status_of(plan(CONFIGURATION, FIRST, stored_ingress())))


def test_a_settled_route_writes_nothing() -> None:
    assert plan(CONFIGURATION, FIRST, stored_ingress(), of=SETTLED) == Plan()


def test_a_new_latest_ready_revision_moves_traffic_and_unsettles_it_in_one_write() -> None:
    newer = changed(
        CONFIGURATION,
        status=changed(CONFIGURATION.status, latest_ready_revision_name="hello-00002"),
    )
    second = revision("hello-00002", generation=2, ready=is_true())
    made = plan(newer, FIRST, second, stored_ingress(), of=SETTLED)
    assert verbs(made) == [(Update, "Ingress"), (UpdateStatus, "Route")]
    assert status_of(made).traffic[0].revision_name == "hello-00002"
    assert told(status_of(made).conditions)["Ready"] == NOT_CONFIGURED


BAD_TARGETS = [
    pytest.param((CONFIGURATION,), FALSE, "RevisionMissing", id="a revision is gone"),
    pytest.param((FIRST,), FALSE, "ConfigurationMissing", id="the configuration is gone"),
    pytest.param(
        (CONFIGURATION, revision(ready=is_unknown())),
        UNKNOWN,
        "RevisionMissing",
        id="a revision is not ready",
    ),
]


@pytest.mark.parametrize(("world", "status", "reason"), BAD_TARGETS)
def test_a_bad_target_leaves_all_that_is_served_as_it_was(
    world: tuple[Any, ...], status: str, reason: str
) -> None:
    made = plan(*world, stored_ingress(), of=SETTLED)
    assert verbs(made) == [(UpdateStatus, "Route")]
    found = status_of(made)
    assert told(found.conditions)["AllTrafficAssigned"][:2] == (status, reason)
    assert told(found.conditions)["Ready"][:2] == (status, reason)
    assert (found.traffic, found.address) == (SETTLED.status.traffic, SETTLED.status.address)


def test_a_new_generation_with_a_bad_target_is_not_ready_by_the_old_ingress() -> None:
    missing = TrafficTarget(revision_name="hello-00009", latest_revision=False, percent=100)
    new = changed(SETTLED, spec=changed(SETTLED.spec, traffic=(missing,)))
    new = new.with_metadata(generation=2)
    found = told(status_of(plan(CONFIGURATION, FIRST, stored_ingress(), of=new)).conditions)
    assert found["IngressReady"] == NOT_CONFIGURED
    assert found["Ready"][0] == FALSE


def test_the_url_is_told_even_before_any_target_is_good() -> None:
    status = status_of(plan(configuration()))
    assert status.url == "http://hello.default.example.com"
    assert (status.traffic, status.address) == ((), None)


def test_a_label_hides_it_from_the_outside() -> None:
    hidden = HELLO.with_metadata(labels={LABEL_VISIBILITY: "cluster-local"})
    assert status_of(plan(CONFIGURATION, FIRST, of=hidden)).url == (
        "http://hello.default.svc.cluster.local"
    )


def test_a_tag_whose_host_dns_does_not_allow_is_a_configuration_error() -> None:
    tagged = msgspec.structs.replace(LATEST, tag="t" * 60)
    made = plan(CONFIGURATION, FIRST, stored_ingress(), of=route(traffic=(tagged,)))
    assert verbs(made) == [(UpdateStatus, "Route")]
    found = told(status_of(made).conditions)["AllTrafficAssigned"]
    assert found[:2] == (FALSE, "ErrorConfig")
    assert found[2].startswith('domain name error: invalid domain name "ttt')


def test_new_annotations_reach_the_ingress_without_unsettling_it() -> None:
    annotated = SETTLED.with_metadata(annotations={"knary.dev/splitter": "random"})
    made = plan(CONFIGURATION, FIRST, stored_ingress(), of=annotated)
    assert verbs(made) == [(Update, "Ingress")]


FINE = {"knary.dev/traffic-percent": "@latest=100"}


@pytest.mark.parametrize(
    ("asked", "programmed", "expected"),
    [
        pytest.param(
            {"knary.dev/splitter": "random", "knary.dev/hash-header": "X-User", "team": "a"},
            {"knary.dev/splitter": "random", "knary.dev/hash-header": "X-User"},
            {"knary.dev/splitter": "random", "knary.dev/hash-header": "X-User"},
            id="obeyed",
        ),
        pytest.param(
            FINE,
            {"knary.dev/traffic-percent": "hello-00001=100"},
            FINE,
            id="percents, which the gateway has by revision",
        ),
        pytest.param(
            {"knary.dev/traffic-percent": "@latest=99.9,other=0.1"},
            {},
            {"knary.dev/traffic-percent-ignored": "@latest=99.9,other=0.1"},
            id="percents that do not fit",
        ),
    ],
)
def test_the_annotations_in_force_are_told_and_unsettle_nothing(
    asked: dict[str, str], programmed: dict[str, str], expected: dict[str, str]
) -> None:
    annotated = SETTLED.with_metadata(annotations=asked)
    served = stored_ingress(annotated, programmed_annotations=programmed)
    made = plan(CONFIGURATION, FIRST, served, of=annotated)
    assert verbs(made)[-1] == (UpdateStatus, "Route")
    assert status_of(made).annotations == expected
    assert status_of(made).conditions == SETTLED.status.conditions


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(owned(stored_ingress(), route("other")), id="of an earlier route"),
        pytest.param(
            stored_ingress().with_metadata(deletion_timestamp="2026-01-01T00:00:00Z"),
            id="on its way out",
        ),
    ],
)
def test_an_ingress_that_was_left_behind_is_waited_for(left: Ingress) -> None:
    made = plan(CONFIGURATION, FIRST, left)
    assert verbs(made) == [(UpdateStatus, "Route")]
    assert told(status_of(made).conditions)["Ready"] == NOT_CONFIGURED


def test_what_wakes_a_route() -> None:
    pinned = route("pinned", traffic=(TrafficTarget(revision_name="hello-00001", percent=100),))
    world = World(HELLO, pinned, route("else"))

    def woken(changed: Any) -> set[str]:
        return {key.name for key in CONTROLLER.wakes(changed, world)}

    assert woken(FIRST) == {"hello", "pinned"}
    assert woken(CONFIGURATION) == {"hello"}
    assert woken(stored_ingress()) == {"hello"}
    noted = FIRST.with_metadata(annotations={"serving.knative.dev/routes": "else,hello"})
    assert woken(noted) == {"else", "hello", "pinned"}


def test_a_route_that_is_being_deleted_is_left_alone() -> None:
    going = HELLO.with_metadata(deletion_timestamp="2026-01-01T00:00:00Z")
    assert CONTROLLER.observe(World(going), going.key) is None
    assert Observed(HELLO).ingress is None
