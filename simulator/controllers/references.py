"""Which revisions a Route refers to, hence who has to run, and which Routes a change concerns.

The labeler marks what is meant here, replicas run for it, and Routes are woken by it: there is no
other opinion about who is needed. A Route may be read a moment before it follows a change of what
it refers to, so everything counts that it names, is served by, or is about to move to.
Source of the marks: knative/serving `pkg/reconciler/labeler/metasync.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from simulator.reconciling.reader import Reader
from simulator.resources.meta import Key, Resource, is_controlled_by
from simulator.resources.networking import Ingress, revisions_of
from simulator.resources.serving import (
    ANNOTATION_ROUTES,
    LABEL_CONFIGURATION,
    LABEL_CONFIGURATION_GENERATION,
    LABEL_ROUTING_STATE,
    LABEL_SERVICE,
    ROUTING_ACTIVE,
    Configuration,
    Revision,
    Route,
)


class Mentions(Struct, frozen=True):
    """What a Route and its Ingress name: revisions, and configurations whose newest they follow.

    `service` is the Service whose revisions may be meant; "" is any, of a Route on its own.
    """

    revisions: frozenset[str] = frozenset()
    followed: frozenset[str] = frozenset()
    service: str = ""


def mentions_of(route: Route, ingress: Ingress | None) -> Mentions:
    """Return what is named: in the spec, in the status, in what is served and is to be served.

    The Ingress has the revisions that a gradual rollout is on its way from. One that an earlier
    Route of this name left behind says nothing.
    """
    entries = (*route.spec.traffic, *route.status.traffic)
    named = {entry.revision_name for entry in entries if entry.revision_name}
    if ingress is not None and is_controlled_by(ingress, route):
        named |= revisions_of(ingress.spec.rules) | revisions_of(ingress.status.programmed)
    return Mentions(
        revisions=frozenset(named),
        followed=frozenset(
            entry.configuration_name
            for entry in entries
            if entry.configuration_name and not entry.revision_name
        ),
        service=route.metadata.labels.get(LABEL_SERVICE, ""),
    )


def is_meant(mentions: Mentions, revision: Revision, configuration: Configuration | None) -> bool:
    """Tell whether these mentions mean the revision; `configuration` is the revision's own.

    With a Configuration that is followed, those that traffic goes to next: its latest ready one,
    its latest created one, and the one of its present generation, which may become both.
    """
    if mentions.service not in ("", revision.metadata.labels.get(LABEL_SERVICE)):
        return False
    if revision.metadata.name in mentions.revisions:
        return True
    if configuration is None or configuration.metadata.name not in mentions.followed:
        return False
    return is_latest_created(revision, configuration) or (
        configuration.status.latest_ready_revision_name == revision.metadata.name
    )


def is_meant_by_any(
    mentions: Iterable[Mentions], revision: Revision, configuration: Configuration | None
) -> bool:
    """Tell whether one of these mentions means the revision."""
    return any(is_meant(one, revision, configuration) for one in mentions)


def is_needed(
    revision: Revision, configuration: Configuration | None, mentions: Iterable[Mentions]
) -> bool:
    """Tell whether the revision has to run; `mentions` are those of the Routes it may concern.

    It does when a Route means it, or has it marked since it did; and the newest generation runs
    in any case, or nobody would ever know whether it can.
    """
    if revision.is_deleting:
        return False
    if is_marked(revision) or is_meant_by_any(mentions, revision, configuration):
        return True
    return configuration is not None and is_latest_created(revision, configuration)


def is_latest_created(revision: Revision, configuration: Configuration) -> bool:
    """Tell whether it is the newest of its Configuration, noted there already or not."""
    meta = revision.metadata
    if configuration.status.latest_created_revision_name == meta.name:
        return True
    generation = meta.labels.get(LABEL_CONFIGURATION_GENERATION)
    return generation == str(configuration.metadata.generation)


def is_marked(revision: Revision) -> bool:
    """Tell whether the labeler says that a Route refers to the revision."""
    return revision.metadata.labels.get(LABEL_ROUTING_STATE) == ROUTING_ACTIVE


def routes_noted(annotations: Mapping[str, str]) -> frozenset[str]:
    """Return the names in the annotation by which the labeler marks what routes refer to."""
    return frozenset(name for name in annotations.get(ANNOTATION_ROUTES, "").split(",") if name)


def routes_concerned(changed: Resource, reader: Reader) -> tuple[Key, ...]:
    """Return the routes that refer to this Configuration or Revision, or did so until now."""
    meta = changed.metadata
    names = set(routes_noted(meta.annotations))
    configuration = meta.name
    if isinstance(changed, Revision):
        found = reader.naming(Route, meta.namespace, Revision.KIND, meta.name)
        names |= {route.metadata.name for route in found}
        configuration = meta.labels.get(LABEL_CONFIGURATION, "")
    if configuration:
        found = reader.naming(Route, meta.namespace, Configuration.KIND, configuration)
        names |= {route.metadata.name for route in found}
    return tuple(Key(meta.namespace, name) for name in sorted(names))


def mentions_concerning(revision: Revision, reader: Reader) -> tuple[Mentions, ...]:
    """Return the mentions of every Route that may mean the revision."""
    found = (
        (reader.get(Route, *key), reader.get(Ingress, *key))
        for key in routes_concerned(revision, reader)
    )
    return tuple(
        mentions_of(route, ingress)
        for route, ingress in found
        if route is not None and not route.is_deleting
    )
