"""Route → revisions → Ingress; the Ingress's readiness → the Route's.

Whatever is wrong with a target, the Ingress stays as it was: what is served goes on being served.
A gradual rollout is an Ingress that is rewritten when its next step is due; how far it has come is
told by the Ingress alone, so any control plane can go on with it.
Sources: knative/serving `pkg/reconciler/route`, `v1/route_lifecycle.go`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec import Struct

from simulator.config.current import STOCK as STOCK_CONFIG
from simulator.config.current import Config, config_of, is_config
from simulator.controllers.placeholders import (
    local_names,
    not_owned,
    placeholder_names,
    placeholders_of,
    reconcile_placeholders,
)
from simulator.controllers.references import routes_concerned
from simulator.controllers.settings import STOCK, ControllerSettings
from simulator.reconciling.plan import Action, Create, Plan, Record, Update, UpdateStatus
from simulator.reconciling.reader import Reader
from simulator.resources.conditions import FALSE, READY, TRUE, find
from simulator.resources.core import ConfigMap
from simulator.resources.durations import MICROSECOND, SECOND, parse_duration
from simulator.resources.endpoints import CoreService
from simulator.resources.inforce import told
from simulator.resources.lifecycle import Conditions, ConditionSet
from simulator.resources.meta import Key, Resource, is_controlled_by
from simulator.resources.networking import ANNOTATION_ROLLOUT, Ingress
from simulator.resources.serving import (
    LABEL_CONFIGURATION,
    LABEL_ROUTE,
    ROLLOUT_DURATIONS,
    Address,
    Configuration,
    Revision,
    Route,
    RouteStatus,
)
from simulator.resources.wording import quoted
from simulator.traffic.domains import (
    Domains,
    InvalidDomain,
    host_of,
    hostname,
    local_host,
    seen_as,
    url,
)
from simulator.traffic.ingress import make_ingress
from simulator.traffic.rollout import (
    Stepped,
    deserialize,
    goal,
    is_over,
    observe_ready,
    step,
    traffic_in_progress,
)
from simulator.traffic.targets import Assigned, BadTarget, assign, names_in, status_traffic

ALL_TRAFFIC_ASSIGNED = "AllTrafficAssigned"
INGRESS_READY = "IngressReady"
CERTIFICATE_PROVISIONED = "CertificateProvisioned"
NOT_OWNED = "NotOwned"
CONDITIONS = ConditionSet((ALL_TRAFFIC_ASSIGNED, INGRESS_READY, CERTIFICATE_PROVISIONED))

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Named = TypeVar("Named", Configuration, Revision)


class Observed(Struct, frozen=True):
    """A Route, its Ingress, what its traffic refers to, by name, and the operator's settings."""

    route: Route
    configurations: dict[str, Configuration] = {}
    revisions: dict[str, Revision] = {}
    ingress: Ingress | None = None
    config: Config = STOCK_CONFIG
    placeholders: tuple[CoreService, ...] = ()  # and what stands in the way of one


class RouteController:
    """Keeps the Ingress of a Route at what its traffic resolves to."""

    name = "route"
    kind: type[Resource] = Route
    watches: tuple[type[Resource], ...] = (Configuration, Revision, Ingress, CoreService, ConfigMap)

    def __init__(self, settings: ControllerSettings = STOCK) -> None:
        self._domains = settings.domains

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if isinstance(changed, (Route, Ingress)):  # an Ingress bears its Route's name
            return (changed.key,)
        if isinstance(changed, ConfigMap):
            return tuple(one.key for one in reader.list(Route)) if is_config(changed) else ()
        if isinstance(changed, CoreService):
            return _routes_of(changed, reader)
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
        ingress, config = reader.get(Ingress, *key), config_of(reader)
        names = placeholder_names(route, self._domains.configured(config))
        placeholders = placeholders_of(route, names, reader)
        return Observed(route, configurations, revisions, ingress, config, placeholders)

    def plan(self, observed: Observed, now: datetime) -> Plan:
        return _Work(observed, now, self._domains.configured(observed.config)).plan()


