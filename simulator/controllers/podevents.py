"""Pod → the Events that a kubelet records of it, each as often as it happened.

What happened is told by the Pod's status, so that it is recorded once, whoever looks and however
often. Sources: kubernetes `pkg/kubelet/events/event.go`, `pkg/kubelet/kuberuntime`,
`pkg/scheduler` (the words).
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
from simulator.resources.serving import serving_container

NORMAL, WARNING = "Normal", "Warning"
KUBELET, SCHEDULER = "kubelet", "default-scheduler"
CRASH_LOOP = "CrashLoopBackOff"


class Happened(Struct, frozen=True):
    """What is to be told of a Pod, and how often it has happened by now."""

    record: Record
    times: int = 1


class Observed(Struct, frozen=True):
    """A Pod, and how often what happened to it has been told."""

    pod: Pod
    happened: tuple[Happened, ...] = ()
    told: tuple[int, ...] = ()
    is_known_unready: bool = False


class PodEventController:
    """Tells what happens to Pods while it is news: what is older was told, and forgotten since."""

    name = "podevent"
    kind: type[Resource] = Pod
    watches: tuple[type[Resource], ...] = ()

    def __init__(self, settings: ControllerSettings = STOCK) -> None:
        self._news_s = settings.news_s
        self._unready_s = settings.unready_s

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        return (changed.key,)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        pod = reader.get(Pod, *key)
        if pod is None or not pod.status.phase:
            return None
        happened = tuple(happened_to(pod))
        events = (reader.get(Event, *key_of(one.record)) for one in happened)
        told = tuple((one.count or 1) if one else 0 for one in events)
        is_known_unready = reader.get(Event, *key_of(unhealthy(pod))) is not None
        return Observed(pod, happened, told, is_known_unready)

    def plan(self, observed: Observed, now: datetime) -> Plan:
        if (now - latest(observed.pod)).total_seconds() > self._news_s:
            return Plan()
        pairs = tuple(zip(observed.happened, observed.told, strict=True))
        is_behind = any(one.times - told > 1 for one, told in pairs)
        records = tuple(one.record for one, told in pairs if told < one.times)
        if is_behind:
            return Plan(records, requeue_after_s=0.0)
        left_s = patience_left_s(observed.pod, self._unready_s, now)
        if observed.is_known_unready or left_s is None:
            return Plan(records)
        if left_s > 0:
            return Plan(records, requeue_after_s=left_s)
        return Plan((*records, unhealthy(observed.pod)))


def latest(pod: Pod) -> datetime:
    """Return when something last happened to the Pod."""
    moments = [pod.metadata.creation_timestamp, pod.metadata.deletion_timestamp]
    moments += [condition.last_transition_time for condition in pod.status.conditions]
    for status in pod.status.container_statuses:
        running, ended = status.state.running, status.last_state.terminated
        moments += [running.started_at if running else None, ended.finished_at if ended else None]
    return parse_timestamp(max(moment for moment in moments if moment))


def patience_left_s(pod: Pod, unready_s: float, now: datetime) -> float | None:
    """Return the seconds until a replica that runs should be ready; None for one that is.

    One that is stopped, or whose startup probe has not passed, is not expected to be.
    """
    if pod.is_deleting:
        return None
    probe = serving_container(pod.spec).readiness_probe
    due_s = unready_s + ((probe.initial_delay_seconds or 0) if probe else 0)
    for status in pod.status.container_statuses:
        running = status.state.running
        if running is not None and running.started_at and status.started and not status.ready:
            return max(0.0, due_s - (now - parse_timestamp(running.started_at)).total_seconds())
    return None


def unhealthy(pod: Pod) -> Record:
    """Return what is told of a replica that runs and is not ready."""
    name = serving_container(pod.spec).name
    message = (
        "Readiness probe failed: the program runs and is not ready; it has to listen on "
        "127.0.0.1:$PORT, and to answer what is probed"
    )
    path = f"spec.containers{{{name}}}"
    return Record(pod, WARNING, "Unhealthy", message, component=KUBELET, field_path=path)


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
    elif waiting is not None and waiting.message:
        yield told(WARNING, "Failed", f"Error: {waiting.reason}: {waiting.message}")
    if pod.is_deleting and starts:
        yield told(NORMAL, "Killing", f"Stopping container {name}")
