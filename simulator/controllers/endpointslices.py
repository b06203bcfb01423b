"""Service with a selector → EndpointSlices of its Pods; Endpoints of one without → their mirror.

Sources: kubernetes `staging/src/k8s.io/endpointslice`, `pkg/controller/endpointslicemirroring`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from simulator.controllers.addresses import address_of, reference_to, services_that_select
from simulator.controllers.slicing import Group, group_of, writes
from simulator.reconciling.plan import NOTHING, Delete, Plan
from simulator.reconciling.reader import Reader
from simulator.resources.conditions import is_true
from simulator.resources.core import Pod
from simulator.resources.endpoints import (
    EXTERNAL_NAME,
    NO_CLUSTER_IP,
    CoreService,
    EndpointAddress,
    Endpoints,
)
from simulator.resources.endpointslices import (
    IPV4,
    LABEL_HEADLESS,
    LABEL_MANAGED_BY,
    LABEL_SERVICE_NAME,
    LABEL_SKIP_MIRROR,
    Endpoint,
    EndpointConditions,
    EndpointSlice,
    SlicePort,
)
from simulator.resources.meta import Key, Resource

SELECTING, MIRRORING = "endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"
MIRRORED_PER_SUBSET_MAX = 1000
_RESERVED = frozenset({LABEL_SERVICE_NAME, LABEL_MANAGED_BY, LABEL_HEADLESS})
_NOT_MIRRORED = frozenset(
    {
        "endpoints.kubernetes.io/last-change-trigger-time",
        "kubectl.kubernetes.io/last-applied-configuration",
    }
)


class Selected(Struct, frozen=True):
    """A Service, the Pods that it selects, and its slices."""

    service: CoreService
    pods: tuple[Pod, ...] = ()
    slices: tuple[EndpointSlice, ...] = ()


class EndpointSliceController:
    """Keeps the slices of each Service that has a selector."""

    name = "endpointslice"
    kind: type[Resource] = CoreService
    watches: tuple[type[Resource], ...] = (Pod, EndpointSlice)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if isinstance(changed, Pod):
            return services_that_select(changed, reader)
        return (changed.key,) if isinstance(changed, CoreService) else _of_slice(changed)

    def observe(self, reader: Reader, key: Key) -> Selected | None:
        service = reader.get(CoreService, *key)
        if service is None or service.is_deleting or not service.spec.selector:
            return None
        pods = reader.list(Pod, key.namespace, service.spec.selector)
        return Selected(service, tuple(pods), slices_of(reader, service, SELECTING))

    def plan(self, observed: Selected, now: datetime) -> Plan:  # noqa: ARG002
        service = observed.service
        if service.spec.type == EXTERNAL_NAME:
            return Plan(tuple(Delete(one) for one in observed.slices))
        wanted: dict[Group, list[Endpoint]] = {}
        for pod in sorted(observed.pods, key=lambda one: one.key):
            address = address_of(pod)
            if address is None:
                continue
            ports = tuple(
                SlicePort(one.name, one.protocol or "TCP", address.port, one.app_protocol)
                for one in service.spec.ports
            )
            group = wanted.setdefault(group_of(address.ip, ports), [])
            group.append(endpoint_of(pod, service, address.ip))
        labels = {
            key: text for key, text in service.metadata.labels.items() if key not in _RESERVED
        }
        if service.spec.cluster_ip == NO_CLUSTER_IP:
            labels[LABEL_HEADLESS] = ""
        labels |= {LABEL_SERVICE_NAME: service.metadata.name, LABEL_MANAGED_BY: SELECTING}
        # A Service that has no endpoints has a slice that says so.
        return Plan(writes(service, labels, {}, wanted or {(IPV4, ()): ()}, observed.slices))


class Mirrored(Struct, frozen=True):
    """Endpoints, their Service if there is one, and the slices that mirror them."""

    endpoints: Endpoints
    service: CoreService | None = None
    slices: tuple[EndpointSlice, ...] = ()


class EndpointSliceMirroringController:
    """Keeps a mirror of the Endpoints that somebody wrote for a Service without a selector."""

    name = "endpointslicemirroring"
    kind: type[Resource] = Endpoints
    watches: tuple[type[Resource], ...] = (CoreService, EndpointSlice)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        return _of_slice(changed) if isinstance(changed, EndpointSlice) else (changed.key,)

    def observe(self, reader: Reader, key: Key) -> Mirrored | None:
        endpoints = reader.get(Endpoints, *key)
        if endpoints is None or endpoints.is_deleting:
            return None
        service = reader.get(CoreService, *key)
        return Mirrored(endpoints, service, slices_of(reader, endpoints, MIRRORING))

    def plan(self, observed: Mirrored, now: datetime) -> Plan:  # noqa: ARG002
        endpoints, service = observed.endpoints, observed.service
        meta = endpoints.metadata
        if service is None or service.spec.selector or meta.labels.get(LABEL_SKIP_MIRROR) == "true":
            return (
                Plan(tuple(Delete(one) for one in observed.slices)) if observed.slices else NOTHING
            )
        labels = meta.labels | {LABEL_SERVICE_NAME: meta.name, LABEL_MANAGED_BY: MIRRORING}
        annotations = {
            key: text for key, text in meta.annotations.items() if key not in _NOT_MIRRORED
        }
        return Plan(writes(endpoints, labels, annotations, mirror_of(endpoints), observed.slices))


def slices_of(reader: Reader, owner: Resource, managed_by: str) -> tuple[EndpointSlice, ...]:
    """Return the owner's slices that a controller of that name keeps."""
    return tuple(
        one
        for one in reader.owned_by(EndpointSlice, owner.uid)
        if one.metadata.labels.get(LABEL_MANAGED_BY) == managed_by and not one.is_deleting
    )


def endpoint_of(pod: Pod, service: CoreService, ip: str) -> Endpoint:
    """Return a Pod's endpoint. One that is going may still serve, and is not ready."""
    is_serving = is_true(pod.status.conditions)
    is_ready = bool(service.spec.publish_not_ready_addresses) or (
        is_serving and not pod.is_deleting
    )
    return Endpoint(
        addresses=(ip,),
        conditions=EndpointConditions(is_ready, is_serving, pod.is_deleting),
        target_ref=reference_to(pod),
        node_name=pod.spec.node_name or None,
    )


def mirror_of(endpoints: Endpoints) -> dict[Group, Sequence[Endpoint]]:
    """Return the endpoints that Endpoints amount to, by address type and ports."""
    found: dict[Group, list[Endpoint]] = {}
    for subset in endpoints.subsets:
        ports = tuple(
            SlicePort(one.name, one.protocol or "TCP", one.port, one.app_protocol)
            for one in subset.ports
        )
        both = [*_with(subset.addresses, is_ready=True)]
        both += _with(subset.not_ready_addresses, is_ready=False)
        for one in both[:MIRRORED_PER_SUBSET_MAX]:
            found.setdefault(group_of(one.addresses[0], ports), []).append(one)
    return dict(found)


def _with(addresses: Iterable[EndpointAddress], *, is_ready: bool) -> Iterable[Endpoint]:
    for one in addresses:
        yield Endpoint(
            addresses=(one.ip,),
            conditions=EndpointConditions(ready=is_ready),
            hostname=one.hostname or None,
            target_ref=one.target_ref,
            node_name=one.node_name,
        )


def _of_slice(changed: Resource) -> tuple[Key, ...]:
    name = changed.metadata.labels.get(LABEL_SERVICE_NAME, "")
    return (Key(changed.metadata.namespace, name),) if name else ()
