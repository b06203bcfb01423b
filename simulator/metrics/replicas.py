"""The figures that the gateway does not know: of replicas, and of knary itself. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from simulator.metrics.exposition import Family
from simulator.resources.conditions import is_true
from simulator.resources.core import Pod
from simulator.resources.serving import LABEL_REVISION


class ReplicaSeen(Struct, frozen=True):
    """A replica as the control plane knows it."""

    namespace: str
    revision: str
    pod: str
    restarts: int
    is_ready: bool


class Seen(Struct, frozen=True):
    """What the control plane knows at one moment. `builds` are those of the workers."""

    replicas: tuple[ReplicaSeen, ...] = ()
    builds: tuple[str, ...] = ()


def replicas_of(pods: Iterable[Pod]) -> tuple[ReplicaSeen, ...]:
    """Return the replicas that these Pods stand for."""
    return tuple(
        ReplicaSeen(
            namespace=pod.metadata.namespace,
            revision=pod.metadata.labels.get(LABEL_REVISION, ""),
            pod=pod.metadata.name,
            restarts=sum(each.restart_count for each in pod.status.container_statuses),
            is_ready=is_true(pod.status.conditions) and not pod.is_deleting,
        )
        for pod in pods
    )


def replica_families(replicas: Iterable[ReplicaSeen]) -> list[Family]:
    """Return the figures of replicas."""
    all_of = Family("knary_revision_replicas", "gauge", "Replicas of the revision")
    ready = Family("knary_revision_replicas_ready", "gauge", "Replicas that take requests")
    restarts = Family(
        "kube_pod_container_status_restarts_total",
        "counter",
        "How often the replica's process was started again",
    )
    seen: dict[tuple[str, str], list[int]] = {}
    for replica in replicas:
        numbers = seen.setdefault((replica.namespace, replica.revision), [0, 0])
        numbers[0] += 1
        numbers[1] += replica.is_ready
        restarts.add((("namespace", replica.namespace), ("pod", replica.pod)), replica.restarts)
    for (namespace, revision), (number, number_ready) in sorted(seen.items()):
        labels = (("namespace_name", namespace), ("revision_name", revision))
        all_of.add(labels, number)
        ready.add(labels, number_ready)
    return [all_of, ready, restarts]


def build_family(version: str, python: str, builds: Iterable[str]) -> Family:
    """Return the figure whose labels say which knary this is."""
    family = Family("knary_build_info", "gauge", "Always 1; the labels say which knary this is")
    build = ", ".join(sorted(set(builds)))
    family.add((("version", version), ("python", python), ("build", build)), 1)
    return family
