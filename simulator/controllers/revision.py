"""Revision → its image's program → Pods; what they show → its conditions.

Sources: knative/serving `pkg/reconciler/revision`, `v1/revision_lifecycle.go`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.controllers.health import (
    CONDITIONS,
    CONTAINER_HEALTHY,
    Situation,
    judge,
    mark_container_missing,
    mark_deploying,
    progress_deadline_s,
)
from simulator.controllers.references import (
    Mentions,
    is_marked,
    is_meant_by_any,
    is_needed,
    mentions_concerning,
)
from simulator.controllers.replicas import replicas_when_needed, to_reach
from simulator.controllers.settings import STOCK, ControllerSettings
from simulator.images import ImageMap, image_digest, known_digests
from simulator.reconciling.plan import Action, Create, Delete, Plan, Record, UpdateStatus
from simulator.reconciling.reader import Reader
from simulator.resources.conditions import READY, TRUE, find, is_true
from simulator.resources.core import Pod
from simulator.resources.lifecycle import Conditions
from simulator.resources.meta import Key, Resource
from simulator.resources.podspec import Container
from simulator.resources.serving import (
    LABEL_CONFIGURATION,
    Configuration,
    ContainerDigest,
    Revision,
    RevisionStatus,
)


class Observed(Struct, frozen=True):
    """A Revision, its Configuration and its Pods; what Routes say that do not have it marked.

    While its images have no digests, also the map of images and the Configuration's other
    revisions, whose digests it may name.
    """

    revision: Revision
    configuration: Configuration | None = None
    pods: tuple[Pod, ...] = ()
    mentions: tuple[Mentions, ...] = ()
    siblings: tuple[Revision, ...] = ()
    images: ImageMap = ImageMap()


class RevisionController:
    """Keeps the replicas that a revision needs; `images` gives the map as it is now."""

    name = "revision"
    kind: type[Resource] = Revision
    watches: tuple[type[Resource], ...] = (Pod, Configuration)

    def __init__(
        self, images: Callable[[], ImageMap], settings: ControllerSettings = STOCK
    ) -> None:
        self._images = images
        self._settings = settings

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if isinstance(changed, Revision):
            return (changed.key,)
        namespace = changed.metadata.namespace
        if isinstance(changed, Configuration):
            # Which revision is the latest decides who is needed: that one, and those that run.
            labels = {LABEL_CONFIGURATION: changed.metadata.name}
            names = dict.fromkeys(
                owner for pod in reader.list(Pod, namespace, labels) for owner in _owners(pod)
            )
            names[changed.status.latest_created_revision_name] = None
            return tuple(Key(namespace, name) for name in names if name)
        return tuple(Key(namespace, name) for name in _owners(changed))

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        revision = reader.get(Revision, *key)
        if revision is None or revision.is_deleting:
            return None
        name = revision.metadata.labels.get(LABEL_CONFIGURATION, "")
        observed = Observed(
            revision=revision,
            configuration=reader.get(Configuration, key.namespace, name) if name else None,
            pods=tuple(reader.owned_by(Pod, revision.uid)),
            mentions=() if is_marked(revision) else mentions_concerning(revision, reader),
        )
        if _has_digests(revision):
            return observed
        siblings = reader.list(Revision, key.namespace, {LABEL_CONFIGURATION: name})
        return msgspec.structs.replace(
            observed,
            siblings=tuple(one for one in siblings if one.uid != revision.uid),
            images=self._images(),
        )

    def plan(self, observed: Observed, now: datetime) -> Plan:
        revision = observed.revision
        status = revision.status
        conditions = CONDITIONS.begin(
            status.conditions, revision.metadata.generation, status.observed_generation, now
        )
        if not _has_digests(revision):
            resolved = _resolve(observed)
            if isinstance(resolved, Container):
                mark_container_missing(conditions, resolved.image)
                plan = _write(revision, status, conditions, _tell_missing(revision, conditions))
                return Plan(plan.actions, self._settings.image_retry_s)
            status = msgspec.structs.replace(
                status,
                container_statuses=resolved[: len(revision.spec.containers)],
                init_container_statuses=resolved[len(revision.spec.containers) :],
            )
        needed = is_needed(revision, observed.configuration, observed.mentions)
        wanted = replicas_when_needed(revision, self._settings.replicas_max) if needed else 0
        change = to_reach(wanted, revision, observed.pods)
        actions: list[Action] = [Create(pod) for pod in change.create]
        actions += [Delete(pod) for pod in change.delete]
        situation = Situation(
            revision=revision,
            pods=tuple(pod for pod in observed.pods if not pod.is_deleting),
            wanted=wanted,
            deadline_s=progress_deadline_s(revision, self._settings.progress_deadline_s),
        )
        look_again_s: float | None = None
        if change.create and not situation.pods and not is_true(status.conditions):
            mark_deploying(conditions)
        else:
            look_again_s = judge(situation, conditions, now)
        status = msgspec.structs.replace(
            status, actual_replicas=situation.ready, desired_replicas=wanted
        )
        if is_meant_by_any(observed.mentions, revision, observed.configuration):
            # The labeler is about to mark it, or knows by now that nobody means it: not woken by
            # Routes, it must look for itself.
            look_again_s = min(look_again_s or math.inf, self._settings.unmarked_retry_s)
        plan = _write(revision, status, conditions, actions)
        return Plan(plan.actions, look_again_s)


def _resolve(observed: Observed) -> tuple[ContainerDigest, ...] | Container:
    """Return the digests of all containers' images, or the first container without one."""
    digests = known_digests(_pinned(observed.siblings))
    spec = observed.revision.spec
    resolved = []
    for container in (*spec.containers, *spec.init_containers):
        program = observed.images.resolve(container.image, digests)
        if program is None:
            return container
        resolved.append(ContainerDigest(container.name, image_digest(container.image, program)))
    return tuple(resolved)


