"""Service with a selector → its Endpoints: the addresses at which its Pods listen.

Source: kubernetes `pkg/controller/endpoint/endpoints_controller.go`, `pkg/api/v1/endpoints`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.controllers.addresses import address_of, reference_to, services_that_select
from simulator.controllers.replicas import is_ready
from simulator.reconciling.plan import NOTHING, Create, Plan, Update
from simulator.reconciling.reader import Reader
from simulator.resources.core import Pod
from simulator.resources.endpoints import (
    EXTERNAL_NAME,
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
        return services_that_select(changed, reader)

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
        address = address_of(pod)
        if pod.is_deleting or address is None:
            continue
        group = ready if is_ready(pod) else unready
        group.setdefault(address.port, []).append(_address(pod, address.ip))
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
    return EndpointAddress(
        ip=ip, node_name=pod.spec.node_name or None, target_ref=reference_to(pod)
    )
