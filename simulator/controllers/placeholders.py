"""The placeholder Services of a Route, one for itself and one per tag: names inside the cluster.

They keep the names from others, and a label on one of them hides that tag from the outside.
Source: knative/serving `pkg/reconciler/route/{reconcile_resources,resources/service}.go`,
`pkg/reconciler/route/visibility`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

import msgspec

from simulator.reconciling.plan import Action, Create, Delete, Record, Update
from simulator.reconciling.reader import Reader
from simulator.resources.endpoints import (
    EXTERNAL_NAME,
    CoreService,
    CoreServiceSpec,
    ServicePort,
)
from simulator.resources.meta import ObjectMeta, controller_reference, is_controlled_by
from simulator.resources.networking import Ingress
from simulator.resources.serving import LABEL_ROUTE, LABEL_VISIBILITY, Route
from simulator.resources.wording import quoted
from simulator.traffic.domains import Domains, InvalidDomain, hostname

_PORT = ServicePort(
    name="http2", protocol="TCP", app_protocol="kubernetes.io/h2c", port=80, target_port=80
)


def placeholder_names(route: Route, domains: Domains) -> frozenset[str]:
    """Return the names that the Route and its tags have inside the cluster."""
    names = set()
    for tag in {"", *(entry.tag for entry in route.spec.traffic)}:
        with contextlib.suppress(InvalidDomain):  # what has no name has no placeholder either
            names.add(hostname(domains, route.metadata.name, tag))
    return frozenset(names)


def placeholders_of(route: Route, names: Iterable[str], reader: Reader) -> tuple[CoreService, ...]:
    """Return the Services that are a Route's placeholders, or stand in the way of them."""
    found = {one.metadata.name: one for one in reader.owned_by(CoreService, route.uid)}
    for name in names:
        if service := reader.get(CoreService, route.metadata.namespace, name):
            found[name] = service
    return tuple(found[name] for name in sorted(found))


def local_names(placeholders: Iterable[CoreService]) -> frozenset[str]:
    """Return the names that are hidden from the outside: any value of the label will do."""
    return frozenset(
        one.metadata.name for one in placeholders if one.metadata.labels.get(LABEL_VISIBILITY)
    )


def not_owned(route: Route, names: Iterable[str], found: Iterable[CoreService]) -> str:
    """Return the name of a Service that is in the way of a placeholder, or "".

    What an earlier Route of this name left behind is about to go, and is in nobody's way.
    """
    there = {one.metadata.name: one for one in found}
    for name in sorted(names):
        service = there.get(name)
        if service is None or is_controlled_by(service, route):
            continue
        if not _is_left_behind(service, route):
            return name
    return ""


def _is_left_behind(service: CoreService, route: Route) -> bool:
    return any(
        (owner.kind, owner.name) == (Route.KIND, route.metadata.name)
        for owner in service.metadata.owner_references
    )


def reconcile_placeholders(
    route: Route,
    hosts: Mapping[str, str],
    found: Iterable[CoreService],
    ingress: Ingress | None,
) -> list[Action]:
    """Return what leads to one Service per name in `hosts`, which has the host of each name.

    Once the Ingress is served, each leads to the gateway inside the cluster. Labels and
    annotations that a user gave them stay.
    """
    known = {one.metadata.name: one for one in found}
    there = {name: one for name, one in known.items() if is_controlled_by(one, route)}
    gateway = _gateway(ingress)
    actions: list[Action] = []
    for name in sorted(hosts):
        desired = _make(route, name, gateway or hosts[name])
        service = there.get(name)
        if service is None and name in known:
            continue  # it is about to go, and wakes us then
        if service is None:
            message = f"Created placeholder service {quoted(name)}"
            actions += [Create(desired), Record(route, "Normal", "Created", message)]
            continue
        spec = desired.spec if gateway else service.spec
        updated = msgspec.structs.replace(service, spec=spec).with_metadata(
            labels=service.metadata.labels | desired.metadata.labels,
            annotations=service.metadata.annotations | desired.metadata.annotations,
        )
        if updated != service:
            actions.append(Update(updated))
    actions += [
        Delete(service)
        for name, service in sorted(there.items())
        if name not in hosts and not service.is_deleting
    ]
    return actions


def _gateway(ingress: Ingress | None) -> str:
    """Return the gateway's name inside the cluster, "" until the Ingress is served."""
    balancer = ingress.status.private_load_balancer if ingress is not None else None
    return balancer.ingress[0].domain_internal if balancer and balancer.ingress else ""


def _make(route: Route, name: str, external_name: str) -> CoreService:
    meta = route.metadata
    labels = {key: text for key, text in meta.labels.items() if key != LABEL_VISIBILITY}
    return CoreService(
        metadata=ObjectMeta(
            name=name,
            namespace=meta.namespace,
            labels=labels | {LABEL_ROUTE: meta.name},
            annotations=meta.annotations,
            owner_references=(controller_reference(route),),
        ),
        spec=CoreServiceSpec(
            type=EXTERNAL_NAME,
            external_name=external_name,
            session_affinity="None",
            ports=(_PORT,),
        ),
    )