def _tell_missing(revision: Revision, conditions: Conditions) -> list[Action]:
    """Return the Event about an image that was not found, unless it was told before."""
    before = find(revision.status.conditions, CONTAINER_HEALTHY)
    after = conditions.find(CONTAINER_HEALTHY)
    if after is None or (before is not None and before.message == after.message):
        return []
    return [Record(revision, "Warning", "InternalError", after.message)]


def _write(
    revision: Revision, status: RevisionStatus, conditions: Conditions, actions: list[Action]
) -> Plan:
    status = msgspec.structs.replace(
        status,
        conditions=conditions.result(),
        observed_generation=revision.metadata.generation,
    )
    if status != revision.status:
        actions.append(UpdateStatus(msgspec.structs.replace(revision, status=status)))
    if conditions.is_(READY, TRUE) and not revision.is_ready:
        message = "Revision becomes ready upon all resources being ready"
        actions.append(Record(revision, "Normal", "RevisionReady", message))
    return Plan(tuple(actions))


def _has_digests(revision: Revision) -> bool:
    known = revision.status.container_statuses + revision.status.init_container_statuses
    return len(known) == len(revision.spec.containers) + len(revision.spec.init_containers)


def _pinned(siblings: tuple[Revision, ...]) -> Iterator[tuple[str, str]]:
    """Yield (reference, digest) of every container, oldest revision first."""
    for sibling in sorted(siblings, key=_age):
        digests = {one.name: one.image_digest for one in sibling.status.container_statuses}
        for container in sibling.spec.containers:
            yield container.image, digests.get(container.name, "")


def _age(revision: Revision) -> tuple[str, str]:
    return revision.metadata.creation_timestamp or "", revision.metadata.name


def _owners(pod: Resource) -> Iterator[str]:
    for reference in pod.metadata.owner_references:
        if reference.kind == Revision.KIND:
            yield reference.name
