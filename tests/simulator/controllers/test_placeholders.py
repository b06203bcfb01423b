"""A Route's placeholder Services: which there are, what they say, and what hides a tag."""

from __future__ import annotations

from typing import Any

from simulator.controllers.route import RouteController
from simulator.reconciling.plan import Create, Delete, Plan, Record, Update, UpdateStatus
from simulator.resources.endpoints import CoreService
from simulator.resources.meta import is_controlled_by
from simulator.resources.networking import (
    Ingress,
    IngressStatus,
    LoadBalancer,
    LoadBalancerIngress,
)
from simulator.resources.serving import LABEL_VISIBILITY, Route, RouteStatus, TrafficTarget
from tests.support.world import (
    NOW,
    World,
    changed,
    configuration,
    is_true,
    meta,
    owned,
    revision,
    route,
    told,
)

CONTROLLER = RouteController()
FIRST = revision(ready=is_true(), service="")
CONFIGURATION = configuration(created="hello-00001", ready="hello-00001", conditions=(is_true(),))
TRAFFIC = (
    TrafficTarget(configuration_name="hello", latest_revision=True, percent=100),
    TrafficTarget(revision_name="hello-00001", latest_revision=False, percent=0, tag="v1"),
)
HELLO = route(traffic=TRAFFIC, labels={"a": "b", LABEL_VISIBILITY: "other"})
GATEWAY = "kourier-internal.kourier-system.svc.cluster.local"


def plan(*objects: Any, of: Route = HELLO) -> Plan:
    observed = CONTROLLER.observe(World(of, CONFIGURATION, FIRST, *objects), of.key)
    assert observed is not None
    return CONTROLLER.plan(observed, NOW)


def made_by(made: Plan, kind: type, action: type = Create) -> dict[str, Any]:
    return {
        one.object.metadata.name: one.object
        for one in made.actions
        if isinstance(one, action) and isinstance(one.object, kind)  # type: ignore[attr-defined]
    }


def status_of(made: Plan) -> RouteStatus:
    (found,) = (one.object for one in made.actions if isinstance(one, UpdateStatus))
    assert isinstance(found, Route)
    return found.status


def served() -> Ingress:
    ingress: Ingress = made_by(plan(), Ingress)["hello"]
    balancer = LoadBalancer((LoadBalancerIngress(domain_internal=GATEWAY),))
    return changed(
        ingress.with_metadata(uid="i", generation=1),
        status=IngressStatus(
            observed_generation=1, conditions=(is_true(),), private_load_balancer=balancer
        ),
    )


def test_a_route_and_its_tags_have_a_placeholder_each() -> None:
    made = plan()
    services = made_by(made, CoreService)
    assert {name: one.spec.external_name for name, one in services.items()} == {
        "hello": "hello.default.example.com",
        "v1-hello": "v1-hello.default.example.com",
    }
    one = services["v1-hello"]
    assert one.metadata.labels == {"a": "b", "serving.knative.dev/route": "hello"}
    assert (one.spec.type, one.spec.ports[0].name, one.spec.ports[0].port) == (
        *("ExternalName", "http2"),
        80,
    )
    assert is_controlled_by(one, HELLO)
    said = [one.message for one in made.actions if isinstance(one, Record)]
    assert 'Created placeholder service "v1-hello"' in said


def test_once_the_gateway_serves_them_they_lead_to_it_and_keep_what_users_gave_them() -> None:
    services = made_by(plan(), CoreService)
    marked = services["hello"].with_metadata(labels={"mine": "x"}, annotations={"y": "z"})
    updated = made_by(plan(served(), marked, services["v1-hello"]), CoreService, Update)
    assert {one.spec.external_name for one in updated.values()} == {GATEWAY}
    assert set(updated) == {"hello", "v1-hello"}
    assert updated["hello"].metadata.labels["mine"] == "x"
    assert updated["hello"].metadata.annotations == {"y": "z"}
    settled = plan(served(), *updated.values())
    assert made_by(settled, CoreService) == made_by(settled, CoreService, Update) == {}


def test_the_placeholder_of_a_tag_that_is_gone_goes() -> None:
    services = made_by(plan(), CoreService)
    untagged = changed(HELLO, spec=changed(HELLO.spec, traffic=TRAFFIC[:1]))
    assert set(made_by(plan(*services.values(), of=untagged), CoreService, Delete)) == {"v1-hello"}


def test_a_label_on_a_placeholder_hides_that_tag_from_the_outside() -> None:
    services = made_by(plan(), CoreService)
    hidden = services["v1-hello"].with_metadata(labels={LABEL_VISIBILITY: "cluster-local"})
    made = plan(services["hello"], hidden)
    hosts = {host for rule in made_by(made, Ingress)["hello"].spec.rules for host in rule.hosts}
    assert "hello.default.example.com" in hosts
    assert "v1-hello.default.example.com" not in hosts
    assert "v1-hello.default.svc.cluster.local" in hosts
    (tagged,) = (one for one in status_of(made).traffic if one.tag)
    assert tagged.url == "http://v1-hello.default.svc.cluster.local"
    assert status_of(made).url == "http://hello.default.example.com"
    whole = services["hello"].with_metadata(labels={LABEL_VISIBILITY: "cluster-local"})
    assert status_of(plan(whole)).url == "http://hello.default.svc.cluster.local"


def test_a_service_of_somebody_elses_stands_in_the_way() -> None:
    users = CoreService(meta("v1-hello"))
    made = plan(users, served())
    conditions = told(status_of(made).conditions)
    assert conditions["Ready"] == (
        *("False", "NotOwned"),
        'There is an existing placeholder Service "v1-hello" that we do not own.',
    )
    assert made_by(made, Ingress, Update) == made_by(made, CoreService) == {}
    (event,) = (one for one in made.actions if isinstance(one, Record))
    assert event.message == 'route: "hello" does not own Service: "v1-hello"'
    stuck = changed(HELLO, status=status_of(made))
    assert [one for one in plan(users, served(), of=stuck).actions if isinstance(one, Record)] == []
    assert CONTROLLER.wakes(users, World(stuck)) == (HELLO.key,)
    assert CONTROLLER.wakes(users, World(HELLO)) == ()


def test_what_an_earlier_route_of_this_name_left_behind_is_waited_for() -> None:
    left = owned(made_by(plan(), CoreService)["hello"], HELLO.with_metadata(uid="earlier"))
    made = plan(left)
    assert set(made_by(made, CoreService)) == {"v1-hello"}
    assert told(status_of(made).conditions)["IngressReady"][1] == "IngressNotConfigured"
    assert CONTROLLER.wakes(left, World()) == (HELLO.key,)
