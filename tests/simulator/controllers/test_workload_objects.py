"""What Knative makes around a revision: its Deployment, its Services, their Endpoints."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.controllers.deployment import DeploymentController
from simulator.controllers.endpoints import EndpointsController
from simulator.controllers.replicas import replica_set_name
from simulator.controllers.revisionservices import RevisionServiceController
from simulator.controllers.serviceaccounts import ServiceAccountController
from simulator.reconciling.plan import NOTHING, Create, Plan, Update, UpdateStatus
from simulator.resources.apps import Deployment, DeploymentCondition, DeploymentStatus
from simulator.resources.core import ANNOTATION_ADDRESS, Namespace, Pod, ServiceAccount
from simulator.resources.endpoints import (
    CoreService,
    CoreServiceSpec,
    EndpointAddress,
    Endpoints,
    EndpointSubset,
    ServicePort,
)
from simulator.resources.meta import ObjectMeta, Resource, is_controlled_by
from simulator.resources.serving import ContainerDigest, Revision
from tests.support.world import LATER, MOMENT, NOW, World, changed, is_false, meta, pod, revision

DIGEST = "registry.example/helloworld-go@sha256:" + "0" * 64
UNRESOLVED = revision()
HELLO = revision(digests=(ContainerDigest("user-container", DIGEST),))
RUNNING = changed(HELLO, status=changed(HELLO.status, desired_replicas=2))
SET = f'ReplicaSet "{replica_set_name(HELLO)}"'


def planned(controller: Any, of: Resource, *objects: Resource, at: Any = NOW) -> Plan:
    observed = controller.observe(World(of, *objects), of.key)
    assert observed is not None
    made: Plan = controller.plan(observed, at)
    return made


# The Deployment -------------------------------------------------------------------------------

DEPLOYMENTS = DeploymentController()


def deployment(status: DeploymentStatus | None = None, of: Revision = RUNNING) -> Deployment:
    """Return the revision's Deployment as it is stored."""
    (create,) = planned(DEPLOYMENTS, of).actions
    assert isinstance(create, Create)
    assert isinstance(create.object, Deployment)
    stored = create.object.with_metadata(uid="d", generation=3)
    return changed(stored, status=status or DeploymentStatus())


def test_a_revision_with_digests_has_a_deployment() -> None:
    assert DEPLOYMENTS.observe(World(UNRESOLVED), UNRESOLVED.key) is None
    made = deployment()
    assert made.metadata.name == "hello-00001-deployment"
    assert is_controlled_by(made, HELLO)
    assert made.spec.replicas == 2
    assert made.spec.progress_deadline_seconds == 600
    selector = made.spec.selector.match_labels
    assert selector == {"serving.knative.dev/revisionUID": HELLO.uid}
    template = made.spec.template
    assert selector.items() <= template.metadata.labels.items()
    assert template.spec.containers[0].image == DIGEST


def facts(made: Plan) -> tuple[tuple[int, ...], dict[str, tuple[str, str, str]]]:
    """Return replicas, ready and missing ones; and type → (status, reason, message)."""
    (write,) = made.actions
    assert isinstance(write, UpdateStatus)
    assert isinstance(write.object, Deployment)
    status = write.object.status
    assert status.observed_generation == 3
    counts = (status.replicas, status.ready_replicas, status.unavailable_replicas)
    return counts, {one.type: (one.status, one.reason, one.message) for one in status.conditions}


AVAILABLE = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
UNAVAILABLE = (
    *("False", "MinimumReplicasUnavailable"),
    "Deployment does not have minimum availability.",
)
DONE = ("True", "NewReplicaSetAvailable", f"{SET} has successfully progressed.")
GOING_ON = ("True", "ReplicaSetUpdated", f"{SET} is progressing.")
LATE = ("False", "ProgressDeadlineExceeded", f"{SET} has timed out progressing.")
WAS_DONE = DeploymentStatus(
    conditions=(DeploymentCondition("Progressing", "True", MOMENT, MOMENT, DONE[1], DONE[2]),)
)


def timed_out() -> Revision:
    late = is_false("ProgressDeadlineExceeded", "late", "ResourcesAvailable")
    return changed(RUNNING, status=changed(RUNNING.status, conditions=(late,)))


