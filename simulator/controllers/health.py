"""What a revision's Pods say about it: its conditions, as Knative words them.

Sources: knative/serving `v1/revision_lifecycle.go`, `pkg/reconciler/revision/`
`reconcile_resources.go`, `pkg/reconciler/autoscaling/kpa/kpa.go` (`computeActiveCondition`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from simulator.controllers.replicas import is_ready, replica_set_name
from simulator.resources.conditions import FALSE, TRUE
from simulator.resources.core import ContainerStatus, Pod, Terminated
from simulator.resources.durations import SECOND, parse_duration
from simulator.resources.lifecycle import Conditions, ConditionSet
from simulator.resources.meta import parse_timestamp
from simulator.resources.serving import ANNOTATION_PROGRESS_DEADLINE, Revision

RESOURCES_AVAILABLE, CONTAINER_HEALTHY = "ResourcesAvailable", "ContainerHealthy"
ACTIVE = "Active"
CONDITIONS = ConditionSet((RESOURCES_AVAILABLE, CONTAINER_HEALTHY))

DEPLOYING = "Deploying"
RESOLVING_DIGESTS = "ResolvingDigests"
PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"


class Situation(Struct, frozen=True):
    """A revision's replicas at one moment. `wanted` is 0 when nothing needs it."""

    revision: Revision
    pods: tuple[Pod, ...]  # those that are not being deleted
    wanted: int
    deadline_s: float

    @property
    def ready(self) -> int:
        return sum(map(is_ready, self.pods))


def judge(situation: Situation, conditions: Conditions, now: datetime) -> float | None:
    """Mark what the replicas show. Return the seconds until a deadline may change it, or None.

    A deployment that completed once is never late again; whether its containers are healthy is
    asked for as long as it has any (serving, `reconcile_resources.go`).
    """
    look_again_s = None
    if conditions.is_(RESOURCES_AVAILABLE, TRUE):
        _judge_running(situation, conditions)
    else:
        look_again_s = _judge_start(situation, conditions, now)
    _mark_active(situation, conditions)
    return look_again_s


def progress_deadline_s(revision: Revision, default_s: float) -> float:
    """Return the seconds that a revision has to become ready."""
    text = revision.metadata.annotations.get(ANNOTATION_PROGRESS_DEADLINE)
    if text is None:
        return default_s
    try:
        return parse_duration(text) / SECOND
    except ValueError:  # admission refuses it; an object may be older than the rule
        return default_s


def mark_deploying(conditions: Conditions) -> None:
    """The replicas are about to be made."""
    conditions.mark_unknown(RESOURCES_AVAILABLE, DEPLOYING)
    conditions.mark_unknown(CONTAINER_HEALTHY, DEPLOYING)
    conditions.mark_unknown(ACTIVE, DEPLOYING)


def mark_container_missing(conditions: Conditions, image: str, why: str) -> None:
    message = f'Unable to fetch image "{image}": failed to resolve image to digest: {why}'
    conditions.mark_unknown(RESOURCES_AVAILABLE, RESOLVING_DIGESTS)
    conditions.mark_false(CONTAINER_HEALTHY, "ContainerMissing", message)


def mark_container_exited(conditions: Conditions, terminated: Terminated) -> None:
    message = terminated.message
    if terminated.exit_code == 0 and not message:
        message = "container exited with no error"
    reason = f"ExitCode{terminated.exit_code}"
    conditions.mark_false(CONTAINER_HEALTHY, reason, f"Container failed with: {message}")


def _judge_running(situation: Situation, conditions: Conditions) -> None:
    """Follow a revision that was ready: unhealthy while none of its replicas is, after a crash."""
    if situation.ready:
        conditions.mark_true(CONTAINER_HEALTHY)
    elif situation.wanted and situation.pods:
        _mark_first_trouble(situation.pods, conditions, timed_out=False)


def _judge_start(situation: Situation, conditions: Conditions, now: datetime) -> float | None:
    """Follow a revision that was never ready. The order of marks is Knative's: the last wins."""
    # The stored time of creation has lost its fraction of a second: none is failed too early.
    left_s = situation.deadline_s + 1 - (now - _start_of(situation)).total_seconds()
    timed_out = left_s <= 0
    if situation.wanted and situation.ready >= situation.wanted:
        conditions.mark_true(RESOURCES_AVAILABLE)
        conditions.mark_true(CONTAINER_HEALTHY)
        return None
    if timed_out and situation.wanted:
        message = f'ReplicaSet "{replica_set_name(situation.revision)}" has timed out progressing.'
        conditions.mark_false(RESOURCES_AVAILABLE, PROGRESS_DEADLINE_EXCEEDED, message)
    elif timed_out:
        # A cluster has scaled it to zero by now, for good.
        message = "Initial scale was never achieved"
        if not conditions.is_(CONTAINER_HEALTHY, FALSE):
            conditions.mark_false(RESOURCES_AVAILABLE, PROGRESS_DEADLINE_EXCEEDED, message)
    else:
        conditions.mark_unknown(RESOURCES_AVAILABLE, DEPLOYING)
    if situation.ready:
        conditions.mark_true(CONTAINER_HEALTHY)
    elif situation.pods:
        _mark_first_trouble(situation.pods, conditions, timed_out=timed_out)
    return None if timed_out else left_s


def _start_of(situation: Situation) -> datetime:
    """Return when the oldest live replica was made, or the revision itself."""
    created = [pod.metadata.creation_timestamp for pod in situation.pods]
    known = [moment for moment in created if moment] or [
        situation.revision.metadata.creation_timestamp or ""
    ]
    return parse_timestamp(min(known))


def _mark_first_trouble(pods: Sequence[Pod], conditions: Conditions, *, timed_out: bool) -> None:
    """Mark why the first container in trouble does not run; as all do the same, one will do."""
    for status in (status for pod in pods for status in pod.status.container_statuses):
        if terminated := _terminated(status):
            mark_container_exited(conditions, terminated)
            return
        waiting = status.state.waiting
        if waiting is not None and timed_out:
            conditions.mark_false(RESOURCES_AVAILABLE, waiting.reason, waiting.message)
            return


def _terminated(status: ContainerStatus) -> Terminated | None:
    return status.last_state.terminated or status.state.terminated


def _mark_active(situation: Situation, conditions: Conditions) -> None:
    if not situation.wanted:
        conditions.mark_false(ACTIVE, "NoTraffic", "The target is not receiving traffic.")
    elif situation.ready >= situation.wanted:
        conditions.mark_true(ACTIVE)
    else:
        message = "Requests to the target are being buffered as resources are provisioned."
        conditions.mark_unknown(ACTIVE, "Queued", message)
