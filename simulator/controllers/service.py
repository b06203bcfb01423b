"""Service → Configuration and Route of its name; their readiness back up.

Sources: knative/serving `pkg/reconciler/service`, `pkg/apis/serving/v1/service_lifecycle.go`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from simulator.reconciling.plan import Action, Create, Plan, Record, Update, UpdateStatus
from simulator.reconciling.reader import Reader
from simulator.resources.conditions import READY, TRUE, find
from simulator.resources.lifecycle import Conditions, ConditionSet
from simulator.resources.meta import (
    LAST_APPLIED,
    Key,
    ObjectMeta,
    Resource,
    controller_reference,
    is_controlled_by,
)
from simulator.resources.serving import (
    ANNOTATION_ROUTES,
    LABEL_CONFIGURATION_GENERATION,
    LABEL_SERVICE,
    LABEL_SERVICE_UID,
    ROLLOUT_DURATIONS,
    ROUTE_FINALIZER,
    Configuration,
    ConfigurationSpec,
    Revision,
    Route,
    RouteSpec,
    Service,
    TrafficTarget,
)

CONFIGURATIONS_READY, ROUTES_READY = "ConfigurationsReady", "RoutesReady"
CONDITIONS = ConditionSet((CONFIGURATIONS_READY, ROUTES_READY))

Child = TypeVar("Child", Configuration, Route)


class Observed(Struct, frozen=True):
    """A Service, and what bears its name; `named` is the revision that its template names."""

    service: Service
    configuration: Configuration | None = None
    route: Route | None = None
    named: Revision | None = None


class ServiceController:
    """Keeps a Service's Configuration and Route as the Service says."""

    name = "service"
    kind: type[Resource] = Service
    watches: tuple[type[Resource], ...] = (Configuration, Route)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        # A child bears its Service's name, and so does what stands in the way of one.
        return (changed.key,)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        service = reader.get(Service, *key)
        if service is None or service.is_deleting:
            return None
        template = service.spec.template.metadata
        return Observed(
            service=service,
            configuration=reader.get(Configuration, *key),
            route=reader.get(Route, *key),
            named=reader.get(Revision, key.namespace, template.name) if template.name else None,
        )

    def plan(self, observed: Observed, now: datetime) -> Plan:
        return _Work(observed, now).plan()


class _Work:
    """One plan in the making: the actions so far, and the status to write last."""

    def __init__(self, observed: Observed, now: datetime) -> None:
        self._observed = observed
        self._service = observed.service
        self._status = observed.service.status
        self._actions: list[Action] = []
        self._conditions = CONDITIONS.begin(
            self._status.conditions,
            observed.service.metadata.generation,
            self._status.observed_generation,
            now,
        )

    def plan(self) -> Plan:
        if self._configuration_allows_route():
            self._reconcile_route()
        status = msgspec.structs.replace(
            self._status,
            conditions=self._conditions.result(),
            observed_generation=self._service.metadata.generation,
        )
        if status != self._service.status:
            self._actions.append(
                UpdateStatus(msgspec.structs.replace(self._service, status=status))
            )
        return Plan(tuple(self._actions))

    def _configuration_allows_route(self) -> bool:
        found = self._observed.configuration
        desired = make_configuration(self._service, found)
        if found is not None and not is_controlled_by(found, self._service):
            self._not_owned(CONFIGURATIONS_READY, found)
            return False
        if found is None or not self._keep(found, desired):
            mark_out_of_date(self._conditions, CONFIGURATIONS_READY, "Configuration")
            if found is None:
                self._create(desired)
            # A named revision may clash: the Route waits until the Configuration has looked.
            return not self._service.spec.template.metadata.name
        self._propagate_configuration(found)
        name = self._service.spec.template.metadata.name
        if name and is_taken(self._observed.named, found):
            mark_revision_name_taken(self._conditions, name)
            return False
        return True

    def _propagate_configuration(self, configuration: Configuration) -> None:
        self._status = msgspec.structs.replace(
            self._status,
            latest_created_revision_name=configuration.status.latest_created_revision_name,
            latest_ready_revision_name=configuration.status.latest_ready_revision_name,
        )
        ready = find(configuration.status.conditions, READY)
        if ready is not None:
            self._conditions.mark_as(CONFIGURATIONS_READY, ready)

    def _reconcile_route(self) -> None:
        found = self._observed.route
        desired = make_route(self._service)
        if found is None:
            self._create(desired)
            mark_out_of_date(self._conditions, ROUTES_READY, "Route")
            return
        if not is_controlled_by(found, self._service):
            self._not_owned(ROUTES_READY, found)
            return
        if not self._keep(found, desired):
            mark_out_of_date(self._conditions, ROUTES_READY, "Route")
            return
        self._status = msgspec.structs.replace(
            self._status,
            annotations=found.status.annotations,
            url=found.status.url,
            address=found.status.address,
            traffic=found.status.traffic,
        )
        ready = find(found.status.conditions, READY)
        if ready is not None:
            self._conditions.mark_as(ROUTES_READY, ready)
        configuration = self._observed.configuration
        migrated = configuration is None or is_migrated(found, configuration)
        if self._conditions.is_(ROUTES_READY, TRUE) and not migrated:
            mark_traffic_not_migrated(self._conditions)

    def _create(self, child: Configuration | Route) -> None:
        self._actions.append(Create(child))
        message = f'Created {child.KIND} "{child.metadata.name}"'
        self._actions.append(Record(self._service, "Normal", "Created", message))

    def _keep(self, found: Child, desired: Child) -> bool:
        """Clobber the child if it is not as desired. Tell whether its status is up to date."""
        same_spec = found.spec == desired.spec
        same_metadata = (
            found.metadata.labels == desired.metadata.labels
            and found.metadata.annotations == desired.metadata.annotations
        )
        if not same_spec or not same_metadata:
            clobbered = msgspec.structs.replace(found, spec=desired.spec).with_metadata(
                labels=desired.metadata.labels, annotations=desired.metadata.annotations
            )
            self._actions.append(Update(clobbered))
        return same_spec and found.metadata.generation == found.status.observed_generation

    def _not_owned(self, condition: str, found: Configuration | Route) -> None:
        name = found.metadata.name
        message = f'There is an existing {found.KIND} "{name}" that we do not own.'
        known = find(self._service.status.conditions, condition)
        if known is None or known.message != message:
            told = (
                f'service: "{self._service.metadata.name}" does not own '
                f'{found.KIND.lower()}: "{name}"'
            )
            self._actions.append(Record(self._service, "Warning", "InternalError", told))
        self._conditions.mark_false(condition, "NotOwned", message)


