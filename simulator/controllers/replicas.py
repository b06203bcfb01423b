"""A revision's Pods: how many, their names, their specs; which to make, which to let go.

Sources: knative/serving `pkg/reconciler/revision/resources/{deploy,env_var,meta}.go`; Kubernetes'
`DEPLOYMENT-HASH-POD` names and the alphabet of their hashes (`apimachinery/pkg/util/rand`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct

from simulator.resources.conditions import is_true
from simulator.resources.core import DRAIN_FINALIZER, PROCESS_FINALIZER, Pod, PodTemplateSpec
from simulator.resources.meta import ObjectMeta, child_name, controller_reference
from simulator.resources.podspec import Container, EnvVar
from simulator.resources.serving import (
    ANNOTATION_MIN_SCALE,
    LABEL_CONFIGURATION,
    LABEL_REVISION,
    LABEL_REVISION_UID,
    LABEL_ROUTING_STATE,
    LABEL_SERVICE,
    Revision,
)

_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, no word by accident
_HASH_CHARACTERS, _POD_CHARACTERS = 10, 5
_INHERITED = (LABEL_REVISION, LABEL_CONFIGURATION, LABEL_SERVICE)


class Change(Struct, frozen=True):
    """Pods to create, and Pods to delete."""

    create: tuple[Pod, ...] = ()
    delete: tuple[Pod, ...] = ()


def replicas_when_needed(revision: Revision, replicas_max: int) -> int:
    """Return how many replicas a needed revision has: at least one, and its min-scale."""
    text = revision.metadata.annotations.get(ANNOTATION_MIN_SCALE, "")
    wanted = int(text) if text.isascii() and text.isdigit() else 1
    return min(max(1, wanted), replicas_max)


def is_ready(pod: Pod) -> bool:
    """Tell whether the replica takes requests."""
    return not pod.is_deleting and is_true(pod.status.conditions)


def to_reach(wanted: int, revision: Revision, pods: Sequence[Pod]) -> Change:
    """Return what leads from these Pods, deleted ones among them, to `wanted` live ones.

    Of too many, those that are not ready go first, then the youngest.
    """
    live = [pod for pod in pods if not pod.is_deleting]
    if len(live) < wanted:
        taken = {pod.metadata.name for pod in pods}
        return Change(create=_new_pods(revision, wanted - len(live), taken))
    by_worth = sorted(live, key=_age)
    by_worth.sort(key=is_ready, reverse=True)
    return Change(delete=tuple(by_worth[wanted:]))


def replica_set_name(revision: Revision) -> str:
    """Return the name of the ReplicaSet that a cluster would have: the Pods' names begin so."""
    digest = _safe_hash(revision.uid, _HASH_CHARACTERS)
    return f"{child_name(revision.metadata.name, '-deployment')}-{digest}"


def _new_pods(revision: Revision, count: int, taken: Collection[str]) -> tuple[Pod, ...]:
    """Return Pods under names that follow from the revision, so that a repeated plan clashes."""
    pods: list[Pod] = []
    number = 0
    while len(pods) < count:
        suffix = _safe_hash(f"{revision.uid}/{number}", _POD_CHARACTERS)
        name = f"{replica_set_name(revision)}-{suffix}"
        number += 1
        if name not in taken:
            taken = {*taken, name}
            pods.append(make_pod(revision, name))
    return tuple(pods)


def make_pod(revision: Revision, name: str) -> Pod:
    """Return the Pod of that name: the revision's containers with Knative's variables."""
    meta, spec = revision.metadata, revision.spec
    fields = {
        field: getattr(spec, field)
        for field in PodTemplateSpec.__struct_fields__
        if hasattr(spec, field)
    }
    fields["containers"] = tuple(_container(one, revision) for one in spec.containers)
    labels = {k: v for k, v in meta.labels.items() if k != LABEL_ROUTING_STATE}
    labels |= {LABEL_REVISION: meta.name, LABEL_REVISION_UID: meta.uid, "app": meta.name}
    return Pod(
        metadata=ObjectMeta(
            name=name,
            namespace=meta.namespace,
            labels=labels,
            annotations=dict(meta.annotations),
            finalizers=(DRAIN_FINALIZER, PROCESS_FINALIZER),
            owner_references=(controller_reference(revision),),
        ),
        spec=PodTemplateSpec(
            **fields,
            restart_policy="Always",
            termination_grace_period_seconds=spec.timeout_seconds,
        ),
    )


def _container(container: Container, revision: Revision) -> Container:
    labels = revision.metadata.labels
    own = (
        EnvVar("K_REVISION", revision.metadata.name),
        EnvVar("K_CONFIGURATION", labels.get(LABEL_CONFIGURATION, "")),
        EnvVar("K_SERVICE", labels.get(LABEL_SERVICE, "")),
    )
    policy = container.termination_message_policy or "FallbackToLogsOnError"
    return msgspec.structs.replace(
        container, env=container.env + own, termination_message_policy=policy
    )


def _age(pod: Pod) -> tuple[str, str]:
    return pod.metadata.creation_timestamp or "", pod.metadata.name


def _safe_hash(text: str, characters: int) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:characters])
