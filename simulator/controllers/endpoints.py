"""Service with a selector → its Endpoints: the addresses at which its Pods listen.

Source: kubernetes `pkg/controller/endpoint/endpoints_controller.go`, `pkg/api/v1/endpoints`. A
replica's port is the one where it is reached, whatever `targetPort` says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.controllers.replicas import is_ready
from simulator.reconciling.plan import NOTHING, Create, Plan, Update
from simulator.reconciling.reader import Reader
from simulator.resources.core import ANNOTATION_ADDRESS, ObjectReference, Pod
from simulator.resources.endpoints import (
    EXTERNAL_NAME,
    SELECTED_LABEL,
    CoreService,
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    ServicePort,
)
from simulator.resources.meta import (
    Key,
    ObjectMeta,
    Resource,
    controller_reference,
    is_controlled_by,
)


class Observed(Struct, frozen=True):
    """A Service, the Pods that it selects, and what there is under the name of its Endpoints."""

    service: CoreService
    pods: tuple[Pod, ...] = ()
    endpoints: Endpoints | None = None


class EndpointsController:
    """Keeps the Endpoints of each Service that has a selector."""

    name = "endpoints"
    kind: type[Resource] = CoreService
    watches: tuple[type[Resource], ...] = (Pod, Endpoints)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if not isinstance(changed, Pod):
            return (changed.key,)
        namespace = changed.metadata.namespace
        return tuple(
            service.key
            for key, text in changed.metadata.labels.items()
            for service in reader.naming(CoreService, namespace, SELECTED_LABEL, f"{key}={text}")
            if selects(service, changed)
        )

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        service = reader.get(CoreService, *key)
        if service is None or service.is_deleting or not service.spec.selector:
            return None
        pods = reader.list(Pod, key.namespace, service.spec.selector)
        return Observed(service, tuple(pods), reader.get(Endpoints, *key))

    def plan(self, observed: Observed, now: datetime) -> Plan:  # noqa: ARG002
        service, found = observed.service, observed.endpoints
        if service.spec.type == EXTERNAL_NAME:
            return NOTHING
        subsets = subsets_of(observed.pods, service.spec.ports)
        if found is None:
            return Plan((Create(make_endpoints(service, subsets)),))
        if not is_controlled_by(found, service) or found.subsets == subsets:
            return NOTHING
        return Plan((Update(msgspec.structs.replace(found, subsets=subsets)),))


def selects(service: CoreService, pod: Pod) -> bool:
    """Tell whether the Service's selector, if it has one, fits the Pod."""
    labels = pod.metadata.labels
    selector = service.spec.selector
    return bool(selector) and all(labels.get(key) == text for key, text in selector.items())


def make_endpoints(service: CoreService, subsets: tuple[EndpointSubset, ...]) -> Endpoints:
    """Return the Endpoints of a Service, which go with it."""
    meta = service.metadata
    return Endpoints(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels=meta.labels,
            owner_references=(controller_reference(service),),
        ),
        subsets=subsets,
    )


def subsets_of(pods: Iterable[Pod], ports: tuple[ServicePort, ...]) -> tuple[EndpointSubset, ...]:
    """Return the addresses of the Pods that have one, together where they have the same ports."""
    ready: dict[int, list[EndpointAddress]] = {}
    unready: dict[int, list[EndpointAddress]] = {}
    for pod in sorted(pods, key=lambda one: one.key):
        address = pod.metadata.annotations.get(ANNOTATION_ADDRESS, "")
        # Which network it is in, before the "@", is no part of an address.
        host, _, port = address.rpartition("@")[2].rpartition(":")
        if pod.is_deleting or not host or not port.isdigit():
            continue
        group = ready if is_ready(pod) else unready
        group.setdefault(int(port), []).append(_address(pod, host))
    return tuple(
        EndpointSubset(
            addresses=tuple(ready.get(number, ())),
            not_ready_addresses=tuple(unready.get(number, ())),
            ports=tuple(
                EndpointPort(port.name, number, port.protocol or "TCP", port.app_protocol)
                for port in ports
            ),
        )
        for number in sorted({*ready, *unready})
    )


def _address(pod: Pod, ip: str) -> EndpointAddress:
    target = ObjectReference(
        kind=Pod.KIND, namespace=pod.metadata.namespace, name=pod.metadata.name, uid=pod.uid
    )
    return EndpointAddress(ip=ip, node_name=pod.spec.node_name or None, target_ref=target)
