"""Which routes a change of a Configuration or Revision concerns."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.reconciling.reader import Reader
from simulator.resources.meta import Key, Resource
from simulator.resources.serving import (
    ANNOTATION_ROUTES,
    LABEL_CONFIGURATION,
    Revision,
    Route,
)


def routes_noted(annotations: Mapping[str, str]) -> frozenset[str]:
    """Return the names in the annotation by which the labeler marks what routes refer to."""
    return frozenset(name for name in annotations.get(ANNOTATION_ROUTES, "").split(",") if name)


def routes_concerned(changed: Resource, reader: Reader) -> tuple[Key, ...]:
    """Return the routes that refer to this Configuration or Revision, or did so until now."""
    meta = changed.metadata
    names = set(routes_noted(meta.annotations))
    is_revision = isinstance(changed, Revision)
    revision = meta.name if is_revision else ""
    configuration = meta.labels.get(LABEL_CONFIGURATION, "") if is_revision else meta.name
    for route in reader.list(Route, meta.namespace):
        for entry in route.spec.traffic + route.status.traffic:
            if (revision and entry.revision_name == revision) or (
                configuration and entry.configuration_name == configuration
            ):
                names.add(route.metadata.name)
                break
    return tuple(Key(meta.namespace, name) for name in sorted(names))
