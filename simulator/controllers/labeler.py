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

from simulator.controllers.references import (
    is_marked,
    is_meant,
    mentions_of,
    routes_concerned,
    routes_noted,
)
from simulator.reconciling.plan import Action, Plan, Record, Update
from simulator.reconciling.reader import Reader
from simulator.resources.conditions import READY, UNKNOWN, find
from simulator.resources.meta import Key, Resource, timestamp
from simulator.resources.networking import Ingress
from simulator.resources.serving import (
    ANNOTATION_ROUTES,
    ANNOTATION_ROUTING_STATE_MODIFIED,
    LABEL_CONFIGURATION,
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
        mentions = mentions_of(route, observed.ingress)
        known = {one.metadata.name: one for one in observed.configurations}
        configurations = set(mentions.followed)
        settled, name = is_settled(route), route.metadata.name
        for revision in observed.revisions:
            own = known.get(revision.metadata.labels.get(LABEL_CONFIGURATION, ""))
            listed = is_meant(mentions, revision, own)
            if listed and own is not None:
                configurations.add(own.metadata.name)
            if listed or (settled and is_marked(revision)):
                actions += _update(revision, _noted_and_stated(revision, name, now, listed=listed))
        for configuration in observed.configurations:
            listed = configuration.metadata.name in configurations
            if listed or settled:
                actions += _update(configuration, _noted(configuration, name, listed=listed))
        return Plan(tuple(actions))


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
        if is_marked(revision):
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
