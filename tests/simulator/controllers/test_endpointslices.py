"""EndpointSlices: of the Pods that a Service selects, and of Endpoints that somebody wrote."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.controllers.endpointslices import (
    EndpointSliceController,
    EndpointSliceMirroringController,
)
from simulator.controllers.slicing import ENDPOINTS_PER_SLICE_MAX, Group, writes
from simulator.reconciling.plan import NOTHING, Action, Create, Delete, Plan, Update
from simulator.resources.core import ANNOTATION_ADDRESS, Pod
from simulator.resources.endpoints import (
    CoreService,
    CoreServiceSpec,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    ServicePort,
)
from simulator.resources.endpointslices import (
    LABEL_MANAGED_BY,
    LABEL_SERVICE_NAME,
    LABEL_SKIP_MIRROR,
    Endpoint,
    EndpointConditions,
    EndpointSlice,
    SlicePort,
)
from simulator.resources.meta import Resource, is_controlled_by
from tests.support.world import MOMENT, NOW, World, changed, meta, pod, revision

HELLO = revision()
SELECTING, MIRRORING = EndpointSliceController(), EndpointSliceMirroringController()
HTTP = ServicePort(name="http", port=80, target_port=8080, protocol="TCP")
SERVICE = CoreService(
    meta("web", labels={"team": "a"}), spec=CoreServiceSpec(selector={"app": "web"}, ports=(HTTP,))
)


def at(name: str, address: str, *, ready: bool, **fields: Any) -> Pod:
    labels, annotations = {"app": "web"}, {ANNOTATION_ADDRESS: address} if address else {}
    return pod(name, HELLO, ready=ready, labels=labels, annotations=annotations, **fields)


def planned(controller: Any, of: Resource, *objects: Resource) -> Plan:
    observed = controller.observe(World(of, *objects), of.key)
    assert observed is not None
    made: Plan = controller.plan(observed, NOW)
    return made


def after(actions: tuple[Action, ...], before: tuple[EndpointSlice, ...]) -> list[EndpointSlice]:
    """Return the slices that there are once the actions are carried out, by name."""
    found = {one.metadata.name: one for one in before}
    for action in actions:
        assert isinstance(action, Create | Update | Delete)
        assert isinstance(action.object, EndpointSlice)
        name = action.object.metadata.name
        assert (name in found) is not isinstance(action, Create)
        if isinstance(action, Delete):
            del found[name]
        else:
            found[name] = action.object
    return [found[name] for name in sorted(found)]


def conditions(of: EndpointSlice) -> dict[str, tuple[bool | None, bool | None, bool | None]]:
    """Return each Pod's ready, serving and terminating."""
    return {
        one.target_ref.name: (
            one.conditions.ready,
            one.conditions.serving,
            one.conditions.terminating,
        )
        for one in of.endpoints
        if one.target_ref
    }


def test_a_service_has_slices_of_the_pods_that_it_selects() -> None:
    pods = (
        at("a", "127.0.0.1:20001", ready=True),
        at("b", "own-network@127.0.0.2:20001", ready=False),
        at("going", "127.0.0.3:20001", ready=True, deletion_timestamp=MOMENT),
        at("no address yet", "", ready=False),
    )
    (made,) = after(planned(SELECTING, SERVICE, *pods).actions, ())
    assert conditions(made) == {
        "a": (True, True, False),
        "b": (False, False, False),
        "going": (False, True, True),
    }
    assert made.endpoints[0].addresses == ("127.0.0.1",)
    assert (made.address_type, made.ports) == ("IPv4", (SlicePort("http", "TCP", 20001),))
    assert made.metadata.labels == {
        "team": "a",
        LABEL_SERVICE_NAME: "web",
        LABEL_MANAGED_BY: "endpointslice-controller.k8s.io",
    }
    assert made.metadata.name.startswith("web-")
    assert made.metadata.generate_name == "web-"
    assert is_controlled_by(made, SERVICE)
    assert planned(SELECTING, SERVICE, made, *pods) == NOTHING


def test_pods_that_are_not_ready_can_be_published() -> None:
    spec = changed(SERVICE.spec, publish_not_ready_addresses=True)
    pods = (at("a", "127.0.0.1:1", ready=False),)
    (made,) = after(planned(SELECTING, changed(SERVICE, spec=spec), *pods).actions, ())
    assert conditions(made) == {"a": (True, False, False)}


def test_a_service_without_pods_has_a_slice_that_says_so_and_that_is_used_again() -> None:
    (empty,) = after(planned(SELECTING, SERVICE).actions, ())
    assert (empty.endpoints, empty.ports) == ((), ())
    assert planned(SELECTING, SERVICE, empty) == NOTHING
    (used,) = planned(SELECTING, SERVICE, empty, at("a", "127.0.0.1:1", ready=True)).actions
    assert isinstance(used, Update)
    assert used.object.metadata.name == empty.metadata.name


def test_pods_with_ports_of_their_own_are_in_slices_of_their_own() -> None:
    pods = (at("a", "127.0.0.1:1", ready=True), at("b", "127.0.0.1:2", ready=True))
    made = after(planned(SELECTING, SERVICE, *pods).actions, ())
    assert sorted((one.ports[0].port, *conditions(one)) for one in made) == [(1, "a"), (2, "b")]
    (left,) = planned(SELECTING, SERVICE, *made, pods[0]).actions
    assert isinstance(left, Delete)


