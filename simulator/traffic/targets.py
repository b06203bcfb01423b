"""Traffic entries to revisions, or the exact reason why a Route cannot follow them.

Source: knative/serving `pkg/reconciler/route/traffic/{traffic,errors}.go`, `route_lifecycle.go`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from simulator.resources.conditions import FALSE, UNKNOWN, Condition, find
from simulator.resources.conditions import READY as READY_CONDITION
from simulator.resources.serving import (
    LABEL_CONFIGURATION,
    LABEL_SERVICE,
    Configuration,
    Revision,
    Route,
    TrafficTarget,
    serving_container,
)

DEFAULT_GROUP = ""  # the targets behind the Route's own host; a tag names every other group


class Target(Struct, frozen=True):
    """One revision's part of the traffic. `percent` is 0 to 100."""

    revision_name: str
    percent: int
    tag: str = ""
    latest_revision: bool = False
    h2c: bool = False
    configuration_name: str = ""  # the revision's; "" of one that has none


class Assigned(Struct, frozen=True):
    """Where all traffic goes.

    `targets` are the entries in their order, equal ones (tag, revision, latest) merged.
    `groups` leads from "" and each tag to what its host serves, one target per revision.
    """

    targets: tuple[Target, ...]
    groups: dict[str, tuple[Target, ...]]


class BadTarget(Struct, frozen=True):
    """Why the traffic cannot be assigned: the condition AllTrafficAssigned."""

    status: str
    reason: str
    message: str


def assign(
    route: Route, configurations: Mapping[str, Configuration], revisions: Mapping[str, Revision]
) -> Assigned | BadTarget:
    """Resolve the Route's entries; the maps hold what its namespace has, by name.

    Of several bad entries the last that has failed counts, else the first that is not ready yet.
    """
    bad: BadTarget | None = None
    resolved: list[Target] = []
    for entry in route.spec.traffic:
        outcome = _resolve(entry, route, configurations, revisions)
        if isinstance(outcome, Target):
            resolved.append(outcome)
        elif outcome is not None and (bad is None or outcome.status == FALSE):
            bad = outcome
    if bad is not None:
        return bad
    groups: dict[str, list[Target]] = {}
    for target in resolved:
        groups.setdefault(DEFAULT_GROUP, []).append(target)
        if target.tag:
            groups.setdefault(target.tag, []).append(target)
    return Assigned(
        targets=_merged(resolved),
        groups={name: _consolidated(group) for name, group in groups.items()},
    )


def status_traffic(assigned: Assigned, urls: Mapping[str, str]) -> tuple[TrafficTarget, ...]:
    """Return status.traffic; `urls` leads from each tag to its URL."""
    return tuple(
        reported(target, target.revision_name, target.percent, urls) for target in assigned.targets
    )


def reported(target: Target, revision: str, percent: int, urls: Mapping[str, str]) -> TrafficTarget:
    """Return the entry of status.traffic for a revision that gets requests by this target."""
    return TrafficTarget(
        tag=target.tag,
        revision_name=revision,
        latest_revision=target.latest_revision,
        percent=percent,
        url=urls[target.tag] if target.tag else "",
    )