@pytest.mark.parametrize(
    ("of", "ready", "before", "counts", "available", "progressing"),
    [
        pytest.param(RUNNING, (), None, (0, 0, 2), UNAVAILABLE, GOING_ON, id="no Pods yet"),
        pytest.param(RUNNING, (True, False), None, (2, 1, 1), UNAVAILABLE, GOING_ON, id="one"),
        pytest.param(RUNNING, (True, True), None, (2, 2, 0), AVAILABLE, DONE, id="all"),
        pytest.param(
            RUNNING, (True, False), WAS_DONE, (2, 1, 1), UNAVAILABLE, DONE, id="one crashed later"
        ),
        pytest.param(timed_out(), (False,), None, (1, 0, 2), UNAVAILABLE, LATE, id="late"),
    ],
)
def test_a_deployment_tells_of_the_pods(
    of: Revision,
    ready: tuple[bool, ...],
    before: DeploymentStatus | None,
    counts: tuple[int, ...],
    available: tuple[str, str, str],
    progressing: tuple[str, str, str],
) -> None:
    pods = [pod(f"p{number}", HELLO, ready=one) for number, one in enumerate(ready)]
    going = pod("going", HELLO, ready=True, deletion_timestamp=MOMENT)
    made = planned(DEPLOYMENTS, of, deployment(before, of), *pods, going)
    assert facts(made) == (counts, {"Available": available, "Progressing": progressing})


def test_a_deployment_that_says_so_already_is_let_be_and_an_edited_one_is_mended() -> None:
    pods = (pod("a", HELLO, ready=True), pod("b", HELLO, ready=True))
    (write,) = planned(DEPLOYMENTS, RUNNING, deployment(), *pods).actions
    assert isinstance(write, UpdateStatus)
    known = write.object
    assert isinstance(known, Deployment)
    assert planned(DEPLOYMENTS, RUNNING, known, *pods, at=LATER) == NOTHING
    edited = changed(known, spec=changed(known.spec, replicas=7))
    (mend,) = planned(DEPLOYMENTS, RUNNING, edited, *pods).actions
    assert isinstance(mend, Update)
    assert mend.object == known
    left = changed(known, metadata=changed(known.metadata, owner_references=()))
    assert planned(DEPLOYMENTS, RUNNING, left) == NOTHING


# The Services ---------------------------------------------------------------------------------

SERVICES = RevisionServiceController()
ADDRESS = EndpointAddress(ip="127.0.0.1")


def created(made: Plan) -> dict[tuple[str, str], Any]:
    found = [one.object for one in made.actions if isinstance(one, Create)]
    return {(one.KIND, one.metadata.name): one for one in found}


def test_a_revision_has_a_service_for_others_and_one_that_selects_its_pods() -> None:
    made = created(planned(SERVICES, HELLO))
    assert set(made) == {
        ("Service", "hello-00001-private"),
        ("Service", "hello-00001"),
        ("Endpoints", "hello-00001"),
    }
    private, public = made["Service", "hello-00001-private"], made["Service", "hello-00001"]
    assert private.spec.selector == {"serving.knative.dev/revisionUID": HELLO.uid}
    assert public.spec.selector == {}
    (port,) = public.spec.ports
    assert (port.name, port.port, port.target_port, port.app_protocol) == ("http", 80, 8080, None)
    assert all(is_controlled_by(one, HELLO) for one in made.values())
    assert made["Endpoints", "hello-00001"].subsets == ()


def test_a_port_that_speaks_h2c_says_so() -> None:
    (container,) = HELLO.spec.containers
    h2c = changed(container, ports=(changed(container.ports[0], name="h2c", container_port=90),))
    grpc = changed(HELLO, spec=changed(HELLO.spec, containers=(h2c,)))
    (port,) = created(planned(SERVICES, grpc))["Service", "hello-00001"].spec.ports
    assert (port.name, port.port, port.target_port) == ("http2", 81, 90)
    assert port.app_protocol == "kubernetes.io/h2c"


