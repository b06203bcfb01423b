"""Route → revisions → Ingress; the Ingress's readiness → the Route's.

Whatever is wrong with a target, the Ingress stays as it was: what is served goes on being served.
Sources: knative/serving `pkg/reconciler/route`, `v1/route_lifecycle.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from simulator.controllers.references import routes_concerned
from simulator.controllers.settings import STOCK, ControllerSettings
from simulator.reconciling.plan import Action, Create, Plan, Record, Update, UpdateStatus
from simulator.reconciling.reader import Reader
from simulator.resources.conditions import FALSE, READY, find
from simulator.resources.lifecycle import Conditions, ConditionSet
from simulator.resources.meta import Key, Resource, is_controlled_by
from simulator.resources.networking import Ingress
from simulator.resources.serving import (
    LABEL_CONFIGURATION,
    Address,
    Configuration,
    Revision,
    Route,
    RouteStatus,
)
from simulator.traffic.domains import Domains, InvalidDomain, hostname, local_host, url
from simulator.traffic.ingress import make_ingress
from simulator.traffic.targets import Assigned, BadTarget, assign, names_in, status_traffic

ALL_TRAFFIC_ASSIGNED = "AllTrafficAssigned"
INGRESS_READY = "IngressReady"
CERTIFICATE_PROVISIONED = "CertificateProvisioned"
CONDITIONS = ConditionSet((ALL_TRAFFIC_ASSIGNED, INGRESS_READY, CERTIFICATE_PROVISIONED))


Named = TypeVar("Named", Configuration, Revision)


class Observed(Struct, frozen=True):
    """A Route, its Ingress, and what its traffic refers to, by name."""

    route: Route
    configurations: dict[str, Configuration] = {}
    revisions: dict[str, Revision] = {}
    ingress: Ingress | None = None


class RouteController:
    """Keeps the Ingress of a Route at what its traffic resolves to."""

    name = "route"
    kind: type[Resource] = Route
    watches: tuple[type[Resource], ...] = (Configuration, Revision, Ingress)

    def __init__(self, settings: ControllerSettings = STOCK) -> None:
        self._domains = settings.domains

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if isinstance(changed, (Route, Ingress)):  # an Ingress bears its Route's name
            return (changed.key,)
        return routes_concerned(changed, reader)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        route = reader.get(Route, *key)
        if route is None or route.is_deleting:
            return None
        configuration_names, revision_names = names_in(route.spec.traffic)
        revisions = _found(reader, Revision, key.namespace, revision_names)
        configuration_names |= {
            revision.metadata.labels.get(LABEL_CONFIGURATION, "") for revision in revisions.values()
        }
        configurations = _found(reader, Configuration, key.namespace, configuration_names)
        latest_ready = {one.status.latest_ready_revision_name for one in configurations.values()}
        revisions |= _found(reader, Revision, key.namespace, latest_ready)
        return Observed(route, configurations, revisions, reader.get(Ingress, *key))

    def plan(self, observed: Observed, now: datetime) -> Plan:
        route = observed.route
        status, generation = route.status, route.metadata.generation
        conditions = CONDITIONS.begin(
            status.conditions, generation, status.observed_generation, now
        )
        if generation != status.observed_generation:
            mark_ingress_not_configured(conditions)
        actions: list[Action] = []
        try:
            status = self._with_traffic(status, observed, conditions, actions)
        except InvalidDomain as error:
            conditions.mark_false(ALL_TRAFFIC_ASSIGNED, "ErrorConfig", str(error))
            actions = []
        status = msgspec.structs.replace(
            status, conditions=conditions.result(), observed_generation=generation
        )
        if status != route.status:
            actions.append(UpdateStatus(msgspec.structs.replace(route, status=status)))
        return Plan(tuple(actions))

    def _with_traffic(
        self,
        status: RouteStatus,
        observed: Observed,
        conditions: Conditions,
        actions: list[Action],
    ) -> RouteStatus:
        """Return the status once the traffic is assigned; all but the URL stays if it is not."""
        route, domains = observed.route, self._domains
        meta = route.metadata
        status = msgspec.structs.replace(
            status, url=url(domains, meta.namespace, meta.name, meta.labels)
        )
        assigned = assign(route, observed.configurations, observed.revisions)
        if isinstance(assigned, BadTarget):
            mark_bad_target(conditions, assigned)
            return status
        traffic = status_traffic(assigned, tag_urls(route, assigned, domains))
        ingress = make_ingress(route, assigned, domains)
        conditions.mark_true(ALL_TRAFFIC_ASSIGNED)
        conditions.mark_true(
            CERTIFICATE_PROVISIONED, "TLSNotEnabled", "external-domain-tls is not enabled"
        )
        self._reconcile_ingress(observed, ingress, conditions, actions)
        address = Address(url="http://" + local_host(domains, meta.namespace, meta.name))
        return msgspec.structs.replace(status, traffic=traffic, address=address)

    def _reconcile_ingress(
        self,
        observed: Observed,
        desired: Ingress,
        conditions: Conditions,
        actions: list[Action],
    ) -> None:
        found = observed.ingress
        if found is None:
            actions.append(Create(desired))
            message = f'Created Ingress "{desired.metadata.name}"'
            actions.append(Record(observed.route, "Normal", "Created", message))
            mark_ingress_not_configured(conditions)
            return
        if found.is_deleting or not is_controlled_by(found, observed.route):
            # What an earlier Route of this name left behind is about to go, and wakes us then.
            mark_ingress_not_configured(conditions)
            return
        same_spec = found.spec == desired.spec
        same_metadata = (
            found.metadata.labels == desired.metadata.labels
            and found.metadata.annotations == desired.metadata.annotations
        )
        if not same_spec or not same_metadata:
            updated = msgspec.structs.replace(found, spec=desired.spec).with_metadata(
                labels=desired.metadata.labels, annotations=desired.metadata.annotations
            )
            actions.append(Update(updated))
        ready = find(found.status.conditions, READY)
        observed_now = found.metadata.generation == found.status.observed_generation
        if not same_spec or not observed_now or ready is None:
            mark_ingress_not_configured(conditions)
            return
        conditions.mark_as(INGRESS_READY, ready)


def tag_urls(route: Route, assigned: Assigned, domains: Domains) -> dict[str, str]:
    """Return the URL of each tag. Raise InvalidDomain."""
    meta = route.metadata
    return {
        tag: url(domains, meta.namespace, hostname(meta.name, tag), meta.labels)
        for tag in assigned.groups
        if tag
    }


def mark_ingress_not_configured(conditions: Conditions) -> None:
    message = "Ingress has not yet been reconciled."
    conditions.mark_unknown(INGRESS_READY, "IngressNotConfigured", message)


def mark_bad_target(conditions: Conditions, bad: BadTarget) -> None:
    if bad.status == FALSE:
        conditions.mark_false(ALL_TRAFFIC_ASSIGNED, bad.reason, bad.message)
    else:
        conditions.mark_unknown(ALL_TRAFFIC_ASSIGNED, bad.reason, bad.message)


def _found(
    reader: Reader, kind: type[Named], namespace: str, names: Iterable[str]
) -> dict[str, Named]:
    """Return the objects of these names that there are; "" is no name."""
    objects = ((name, reader.get(kind, namespace, name)) for name in names if name)
    return {name: obj for name, obj in objects if obj is not None}