def names_in(traffic: Sequence[TrafficTarget]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of the configurations and of the revisions that the entries refer to."""
    return (
        frozenset(entry.configuration_name for entry in traffic if entry.configuration_name),
        frozenset(entry.revision_name for entry in traffic if entry.revision_name),
    )


def _resolve(
    entry: TrafficTarget,
    route: Route,
    configurations: Mapping[str, Configuration],
    revisions: Mapping[str, Revision],
) -> Target | BadTarget | None:
    if entry.revision_name:
        return _resolve_pinned(entry, route, configurations, revisions)
    if not entry.configuration_name:
        return None
    configuration = configurations.get(entry.configuration_name)
    if configuration is None:
        return _missing("Configuration", entry.configuration_name)
    latest_ready = configuration.status.latest_ready_revision_name
    if not latest_ready:
        return _configuration_not_ready(configuration)
    revision = revisions.get(latest_ready)
    if revision is None:
        return _missing("Revision", latest_ready)
    if not revision.is_ready:
        return _revision_not_ready(revision)
    return _target(entry, revision)


def _resolve_pinned(
    entry: TrafficTarget,
    route: Route,
    configurations: Mapping[str, Configuration],
    revisions: Mapping[str, Revision],
) -> Target | BadTarget:
    revision = revisions.get(entry.revision_name)
    if revision is None:
        return _missing("Revision", entry.revision_name)
    service = route.metadata.labels.get(LABEL_SERVICE, "")
    owner = revision.metadata.labels.get(LABEL_SERVICE, "")
    # A Service's route serves its own revisions only; a Route on its own may serve any.
    if service and service != owner:
        return _not_owned(entry.revision_name, service, owner)
    if not revision.is_ready:
        return _revision_not_ready(revision)
    configuration = revision.metadata.labels.get(LABEL_CONFIGURATION)
    if configuration is not None and configuration not in configurations:
        return _missing("Configuration", configuration)
    return _target(entry, revision)


def _target(entry: TrafficTarget, revision: Revision) -> Target:
    ports = serving_container(revision.spec).ports
    return Target(
        revision_name=revision.metadata.name,
        percent=entry.percent or 0,
        tag=entry.tag,
        latest_revision=bool(entry.latest_revision),
        h2c=bool(ports) and ports[0].name == "h2c",
        configuration_name=entry.configuration_name
        or revision.metadata.labels.get(LABEL_CONFIGURATION, ""),
    )


def _merged(targets: Sequence[Target]) -> tuple[Target, ...]:
    merged: dict[tuple[str, str, bool], Target] = {}
    for target in targets:
        key = (target.tag, target.revision_name, target.latest_revision)
        merged[key] = _plus(merged[key], target.percent) if key in merged else target
    return tuple(merged.values())


def _consolidated(group: Sequence[Target]) -> tuple[Target, ...]:
    """Return one target per revision, in order; a single one gets everything."""
    by_revision: dict[str, Target] = {}
    for target in group:
        known = by_revision.get(target.revision_name)
        by_revision[target.revision_name] = _plus(known, target.percent) if known else target
    targets = tuple(by_revision.values())
    if len(targets) == 1:
        return (msgspec.structs.replace(targets[0], percent=100),)
    return targets


def _plus(target: Target, percent: int) -> Target:
    return msgspec.structs.replace(target, percent=target.percent + percent)


def _missing(kind: str, name: str) -> BadTarget:
    return BadTarget(FALSE, f"{kind}Missing", f'{kind} "{name}" referenced in traffic not found.')


def _configuration_not_ready(configuration: Configuration) -> BadTarget:
    name = configuration.metadata.name
    if _has_failed(configuration.status.conditions):
        message = f'Configuration "{name}" does not have any ready Revision.'
        return BadTarget(FALSE, "RevisionMissing", message)
    message = f'Configuration "{name}" is waiting for a Revision to become ready.'
    return BadTarget(UNKNOWN, "RevisionMissing", message)


def _revision_not_ready(revision: Revision) -> BadTarget:
    name = revision.metadata.name
    if _has_failed(revision.status.conditions):
        message = f'Revision "{name}" failed to become ready.'
        return BadTarget(FALSE, "RevisionMissing", message)
    return BadTarget(UNKNOWN, "RevisionMissing", f'Revision "{name}" is not yet ready.')


def _has_failed(conditions: tuple[Condition, ...]) -> bool:
    ready = find(conditions, READY_CONDITION)
    return ready is not None and ready.status == FALSE


def _not_owned(revision: str, service: str, owner: str) -> BadTarget:
    if owner:
        message = f'Revision "{revision}" belongs to Service "{owner}", not Service "{service}".'
    else:
        message = f'Revision "{revision}" does not belong to Service "{service}".'
    return BadTarget(FALSE, "RevisionNotOwned", message)