def test_others_see_the_ready_addresses_alone() -> None:
    stored = tuple(created(planned(SERVICES, HELLO)).values())
    ready = EndpointSubset(addresses=(ADDRESS,), not_ready_addresses=(ADDRESS,))
    unready = EndpointSubset(not_ready_addresses=(ADDRESS,))
    source = Endpoints(meta("hello-00001-private"), subsets=(ready, unready))
    (update,) = planned(SERVICES, HELLO, *stored, source).actions
    assert isinstance(update, Update)
    assert isinstance(update.object, Endpoints)
    assert update.object.subsets == (EndpointSubset(addresses=(ADDRESS,)),)
    assert planned(SERVICES, HELLO, *stored) == NOTHING
    users = CoreService(meta("hello-00001"))
    assert planned(SERVICES, HELLO, users, *stored[:1], *stored[2:]) == NOTHING


# Endpoints ------------------------------------------------------------------------------------

ENDPOINTS = EndpointsController()
HTTP = ServicePort(name="http", port=80, target_port=8080, protocol="TCP")
SERVICE = CoreService(meta("web"), spec=CoreServiceSpec(selector={"app": "web"}, ports=(HTTP,)))


def at(name: str, address: str, *, ready: bool, **fields: Any) -> Pod:
    labels, annotations = {"app": "web"}, {ANNOTATION_ADDRESS: address} if address else {}
    return pod(name, HELLO, ready=ready, labels=labels, annotations=annotations, **fields)


def test_endpoints_are_the_addresses_at_which_pods_listen() -> None:
    pods = (
        at("a", "127.0.0.1:20001", ready=True),
        at("b", "127.0.0.1:20002", ready=False),
        at("c", "own-network@127.0.0.2:20001", ready=True),
        at("going", "127.0.0.1:20003", ready=True, deletion_timestamp=MOMENT),
        at("no address yet", "", ready=False),
    )
    (create,) = planned(ENDPOINTS, SERVICE, *pods).actions
    assert isinstance(create, Create)
    made = create.object
    assert isinstance(made, Endpoints)
    assert is_controlled_by(made, SERVICE)

    def named(addresses: tuple[EndpointAddress, ...]) -> list[tuple[str, str]]:
        return [(one.ip, one.target_ref.name if one.target_ref else "") for one in addresses]

    shown = [
        (one.ports[0].port, named(one.addresses), named(one.not_ready_addresses))
        for one in made.subsets
    ]
    assert shown == [
        (20001, [("127.0.0.1", "a"), ("127.0.0.2", "c")], []),
        (20002, [], [("127.0.0.1", "b")]),
    ]
    assert planned(ENDPOINTS, SERVICE, made, *pods) == NOTHING
    (update,) = planned(ENDPOINTS, SERVICE, made).actions
    assert update == Update(msgspec.structs.replace(made, subsets=()))


def test_only_services_that_select_a_pod_are_woken_by_it() -> None:
    other = CoreService(meta("other"), spec=CoreServiceSpec(selector={"app": "web", "b": "c"}))
    world = World(SERVICE, other, CoreService(meta("plain")))
    assert ENDPOINTS.wakes(at("a", "", ready=True), world) == (SERVICE.key,)
    assert ENDPOINTS.observe(world, other.key) is not None
    assert ENDPOINTS.observe(world, CoreService(meta("plain")).key) is None
    outside = changed(SERVICE, spec=changed(SERVICE.spec, type="ExternalName"))
    assert planned(ENDPOINTS, outside) == NOTHING


# ServiceAccounts ------------------------------------------------------------------------------


def test_a_namespace_has_a_default_service_account() -> None:
    accounts = ServiceAccountController()
    namespace = Namespace(meta("team", namespace=""))
    account = ServiceAccount(ObjectMeta(name="default", namespace="team"))
    assert planned(accounts, namespace) == Plan((Create(account),))
    assert planned(accounts, namespace, account) == NOTHING
    assert accounts.wakes(account, World()) == (namespace.key,)
    assert accounts.wakes(ServiceAccount(meta("other")), World()) == ()
    going = namespace.with_metadata(deletion_timestamp=MOMENT)
    assert accounts.observe(World(going), going.key) is None