class _Work:
    """One plan in the making: the actions so far, the conditions, when to look again."""

    def __init__(self, observed: Observed, now: datetime, domains: Domains) -> None:
        self._observed = observed
        self._route = observed.route
        self._now = (now - _EPOCH) // timedelta(microseconds=1) * MICROSECOND
        self._domains = domains
        self._actions: list[Action] = []
        self._requeue_after_s: float | None = None
        status = observed.route.status
        self._conditions = CONDITIONS.begin(
            status.conditions, self._route.metadata.generation, status.observed_generation, now
        )

    def plan(self) -> Plan:
        status, generation = self._route.status, self._route.metadata.generation
        if generation != status.observed_generation:
            mark_ingress_not_configured(self._conditions)
        try:
            status = self._with_traffic(status)
        except InvalidDomain as error:
            self._conditions.mark_false(ALL_TRAFFIC_ASSIGNED, "ErrorConfig", str(error))
            self._actions = []
        status = msgspec.structs.replace(
            status, conditions=self._conditions.result(), observed_generation=generation
        )
        if status != self._route.status:
            self._actions.append(UpdateStatus(msgspec.structs.replace(self._route, status=status)))
        return Plan(tuple(self._actions), self._requeue_after_s)

    def _with_traffic(self, status: RouteStatus) -> RouteStatus:
        """Return the status once the traffic is assigned; all but the URL stays if it is not."""
        observed, domains, conditions = self._observed, self._domains, self._conditions
        meta = self._route.metadata
        hidden = local_names(observed.placeholders)
        seen = seen_as(meta, meta.name, hidden)
        status = msgspec.structs.replace(status, url=url(domains, seen, meta.name))
        assigned = assign(self._route, observed.configurations, observed.revisions)
        if isinstance(assigned, BadTarget):
            mark_bad_target(conditions, assigned)
            return status
        stepped = self._step(assigned)
        urls = tag_urls(self._route, assigned, domains, hidden)
        traffic = status_traffic(assigned, urls)
        address = Address(url="http://" + local_host(domains, meta.namespace, meta.name))
        ingress = make_ingress(
            self._route,
            assigned,
            domains,
            stepped.rollout,
            by_tag_header=observed.config.features.tag_header_based_routing,
            hidden=hidden,
        )
        conditions.mark_true(ALL_TRAFFIC_ASSIGNED)
        hosts = self._placeholder_hosts(assigned, hidden)
        if name := not_owned(self._route, hosts, observed.placeholders):
            self._stop_at(name)
            return msgspec.structs.replace(status, traffic=traffic, address=address)
        conditions.mark_true(
            CERTIFICATE_PROVISIONED, "TLSNotEnabled", "external-domain-tls is not enabled"
        )
        self._reconcile_ingress(ingress)
        self._actions += reconcile_placeholders(
            self._route, hosts, observed.placeholders, observed.ingress
        )
        if not is_over(stepped.rollout):
            mark_rollout_in_progress(conditions)
            traffic = traffic_in_progress(assigned, stepped.rollout, urls)
        if stepped.next_step_time:
            self._requeue_after_s = max(0, stepped.next_step_time - self._now) / SECOND
        annotations = self._told_annotations(ingress)
        return msgspec.structs.replace(
            status, traffic=traffic, address=address, annotations=annotations
        )

    def _placeholder_hosts(self, assigned: Assigned, hidden: frozenset[str]) -> dict[str, str]:
        """Return the placeholders' names, each with the host that it has outside, or inside."""
        domains, meta = self._domains, self._route.metadata
        names = (hostname(domains, meta.name, tag) for tag in assigned.groups)
        return {name: host_of(domains, seen_as(meta, name, hidden), name) for name in names}

    def _stop_at(self, name: str) -> None:
        """Say that a Service of somebody else's is in the way; the Ingress stays as it is."""
        route = self._route
        mark_service_not_owned(self._conditions, name)
        if not not_owned_before(route, name):
            message = f"route: {quoted(route.metadata.name)} does not own Service: {quoted(name)}"
            self._actions.append(Record(route, "Warning", "InternalError", message))

    def _told_annotations(self, desired: Ingress) -> dict[str, str]:
        """Return the annotations that the gateway obeys now; a change of them has no generation."""
        found, asked = self._observed.ingress, self._route.metadata.annotations
        is_ours = found is not None and is_controlled_by(found, self._route)
        programmed = found.status.programmed_annotations if found is not None and is_ours else {}
        return told(asked, desired.metadata.annotations, programmed)

    def _step(self, assigned: Assigned) -> Stepped:
        """Return how far the rollout should be now; without a duration it is over at once."""
        wanted, ingress = goal(assigned), self._observed.ingress
        stock_s = self._observed.config.network.rollout_duration_s
        duration_s = rollout_duration_s(self._route, stock_s)
        if duration_s <= 0 or ingress is None:
            return Stepped(wanted)
        before = deserialize(ingress.metadata.annotations.get(ANNOTATION_ROLLOUT, ""))
        # The Route did not know yet that the Ingress is ready: the first percent is served now.
        if before is not None and ingress.is_ready and not self._knows_ingress_ready():
            before = observe_ready(before, self._now, duration_s)
        return step(wanted, before, self._now)

    def _knows_ingress_ready(self) -> bool:
        return self._conditions.is_(INGRESS_READY, TRUE)

    def _reconcile_ingress(self, desired: Ingress) -> None:
        found, conditions = self._observed.ingress, self._conditions
        if found is None:
            self._actions.append(Create(desired))
            message = f'Created Ingress "{desired.metadata.name}"'
            self._actions.append(Record(self._route, "Normal", "Created", message))
            mark_ingress_not_configured(conditions)
            return
        if found.is_deleting or not is_controlled_by(found, self._route):
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
            self._actions.append(Update(updated))
        ready = find(found.status.conditions, READY)
        observed_now = found.metadata.generation == found.status.observed_generation
        if not same_spec or not observed_now or ready is None:
            mark_ingress_not_configured(conditions)
            return
        conditions.mark_as(INGRESS_READY, ready)


