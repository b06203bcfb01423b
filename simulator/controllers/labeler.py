"""Marks what a Route refers to: `routes` annotations and the routing state of revisions.

A revision keeps its mark until the Route has settled at its present generation, and for as long as
the gateway serves it: a Route that failed may still be served as it was before. So nothing is
stopped that traffic may go to. The Route's finalizer takes all marks away.
Source: knative/serving `pkg/reconciler/labeler`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from simulator.controllers.references import routes_concerned, routes_noted
from simulator.reconciling.plan import Action, Plan, Record, Update
from simulator.reconciling.reader import Reader
from simulator.resources.conditions import READY, UNKNOWN, find
from simulator.resources.meta import Key, Resource, is_controlled_by, timestamp
from simulator.resources.networking import Ingress
from simulator.resources.serving import (
    ANNOTATION_ROUTES,
    ANNOTATION_ROUTING_STATE_MODIFIED,
    LABEL_ROUTING_STATE,
    LABEL_SERVICE,
    ROUTE_FINALIZER,
    ROUTING_ACTIVE,
    ROUTING_RESERVE,
    Configuration,
    Revision,
    Route,
)

Marked = TypeVar("Marked", Configuration, Revision)


class Observed(Struct, frozen=True):
    """A Route, what there is that it refers to or that is marked with its name, its Ingress."""

    route: Route
    configurations: tuple[Configuration, ...] = ()
    revisions: tuple[Revision, ...] = ()
    ingress: Ingress | None = None


class LabelerController:
    """Keeps the marks of what a Route refers to."""

    name = "labeler"
    kind: type[Resource] = Route
    watches: tuple[type[Resource], ...] = (Configuration, Revision, Ingress)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if isinstance(changed, (Route, Ingress)):  # an Ingress bears its Route's name
            return (changed.key,)
        return routes_concerned(changed, reader)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        route = reader.get(Route, *key)
        if route is None:
            return None
        # What a Service's route may refer to has the Service's label; the list is then short.
        service = route.metadata.labels.get(LABEL_SERVICE)
        labels = {LABEL_SERVICE: service} if service else None
        return Observed(
            route=route,
            configurations=tuple(reader.list(Configuration, key.namespace, labels)),
            revisions=tuple(reader.list(Revision, key.namespace, labels)),
            ingress=reader.get(Ingress, *key),
        )

    def plan(self, observed: Observed, now: datetime) -> Plan:
        route = observed.route
        if route.is_deleting:
            return _finalize(observed, now)
        actions: list[Action] = []
        if ROUTE_FINALIZER not in route.metadata.finalizers:
            finalizers = (*route.metadata.finalizers, ROUTE_FINALIZER)
            actions.append(Update(route.with_metadata(finalizers=finalizers)))
            message = f'Updated "{route.metadata.name}" finalizers'
            actions.append(Record(route, "Normal", "FinalizerUpdate", message))
        configurations, revisions = referred_to(observed)
        revisions |= served(observed)
        settled = is_settled(route)
        name = route.metadata.name
        for configuration in observed.configurations:
            listed = configuration.metadata.name in configurations
            if listed or settled:
                actions += _update(configuration, _noted(configuration, name, listed=listed))
        for revision in observed.revisions:
            listed = revision.metadata.name in revisions
            if listed or (settled and _is_active(revision)):
                actions += _update(revision, _noted_and_stated(revision, name, now, listed=listed))
        return Plan(tuple(actions))


def referred_to(observed: Observed) -> tuple[set[str], set[str]]:
    """Return the names of the configurations and revisions that the Route refers to.

    With an entry for the latest revision, the latest created one is among them already.
    """
    known = {one.metadata.name: one for one in observed.configurations}
    owner_of = {one.metadata.name: _configuration_of(one) for one in observed.revisions}
    configurations: set[str] = set()
    revisions: set[str] = set()
    route = observed.route
    for entry in route.status.traffic + route.spec.traffic:
        configuration_name = entry.configuration_name
        if entry.revision_name:
            if entry.revision_name not in owner_of:
                continue
            revisions.add(entry.revision_name)
            configuration_name = owner_of[entry.revision_name] or configuration_name
        configuration = known.get(configuration_name)
        if configuration is None:
            continue
        configurations.add(configuration_name)
        latest_created = configuration.status.latest_created_revision_name
        if latest_created in owner_of and entry.latest_revision:
            revisions.add(latest_created)
    return configurations, revisions


def served(observed: Observed) -> set[str]:
    """Return the names of the revisions that the gateway sends the Route's requests to now."""
    ingress = observed.ingress
    if ingress is None or not is_controlled_by(ingress, observed.route):
        return set()
    return {
        split.service_name
        for rule in ingress.status.programmed
        for path in rule.http.paths
        for split in path.splits
    }


def is_settled(route: Route) -> bool:
    """Tell whether the Route is Ready or has failed at its present generation."""
    ready = find(route.status.conditions, READY)
    observed = route.status.observed_generation == route.metadata.generation
    return observed and ready is not None and ready.status != UNKNOWN


def _finalize(observed: Observed, now: datetime) -> Plan:
    route = observed.route
    if ROUTE_FINALIZER not in route.metadata.finalizers:
        return Plan()
    name = route.metadata.name
    actions: list[Action] = []
    for configuration in observed.configurations:
        actions += _update(configuration, _noted(configuration, name, listed=False))
    for revision in observed.revisions:
        if _is_active(revision):
            new = _noted_and_stated(revision, name, now, listed=False)
            actions += _update(revision, new)
    if actions:
        # The Route goes only when all marks are known to be gone: look again, then let it.
        return Plan(tuple(actions), requeue_after_s=0.0)
    finalizers = tuple(one for one in route.metadata.finalizers if one != ROUTE_FINALIZER)
    return Plan((Update(route.with_metadata(finalizers=finalizers)),))


def _noted(marked: Marked, route: str, *, listed: bool) -> Marked:
    """Return the object with the route's name in its annotation, or without."""
    before = routes_noted(marked.metadata.annotations)
    after = before | {route} if listed else before - {route}
    if after == before:
        return marked
    annotations = {k: v for k, v in marked.metadata.annotations.items() if k != ANNOTATION_ROUTES}
    if after:
        annotations[ANNOTATION_ROUTES] = ",".join(sorted(after))
    return marked.with_metadata(annotations=annotations)


def _noted_and_stated(revision: Revision, route: str, now: datetime, *, listed: bool) -> Revision:
    """Return the revision as `_noted`, in the routing state that follows from it."""
    noted = _noted(revision, route, listed=listed)
    has_routes = bool(noted.metadata.annotations.get(ANNOTATION_ROUTES))
    state = ROUTING_ACTIVE if has_routes else ROUTING_RESERVE
    if noted.metadata.labels.get(LABEL_ROUTING_STATE) == state:
        return noted
    return noted.with_metadata(
        labels=noted.metadata.labels | {LABEL_ROUTING_STATE: state},
        annotations=noted.metadata.annotations
        | {ANNOTATION_ROUTING_STATE_MODIFIED: timestamp(now)},
    )


def _update(old: Marked, new: Marked) -> list[Action]:
    return [] if new is old else [Update(new)]


def _is_active(revision: Revision) -> bool:
    return revision.metadata.labels.get(LABEL_ROUTING_STATE) == ROUTING_ACTIVE


def _configuration_of(revision: Revision) -> str:
    for reference in revision.metadata.owner_references:
        if reference.controller and reference.kind == Configuration.KIND:
            return reference.name
    return ""
