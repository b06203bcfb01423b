"""A revision's Pods: how many, their names, their specs; which to make, which to let go.

Source: Kubernetes' `DEPLOYMENT-HASH-POD` names and the alphabet of their hashes
(`apimachinery/pkg/util/rand`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec import Struct

from simulator.admission.autoscaling_validation import find_annotation
from simulator.config.autoscaler import AutoscalerConfig
from simulator.controllers.podtemplate import (
    deployment_name,
    labels_of,
    pod_annotations_of,
    pod_spec_of,
)
from simulator.resources.conditions import is_true
from simulator.resources.core import DRAIN_FINALIZER, PROCESS_FINALIZER, Pod, PodStatus
from simulator.resources.meta import ObjectMeta, controller_reference
from simulator.resources.serving import Revision, RevisionStatus

_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, no word by accident
_HASH_CHARACTERS, _POD_CHARACTERS = 10, 5

NODE = "knary"  # the one there is: this machine

# Annotations and their older spellings (serving `pkg/apis/autoscaling/register.go`).
MIN_SCALES = ("autoscaling.knative.dev/min-scale", "autoscaling.knative.dev/minScale")
MAX_SCALES = ("autoscaling.knative.dev/max-scale", "autoscaling.knative.dev/maxScale")
INITIAL_SCALES = ("autoscaling.knative.dev/initial-scale", "autoscaling.knative.dev/initialScale")


class Change(Struct, frozen=True):
    """Pods to create, and Pods to delete."""

    create: tuple[Pod, ...] = ()
    delete: tuple[Pod, ...] = ()


def replicas_when_needed(
    revision: Revision, config: AutoscalerConfig, replicas_max: int, *, is_new: bool
) -> int:
    """Return how many replicas a needed revision has: one, or as many as its scale bounds ask for.

    Until a new one was ready for the first time, its initial scale counts, too.
    """
    annotations = revision.metadata.annotations
    least = _scale(annotations, MIN_SCALES, config.min_scale)
    most = _scale(annotations, MAX_SCALES, config.max_scale)
    if is_new:
        least = max(least, _scale(annotations, INITIAL_SCALES, config.initial_scale))
    wanted = max(1, least)
    return min(wanted, most or wanted, replicas_max)


def _scale(annotations: Mapping[str, str], keys: Sequence[str], stock: int) -> int:
    found = find_annotation(annotations, *keys)
    text = found[1] if found else ""
    return int(text) if text.isascii() and text.isdigit() else stock


def is_ready(pod: Pod) -> bool:
    """Tell whether the replica takes requests."""
    return not pod.is_deleting and is_true(pod.status.conditions)


def to_reach(
    wanted: int, revision: Revision, status: RevisionStatus, pods: Sequence[Pod]
) -> Change:
    """Return what leads from these Pods, deleted ones among them, to `wanted` live ones.

    Of too many, those that are not ready go first, then the youngest. `status` is what the
    revision's is about to be: it has the digests that new Pods run.
    """
    live = [pod for pod in pods if not pod.is_deleting]
    if len(live) < wanted:
        taken = {pod.metadata.name for pod in pods}
        return Change(create=_new_pods(revision, status, wanted - len(live), taken))
    by_worth = sorted(live, key=_age)
    by_worth.sort(key=is_ready, reverse=True)
    return Change(delete=tuple(by_worth[wanted:]))


def replica_set_name(revision: Revision) -> str:
    """Return the name of the ReplicaSet that a cluster would have: the Pods' names begin so."""
    digest = _safe_hash(revision.uid, _HASH_CHARACTERS)
    return f"{deployment_name(revision)}-{digest}"


def _new_pods(
    revision: Revision, status: RevisionStatus, count: int, taken: Collection[str]
) -> tuple[Pod, ...]:
    """Return Pods under names that follow from the revision, so that a repeated plan clashes."""
    pods: list[Pod] = []
    number = 0
    while len(pods) < count:
        suffix = _safe_hash(f"{revision.uid}/{number}", _POD_CHARACTERS)
        name = f"{replica_set_name(revision)}-{suffix}"
        number += 1
        if name not in taken:
            taken = {*taken, name}
            pods.append(make_pod(revision, status, name))
    return tuple(pods)


def make_pod(revision: Revision, status: RevisionStatus, name: str) -> Pod:
    """Return the Pod of that name: the revision's containers, by the digests in `status`."""
    return Pod(
        metadata=ObjectMeta(
            name=name,
            namespace=revision.metadata.namespace,
            labels=labels_of(revision),
            annotations=pod_annotations_of(revision),
            finalizers=(DRAIN_FINALIZER, PROCESS_FINALIZER),
            owner_references=(controller_reference(revision),),
        ),
        spec=msgspec.structs.replace(pod_spec_of(revision, status), node_name=NODE),
        status=PodStatus(phase="Pending"),  # as registry/core/pod's strategy has it at its birth
    )


def _age(pod: Pod) -> tuple[str, str]:
    return pod.metadata.creation_timestamp or "", pod.metadata.name


def _safe_hash(text: str, characters: int) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:characters])