def rollout_duration_s(route: Route, stock_s: int) -> int:
    """Return the whole seconds of the Route's annotation, else the instance's; 0 is at once."""
    annotations = route.metadata.annotations
    text = next((annotations[key] for key in ROLLOUT_DURATIONS if key in annotations), "")
    try:
        duration_s = int(parse_duration(text) / SECOND)  # towards zero, as Go's int()
    except ValueError:
        duration_s = 0
    return duration_s or stock_s


def tag_urls(
    route: Route, assigned: Assigned, domains: Domains, hidden: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Return the URL of each tag. Raise InvalidDomain."""
    meta = route.metadata
    names = {tag: hostname(domains, meta.name, tag) for tag in assigned.groups if tag}
    return {tag: url(domains, seen_as(meta, name, hidden), name) for tag, name in names.items()}


def mark_service_not_owned(conditions: Conditions, name: str) -> None:
    message = f"There is an existing placeholder Service {quoted(name)} that we do not own."
    conditions.mark_false(INGRESS_READY, NOT_OWNED, message)


def not_owned_before(route: Route, name: str) -> bool:
    """Tell whether the Route says already that this Service is in its way."""
    known = find(route.status.conditions, INGRESS_READY)
    return known is not None and known.reason == NOT_OWNED and quoted(name) in known.message


def _routes_of(service: CoreService, reader: Reader) -> tuple[Key, ...]:
    """Return the Route whose placeholder the Service is, else those that it is in the way of."""
    namespace = service.metadata.namespace
    if owner := service.metadata.labels.get(LABEL_ROUTE):
        return (Key(namespace, owner),)
    if service.metadata.owner_references:
        return ()  # a revision's
    return tuple(
        route.key
        for route in reader.list(Route, namespace)
        if not_owned_before(route, service.metadata.name)
    )


def mark_ingress_not_configured(conditions: Conditions) -> None:
    message = "Ingress has not yet been reconciled."
    conditions.mark_unknown(INGRESS_READY, "IngressNotConfigured", message)


def mark_rollout_in_progress(conditions: Conditions) -> None:
    message = "A gradual rollout of the latest revision(s) is in progress."
    conditions.mark_unknown(INGRESS_READY, "RolloutInProgress", message)


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
