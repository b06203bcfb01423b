"""Revision → its image's program → Pods; what they show → its conditions.

Sources: knative/serving `pkg/reconciler/revision`, `v1/revision_lifecycle.go`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.config.current import (
    AUTOSCALER,
    DEPLOYMENT,
    OBSERVABILITY,
    Config,
    config_of,
    is_config,
)
from simulator.config.current import STOCK as STOCK_CONFIG
from simulator.controllers.health import (
    CONDITIONS,
    CONTAINER_HEALTHY,
    RESOURCES_AVAILABLE,
    Situation,
    judge,
    mark_container_missing,
    mark_deploying,
    progress_deadline_s,
)
from simulator.controllers.imagecaches import (
    Registry,
    containers_of,
    has_images,
    image_names,
    missing_images,
    resolve,
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
from simulator.imagecache import pinned
from simulator.images import ImageMap
from simulator.reconciling.plan import Action, Create, Delete, Plan, Record, UpdateStatus
from simulator.reconciling.reader import Reader
from simulator.resources.caching import Image
from simulator.resources.conditions import READY, TRUE, find, is_true
from simulator.resources.core import ConfigMap, Pod
from simulator.resources.lifecycle import Conditions
from simulator.resources.meta import Key, Resource
from simulator.resources.podspec import Container
from simulator.resources.serving import (
    LABEL_CONFIGURATION,
    Configuration,
    Revision,
    RevisionStatus,
)

# Of the operator's maps those that say something about revisions.
_CONFIGS = (AUTOSCALER, DEPLOYMENT, OBSERVABILITY)


class Observed(Struct, frozen=True):
    """A Revision, its Configuration and its Pods; what Routes say that do not have it marked.

    While one of its Images is missing, also what is known of images.
    """

    revision: Revision
    configuration: Configuration | None = None
    pods: tuple[Pod, ...] = ()
    mentions: tuple[Mentions, ...] = ()
    cached: tuple[Image, ...] = ()
    registry: Registry = Registry()
    config: Config = STOCK_CONFIG


class RevisionController:
    """Keeps the replicas that a revision needs; `images` gives the map as it is now."""

    name = "revision"
    kind: type[Resource] = Revision
    watches: tuple[type[Resource], ...] = (Pod, Configuration, Image, ConfigMap)

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
        if isinstance(changed, ConfigMap):
            known = reader.list(Revision) if is_config(changed, *_CONFIGS) else ()
            return tuple(one.key for one in known)
        if isinstance(changed, Image) and reader.get(Image, *changed.key) is not None:
            return ()  # only one that is gone concerns us
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
            cached=_images_of(revision, reader),
            config=config_of(reader),
        )
        if _has_digests(revision) and has_images(revision, observed.cached):
            return observed
        references = [one.image for one in containers_of(revision)]
        by_digest = any("@" in reference for reference in references)
        registry = Registry(
            images=self._images(),
            pinned=pinned(reader.list(Image)) if by_digest else {},
            skipping=observed.config.deployment.registries_skipping_tag_resolving,
        )
        return msgspec.structs.replace(observed, registry=registry)

    def plan(self, observed: Observed, now: datetime) -> Plan:
        revision = observed.revision
        status = revision.status
        conditions = CONDITIONS.begin(
            status.conditions, revision.metadata.generation, status.observed_generation, now
        )
        if not _has_digests(revision):
            resolved = resolve(revision, observed.registry)
            if isinstance(resolved, Container):
                why = observed.registry.images.why_missing("this image")
                mark_container_missing(conditions, resolved.image, why)
                plan = _write(revision, status, conditions, _tell_missing(revision, conditions))
                return Plan(plan.actions, self._settings.image_retry_s)
            status = msgspec.structs.replace(
                status,
                container_statuses=resolved[: len(revision.spec.containers)],
                init_container_statuses=resolved[len(revision.spec.containers) :],
            )
        needed = is_needed(revision, observed.configuration, observed.mentions)
        scale = replicas_when_needed(
            revision,
            observed.config.autoscaler,
            self._settings.replicas_max,
            is_new=not is_true(status.conditions, RESOURCES_AVAILABLE),
        )
        wanted = scale if needed else 0
        change = to_reach(wanted, revision, status, observed.pods)
        images = missing_images(revision, status, observed.cached, observed.registry)
        actions: list[Action] = [*images, *(Create(pod) for pod in change.create)]
        actions += [Delete(pod) for pod in change.delete]
        situation = Situation(
            revision=revision,
            pods=tuple(pod for pod in observed.pods if not pod.is_deleting),
            wanted=wanted,
            deadline_s=progress_deadline_s(
                revision, observed.config.deployment.progress_deadline_s
            ),
        )
        look_again_s: float | None = None
        if change.create and not situation.pods and not is_true(status.conditions):
            mark_deploying(conditions)
        else:
            look_again_s = judge(situation, conditions, now)
        status = msgspec.structs.replace(
            status,
            actual_replicas=situation.ready,
            desired_replicas=wanted,
            log_url=observed.config.observability.log_url(revision.uid),
        )
        if is_meant_by_any(observed.mentions, revision, observed.configuration):
            # The labeler is about to mark it, or knows by now that nobody means it: not woken by
            # Routes, it must look for itself.
            look_again_s = min(look_again_s or math.inf, self._settings.unmarked_retry_s)
        plan = _write(revision, status, conditions, actions)
        return Plan(plan.actions, look_again_s)


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


def _images_of(revision: Revision, reader: Reader) -> tuple[Image, ...]:
    """Return what there is under the names of its Images."""
    namespace = revision.metadata.namespace
    found = (reader.get(Image, namespace, name) for name in image_names(revision))
    return tuple(image for image in found if image is not None)


def _has_digests(revision: Revision) -> bool:
    known = revision.status.container_statuses + revision.status.init_container_statuses
    return len(known) == len(revision.spec.containers) + len(revision.spec.init_containers)


def _owners(pod: Resource) -> Iterator[str]:
    for reference in pod.metadata.owner_references:
        if reference.kind == Revision.KIND:
            yield reference.name
