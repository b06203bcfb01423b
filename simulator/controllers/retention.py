"""Old revisions that get no traffic: how many, and for how long, are kept.

Source: knative/serving `pkg/reconciler/gc/gc.go`, `pkg/gc/config.go` (stock values).
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from simulator.controllers.settings import STOCK, ControllerSettings, Retention
from simulator.reconciling.plan import NOTHING, Delete, Plan
from simulator.reconciling.reader import Reader
from simulator.resources.meta import Key, Resource, parse_timestamp
from simulator.resources.serving import (
    ANNOTATION_NO_GC,
    ANNOTATION_ROUTING_STATE_MODIFIED,
    LABEL_CONFIGURATION,
    LABEL_ROUTING_STATE,
    ROUTING_RESERVE,
    Configuration,
    Revision,
)


class Observed(Struct, frozen=True):
    """A Configuration and its revisions."""

    configuration: Configuration
    revisions: tuple[Revision, ...]


class RetentionController:
    """Deletes a Configuration's revisions that nobody will miss."""

    name = "retention"
    kind: type[Resource] = Configuration
    watches: tuple[type[Resource], ...] = ()

    def __init__(self, settings: ControllerSettings = STOCK) -> None:
        self._retention = settings.retention

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        return (changed.key,)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        configuration = reader.get(Configuration, *key)
        if configuration is None or configuration.is_deleting:
            return None
        revisions = reader.list(Revision, key.namespace, {LABEL_CONFIGURATION: key.name})
        return Observed(configuration, tuple(revisions))

    def plan(self, observed: Observed, now: datetime) -> Plan:
        if len(observed.revisions) <= self._retention.min_non_active_revisions:
            return NOTHING
        doomed = to_delete(observed, self._retention, now)
        return Plan(tuple(Delete(revision) for revision in doomed), self._retention.look_again_s)


def to_delete(observed: Observed, retention: Retention, now: datetime) -> tuple[Revision, ...]:
    """Return the revisions to delete: stale ones above the minimum, then any above the maximum."""
    idle = sorted(
        (one for one in observed.revisions if not _is_active(one, observed.configuration)),
        key=last_active,
    )
    spare = len(idle) - retention.min_non_active_revisions
    if spare <= 0:
        return ()
    stale = [one for one in idle if _is_stale(one, retention, now)][:spare]
    names = {one.metadata.name for one in stale}
    rest = [one for one in idle if one.metadata.name not in names]
    excess = max(0, len(rest) - retention.max_non_active_revisions)
    return (*stale, *rest[:excess])


def last_active(revision: Revision) -> datetime:
    """Return when the routing state last changed, else when the revision was made."""
    modified = revision.metadata.annotations.get(ANNOTATION_ROUTING_STATE_MODIFIED, "")
    try:
        return parse_timestamp(modified)
    except ValueError:
        return _created(revision)


def _is_active(revision: Revision, configuration: Configuration) -> bool:
    meta = revision.metadata
    return (
        revision.is_deleting
        or configuration.status.latest_ready_revision_name == meta.name
        or meta.annotations.get(ANNOTATION_NO_GC, "").lower() == "true"
        or meta.labels.get(LABEL_ROUTING_STATE) != ROUTING_RESERVE
    )


def _is_stale(revision: Revision, retention: Retention, now: datetime) -> bool:
    since_create_s = (now - _created(revision)).total_seconds()
    since_active_s = (now - last_active(revision)).total_seconds()
    return (
        since_create_s >= retention.retain_since_create_s
        and since_active_s >= retention.retain_since_last_active_s
    )


def _created(revision: Revision) -> datetime:
    return parse_timestamp(revision.metadata.creation_timestamp or "")
