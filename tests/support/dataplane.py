"""A tiny data plane that runs in the controllers' own loop: Pods get ready, Ingresses too.

What a Pod does is told by its image's tag: `crash` exits 1 at once, `never-ready` stays so, and
any other is ready at once. An Ingress is programmed when all its splits have a ready Pod.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.controllers.replicas import is_ready
from simulator.reconciling.plan import NOTHING, Plan, Update, UpdateStatus
from simulator.reconciling.reader import Reader
from simulator.resources.caching import ANNOTATION_REFERENCE, Image
from simulator.resources.conditions import FALSE, READY, TRUE, UNKNOWN, Condition
from simulator.resources.core import ContainerState, ContainerStatus, Pod, PodStatus, Terminated
from simulator.resources.meta import Key, Resource, timestamp
from simulator.resources.networking import Ingress, IngressStatus
from simulator.resources.serving import LABEL_REVISION


class Running(Struct, frozen=True):
    """A Pod, and the image that its revision was made with."""

    pod: Pod
    image: str


class PodLife:
    """Every Pod's process: starts when the Pod is made, ends when it is deleted."""

    name = "pod-life"
    kind: type[Resource] = Pod
    watches: tuple[type[Resource], ...] = ()

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        return (changed.key,)

    def observe(self, reader: Reader, key: Key) -> Running | None:
        pod = reader.get(Pod, *key)
        if pod is None:
            return None
        labels = {LABEL_REVISION: pod.metadata.labels.get(LABEL_REVISION, "")}
        told = [one.metadata.annotations for one in reader.list(Image, key.namespace, labels)]
        return Running(pod, told[0].get(ANNOTATION_REFERENCE, "") if told else "")

    def plan(self, observed: Running, now: datetime) -> Plan:
        pod = observed.pod
        if pod.is_deleting:
            kept = tuple(one for one in pod.metadata.finalizers if "knary.dev" not in one)
            return Plan((Update(pod.with_metadata(finalizers=kept)),))
        if pod.status.phase != "Pending":
            return NOTHING
        tag = observed.image.rpartition(":")[2]
        ready = tag not in ("crash", "never-ready")
        status = PodStatus(
            phase="Running",
            conditions=(Condition(READY, TRUE if ready else FALSE, "", timestamp(now)),),
            container_statuses=(_crashed(),) if tag == "crash" else (),
        )
        return Plan((UpdateStatus(msgspec.structs.replace(pod, status=status)),))


def _crashed() -> ContainerStatus:
    terminated = Terminated(exit_code=1, reason="Error", message="no such thing as a free lunch")
    return ContainerStatus("user-container", last_state=ContainerState(terminated=terminated))


class Routing(Struct, frozen=True):
    """An Ingress, and the revisions that could take its requests now."""

    ingress: Ingress
    ready: frozenset[str]


class Programmer:
    """The gateway's side of every Ingress."""

    name = "programmer"
    kind: type[Resource] = Ingress
    watches: tuple[type[Resource], ...] = (Pod,)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if isinstance(changed, Ingress):
            return (changed.key,)
        return tuple(one.key for one in reader.list(Ingress, changed.metadata.namespace))

    def observe(self, reader: Reader, key: Key) -> Routing | None:
        ingress = reader.get(Ingress, *key)
        if ingress is None:
            return None
        pods = (one for one in reader.list(Pod, key.namespace) if is_ready(one))
        return Routing(ingress, frozenset(one.metadata.labels[LABEL_REVISION] for one in pods))

    def plan(self, observed: Routing, now: datetime) -> Plan:
        ingress, generation = observed.ingress, observed.ingress.metadata.generation
        if ingress.status.programmed_generation == generation:
            return NOTHING
        wanted = {
            split.service_name
            for rule in ingress.spec.rules
            for path in rule.http.paths
            for split in path.splits
        }
        if wanted <= observed.ready:
            status = IngressStatus(
                observed_generation=generation,
                conditions=(Condition(READY, TRUE, "", timestamp(now)),),
                programmed=ingress.spec.rules,
                programmed_generation=generation,
            )
        else:
            message = "Waiting for load balancer to be ready"
            waits = Condition(READY, UNKNOWN, "", timestamp(now), "Uninitialized", message)
            status = msgspec.structs.replace(
                ingress.status, observed_generation=generation, conditions=(waits,)
            )
        return Plan((UpdateStatus(msgspec.structs.replace(ingress, status=status)),))