def test_labels_follow_the_service_and_a_headless_one_says_so() -> None:
    (made,) = after(planned(SELECTING, SERVICE).actions, ())
    relabelled = changed(
        SERVICE.with_metadata(labels={"team": "b"}), spec=changed(SERVICE.spec, cluster_ip="None")
    )
    (update,) = planned(SELECTING, relabelled, made).actions
    assert update.object.metadata.labels == {  # type: ignore[union-attr]
        "team": "b",
        "service.kubernetes.io/headless": "",
        LABEL_SERVICE_NAME: "web",
        LABEL_MANAGED_BY: "endpointslice-controller.k8s.io",
    }


@pytest.mark.parametrize(
    "service",
    [
        changed(SERVICE, spec=changed(SERVICE.spec, selector={})),
        SERVICE.with_metadata(deletion_timestamp=MOMENT),
    ],
    ids=["no selector", "going"],
)
def test_such_a_service_gets_none(service: CoreService) -> None:
    assert SELECTING.observe(World(service), service.key) is None


def test_a_name_outside_has_no_slices_any_more() -> None:
    (made,) = after(planned(SELECTING, SERVICE).actions, ())
    outside = changed(SERVICE, spec=changed(SERVICE.spec, type="ExternalName"))
    assert planned(SELECTING, outside, made) == Plan((Delete(made),))


def test_who_is_woken() -> None:
    (made,) = after(planned(SELECTING, SERVICE).actions, ())
    plain = CoreService(meta("plain"))
    world = World(SERVICE, plain)
    for controller in (SELECTING, MIRRORING):
        assert controller.wakes(made, world) == (SERVICE.key,)
        assert controller.wakes(plain, world) == (plain.key,)
        assert controller.wakes(EndpointSlice(meta("stray")), world) == ()
    assert SELECTING.wakes(at("a", "", ready=True), world) == (SERVICE.key,)


# The mirror -----------------------------------------------------------------------------------

SUBSET = EndpointSubset(
    addresses=(EndpointAddress(ip="127.0.0.1", node_name="knary"),),
    not_ready_addresses=(EndpointAddress(ip="::1", hostname="b"),),
    ports=(EndpointPort("http", 20001, "TCP", "kubernetes.io/h2c"),),
)
WRITTEN = Endpoints(
    meta(
        "web",
        labels={"team": "a"},
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}", "why": "so"},
    ),
    subsets=(SUBSET,),
)
PLAIN = CoreService(meta("web"))


def test_endpoints_that_somebody_wrote_are_mirrored() -> None:
    made = after(planned(MIRRORING, WRITTEN, PLAIN).actions, ())
    ports = (SlicePort("http", "TCP", 20001, "kubernetes.io/h2c"),)
    ready = Endpoint(("127.0.0.1",), EndpointConditions(ready=True), node_name="knary")
    unready = Endpoint(("::1",), EndpointConditions(ready=False), hostname="b")
    assert {one.address_type: (one.ports, one.endpoints) for one in made} == {
        "IPv4": (ports, (ready,)),
        "IPv6": (ports, (unready,)),
    }
    for one in made:
        assert is_controlled_by(one, WRITTEN)
        assert one.metadata.annotations == {"why": "so"}
        assert one.metadata.labels == {
            "team": "a",
            LABEL_SERVICE_NAME: "web",
            LABEL_MANAGED_BY: "endpointslicemirroring-controller.k8s.io",
        }
    assert planned(MIRRORING, WRITTEN, PLAIN, *made) == NOTHING
    emptied = changed(WRITTEN, subsets=())
    assert planned(MIRRORING, emptied, PLAIN, *made) == Plan(tuple(map(Delete, made)))


@pytest.mark.parametrize(
    ("endpoints", "others"),
    [
        pytest.param(WRITTEN, (), id="no service"),
        pytest.param(WRITTEN, (SERVICE,), id="a service that selects"),
        pytest.param(
            WRITTEN.with_metadata(labels={LABEL_SKIP_MIRROR: "true"}), (PLAIN,), id="told not to"
        ),
    ],
)
def test_such_endpoints_have_no_mirror(endpoints: Endpoints, others: tuple[Resource, ...]) -> None:
    made = tuple(after(planned(MIRRORING, WRITTEN, PLAIN).actions, ()))
    assert planned(MIRRORING, endpoints, *others) == NOTHING
    assert planned(MIRRORING, endpoints, *others, *made) == Plan(tuple(map(Delete, made)))


# How they are shared out ----------------------------------------------------------------------


@given(st.lists(st.dictionaries(st.integers(1, 3), st.integers(0, 350), max_size=3), max_size=4))
def test_every_endpoint_is_in_one_slice_that_it_does_not_leave(
    steps: list[dict[int, int]],
) -> None:
    found: tuple[EndpointSlice, ...] = ()
    where: dict[tuple[int, str], str] = {}
    for counts in steps:
        wanted: dict[Group, list[Endpoint]] = {
            ("IPv4", (SlicePort("http", "TCP", port),)): [
                Endpoint((f"10.0.{number // 250}.{number % 250}",)) for number in range(count)
            ]
            for port, count in counts.items()
            if count
        }
        found = tuple(after(writes(SERVICE, {}, {}, wanted, found), found))
        assert writes(SERVICE, {}, {}, wanted, found) == ()
        now = {
            (one.ports[0].port or 0, endpoint.addresses[0]): one.metadata.name
            for one in found
            for endpoint in one.endpoints
        }
        assert len(now) == sum(len(one.endpoints) for one in found) == sum(counts.values())
        assert all(0 < len(one.endpoints) <= ENDPOINTS_PER_SLICE_MAX for one in found)
        assert all(now[key] == where[key] for key in now.keys() & where.keys())
        where = now
