"""Old revisions that get no traffic: how many, and for how long, are kept.

Source: knative/serving `pkg/reconciler/gc/gc.go`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from simulator.config.current import GC, config_of, is_config
from simulator.config.revisiongc import RevisionGcConfig
from simulator.reconciling.plan import NOTHING, Delete, Plan
from simulator.reconciling.reader import Reader
from simulator.resources.core import ConfigMap
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
    """A Configuration, its revisions, and what the operator wants kept."""

    configuration: Configuration
    revisions: tuple[Revision, ...]
    keeping: RevisionGcConfig = RevisionGcConfig()


class RetentionController:
    """Deletes a Configuration's revisions that nobody will miss."""

    name = "retention"
    kind: type[Resource] = Configuration
    watches: tuple[type[Resource], ...] = (Revision, ConfigMap)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if isinstance(changed, ConfigMap):
            known = reader.list(Configuration) if is_config(changed, GC) else ()
            return tuple(one.key for one in known)
        if isinstance(changed, Revision):
            meta = changed.metadata
            owner = meta.labels.get(LABEL_CONFIGURATION, "")
            is_idle = meta.labels.get(LABEL_ROUTING_STATE) == ROUTING_RESERVE
            return (Key(meta.namespace, owner),) if owner and is_idle else ()
        return (changed.key,)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        configuration = reader.get(Configuration, *key)
        if configuration is None or configuration.is_deleting:
            return None
        revisions = reader.list(Revision, key.namespace, {LABEL_CONFIGURATION: key.name})
        return Observed(configuration, tuple(revisions), config_of(reader).gc)

    def plan(self, observed: Observed, now: datetime) -> Plan:
        keeping = observed.keeping
        if keeping.is_disabled or len(observed.revisions) <= keeping.min_non_active_revisions:
            return NOTHING
        doomed = to_delete(observed, now)
        return Plan(
            tuple(Delete(revision) for revision in doomed), next_stale_s(observed, doomed, now)
        )


def to_delete(observed: Observed, now: datetime) -> tuple[Revision, ...]:
    """Return the revisions to delete: stale ones above the minimum, then any above the maximum."""
    keeping, idle = observed.keeping, _idle(observed)
    spare = len(idle) - keeping.min_non_active_revisions
    if spare <= 0:
        return ()
    stale = [one for one in idle if _left_s(one, keeping, now) <= 0][:spare]
    if len(stale) == spare or keeping.max_non_active_revisions is None:
        return tuple(stale)
    names = {one.metadata.name for one in stale}
    rest = [one for one in idle if one.metadata.name not in names]
    excess = max(0, len(rest) - keeping.max_non_active_revisions)
    return (*stale, *rest[:excess])


def next_stale_s(observed: Observed, doomed: Sequence[Revision], now: datetime) -> float | None:
    """Return the seconds until one of those that stay may be too old; None when none ever is."""
    idle = [one for one in _idle(observed) if one not in doomed]
    if len(idle) <= observed.keeping.min_non_active_revisions:
        return None
    left_s = min(_left_s(one, observed.keeping, now) for one in idle)
    return max(0.0, left_s) if left_s < math.inf else None


def _idle(observed: Observed) -> list[Revision]:
    """Return those that get no traffic, the one that got none for longest first."""
    return sorted(
        (one for one in observed.revisions if not _is_active(one, observed.configuration)),
        key=last_active,
    )


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


def _left_s(revision: Revision, keeping: RevisionGcConfig, now: datetime) -> float:
    """Return for how many seconds the revision is not stale yet; infinite when it never is."""
    if not keeping.knows_staleness:
        return math.inf
    since_create_s = (now - _created(revision)).total_seconds()
    since_active_s = (now - last_active(revision)).total_seconds()
    left = [
        retained_s - since_s
        for retained_s, since_s in (
            (keeping.retain_since_create_time_s, since_create_s),
            (keeping.retain_since_last_active_time_s, since_active_s),
        )
        if retained_s is not None
    ]
    return max(left)


def _created(revision: Revision) -> datetime:
    return parse_timestamp(revision.metadata.creation_timestamp or "")
