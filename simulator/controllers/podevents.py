"""Pod → the Events that a kubelet records of it, each as often as it happened.

What happened is told by the Pod's status, so that it is recorded once, whoever looks and however
often. What probes were answered, the supervisor tells itself. Sources: kubernetes
`pkg/kubelet/events/event.go`, `pkg/kubelet/images`, `pkg/kubelet/kuberuntime`, `pkg/scheduler`
(the words).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from simulator.controllers.settings import STOCK, ControllerSettings
from simulator.reconciling.plan import Plan, Record
from simulator.reconciling.reader import Reader
from simulator.reconciling.recording import key_of
from simulator.resources.core import ContainerStatus, Event, Pod
from simulator.resources.meta import Key, Resource, parse_timestamp

NORMAL, WARNING = "Normal", "Warning"
KUBELET, SCHEDULER = "kubelet", "default-scheduler"
CRASH_LOOP = "CrashLoopBackOff"
PULL_FAILED, PULL_BACK_OFF = "ErrImagePull", "ImagePullBackOff"


class Happened(Struct, frozen=True):
    """What is to be told of a Pod, and how often it has happened by now."""

    record: Record
    times: int = 1


class Observed(Struct, frozen=True):
    """A Pod, and how often what happened to it has been told."""

    pod: Pod
    happened: tuple[Happened, ...] = ()
    told: tuple[int, ...] = ()


class PodEventController:
    """Tells what happens to Pods while it is news: what is older was told, and forgotten since."""

    name = "podevent"
    kind: type[Resource] = Pod
    watches: tuple[type[Resource], ...] = ()

    def __init__(self, settings: ControllerSettings = STOCK) -> None:
        self._news_s = settings.news_s

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        return (changed.key,)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        pod = reader.get(Pod, *key)
        if pod is None or not pod.status.phase:
            return None
        happened = tuple(happened_to(pod))
        events = (reader.get(Event, *key_of(one.record)) for one in happened)
        told = tuple((one.count or 1) if one else 0 for one in events)
        return Observed(pod, happened, told)

    def plan(self, observed: Observed, now: datetime) -> Plan:
        if (now - latest(observed.pod)).total_seconds() > self._news_s:
            return Plan()
        pairs = tuple(zip(observed.happened, observed.told, strict=True))
        is_behind = any(one.times - told > 1 for one, told in pairs)
        records = tuple(one.record for one, told in pairs if told < one.times)
        return Plan(records, requeue_after_s=0.0 if is_behind else None)


def latest(pod: Pod) -> datetime:
    """Return when something last happened to the Pod."""
    moments = [pod.metadata.creation_timestamp, pod.metadata.deletion_timestamp]
    moments += [condition.last_transition_time for condition in pod.status.conditions]
    for status in pod.status.container_statuses:
        running, ended = status.state.running, status.last_state.terminated
        moments += [running.started_at if running else None, ended.finished_at if ended else None]
    return parse_timestamp(max(moment for moment in moments if moment))


def happened_to(pod: Pod) -> Iterator[Happened]:
    """Yield what has happened to the Pod, in order."""
    meta, node = pod.metadata, pod.spec.node_name
    if node:
        assigned = f"Successfully assigned {meta.namespace}/{meta.name} to {node}"
        yield Happened(Record(pod, NORMAL, "Scheduled", assigned, component=SCHEDULER))
    for status in pod.status.container_statuses:
        yield from _happened_to_container(pod, status)


def _happened_to_container(pod: Pod, status: ContainerStatus) -> Iterator[Happened]:
    name, waiting = status.name, status.state.waiting

    def told(type_: str, reason: str, message: str, times: int = 1) -> Happened:
        path = f"spec.containers{{{name}}}"
        record = Record(pod, type_, reason, message, component=KUBELET, field_path=path)
        return Happened(record, times)

    starts = status.restart_count + (status.state.running is not None)
    if status.state.running is None and status.last_state.terminated is not None:
        starts = status.restart_count + 1
    if starts:
        image = f'Container image "{status.image}" already present on machine'
        yield told(NORMAL, "Pulled", image, starts)
        yield told(NORMAL, "Created", f"Created container: {name}", starts)
        yield told(NORMAL, "Started", f"Started container {name}", starts)
    if waiting is not None and waiting.reason == CRASH_LOOP:
        where = f"{pod.metadata.name}_{pod.metadata.namespace}({pod.uid})"
        message = f"Back-off restarting failed container {name} in pod {where}"
        yield told(WARNING, "BackOff", message, max(1, status.restart_count))
    elif waiting is not None and waiting.reason == PULL_FAILED:
        yield told(NORMAL, "Pulling", f'Pulling image "{image_of(pod, name)}"')
        failed = f'Failed to pull image "{image_of(pod, name)}": {waiting.message}'
        yield told(WARNING, "Failed", failed)
        yield told(WARNING, "Failed", f"Error: {waiting.reason}")
    elif waiting is not None and waiting.reason == PULL_BACK_OFF:
        yield told(NORMAL, "BackOff", f'Back-off pulling image "{image_of(pod, name)}"')
        yield told(WARNING, "Failed", f"Error: {waiting.reason}")
    elif waiting is not None and waiting.message:
        yield told(WARNING, "Failed", f"Error: {waiting.reason}: {waiting.message}")
    if pod.is_deleting and starts:
        yield told(NORMAL, "Killing", f"Stopping container {name}")


def image_of(pod: Pod, container: str) -> str:
    """Return the image that a container of the Pod's runs."""
    return next((one.image for one in pod.spec.containers if one.name == container), "")