def make_configuration(service: Service, existing: Configuration | None) -> Configuration:
    """Return the Service's Configuration; the routes noted on the existing one are kept."""
    meta = service.metadata
    excluded = (LAST_APPLIED, *ROLLOUT_DURATIONS)
    routes = _list_of(existing.metadata.annotations if existing else {}) | {meta.name}
    annotations = {k: v for k, v in meta.annotations.items() if k not in excluded}
    return Configuration(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels=meta.labels | {LABEL_SERVICE: meta.name, LABEL_SERVICE_UID: meta.uid},
            annotations=annotations | {ANNOTATION_ROUTES: ",".join(sorted(routes))},
            owner_references=(controller_reference(service),),
        ),
        spec=ConfigurationSpec(template=service.spec.template),
    )


def make_route(service: Service) -> Route:
    """Return the Service's Route. It is born with the labeler's finalizer: one write less."""
    meta = service.metadata
    traffic = tuple(
        entry
        if entry.revision_name
        else msgspec.structs.replace(entry, configuration_name=meta.name)
        for entry in service.spec.traffic
    )
    return Route(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels=meta.labels | {LABEL_SERVICE: meta.name},
            annotations={k: v for k, v in meta.annotations.items() if k != LAST_APPLIED},
            finalizers=(ROUTE_FINALIZER,),
            owner_references=(controller_reference(service),),
        ),
        spec=RouteSpec(traffic=traffic),
    )


def is_taken(named: Revision | None, configuration: Configuration) -> bool:
    """Tell whether the revision that the template names is another one than it describes."""
    if named is None:
        return False
    if not is_controlled_by(named, configuration):
        return True
    generation = named.metadata.labels.get(LABEL_CONFIGURATION_GENERATION)
    if generation == str(configuration.metadata.generation):
        return False
    return named.spec != configuration.spec.template.spec


def is_migrated(route: Route, configuration: Configuration) -> bool:
    """Tell whether the traffic that the Route reports is the traffic that it was asked for."""
    latest_ready = configuration.status.latest_ready_revision_name

    def asked(entry: TrafficTarget) -> tuple[str, str, str, int | None]:
        if entry.configuration_name == configuration.metadata.name:
            return entry.tag, latest_ready, "", entry.percent
        return entry.tag, entry.revision_name, entry.configuration_name, entry.percent

    def reported(entry: TrafficTarget) -> tuple[str, str, str, int | None]:
        return entry.tag, entry.revision_name, entry.configuration_name, entry.percent

    want = [asked(entry) for entry in route.spec.traffic]
    return want == [reported(entry) for entry in route.status.traffic]


def mark_out_of_date(conditions: Conditions, condition: str, child: str) -> None:
    message = f"The {child} is still working to reflect the latest desired specification."
    conditions.mark_unknown(condition, "OutOfDate", message)


def mark_revision_name_taken(conditions: Conditions, name: str) -> None:
    message = (
        f'The revision name "{name}" is taken by a conflicting Revision, '
        "so traffic will not be migrated"
    )
    conditions.mark_false(ROUTES_READY, "RevisionNameTaken", message)


def mark_traffic_not_migrated(conditions: Conditions) -> None:
    message = "Traffic is not yet migrated to the latest revision."
    conditions.mark_unknown(ROUTES_READY, "TrafficNotMigrated", message)


def _list_of(annotations: Mapping[str, str]) -> set[str]:
    return {name for name in annotations.get(ANNOTATION_ROUTES, "").split(",") if name}
