"""A replica's life as its Pod's status says it. Pure.

Source: what a kubelet writes (kubernetes `pkg/kubelet/kubelet_pods.go`, `pkg/kubelet/status`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import msgspec

from gateway.contract import Address
from simulator.launcher.protocol import Exited
from simulator.resources.conditions import FALSE, READY, TRUE, Condition, find
from simulator.resources.core import (
    ANNOTATION_ADDRESS,
    ANNOTATION_PID,
    DRAIN_FINALIZER,
    PROCESS_FINALIZER,
    ContainerState,
    ContainerStatus,
    Pod,
    PodIp,
    PodStatus,
    Running,
    Terminated,
    Waiting,
)
from simulator.resources.meta import timestamp
from simulator.resources.serving import serving_container
from simulator.supervisor.lifecycle import Life, Phase

HOST: Final = "127.0.0.1"
CREATING: Final = Waiting(reason="ContainerCreating")
CRASH_LOOP: Final = "CrashLoopBackOff"

# FallbackToLogsOnError: the last 2048 bytes or 80 lines, whichever is less (core/v1 types.go).
MESSAGE_BYTES_MAX: Final = 2048
MESSAGE_LINES_MAX: Final = 80
_SIGNALLED: Final = 128  # a shell's, and runc's, exit code for a process that a signal ended

# ECMA-48: CSI sequences; OSC and the other strings up to their terminator; two-byte escapes.
_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def moment(at_s: float) -> str:
    """Return seconds since 1970 as Kubernetes writes a time."""
    return timestamp(datetime.fromtimestamp(at_s, UTC))


def last_words(log: str) -> str:
    """Return the end of a log as a termination message: no terminal escapes, and bounded."""
    plain = _CONTROLS.sub("", _ESCAPES.sub("", log.replace("\r\n", "\n"))).strip("\n")
    lines = plain.split("\n")[-MESSAGE_LINES_MAX:]
    raw = "\n".join(lines).encode("utf-8", "replace")[-MESSAGE_BYTES_MAX:]
    return raw.decode("utf-8", "ignore")


def termination(exited: Exited, started_at_s: float) -> Terminated:
    """Return how a process ended. The log speaks for it only when it failed."""
    code = exited.exit_code
    if code is None:
        code = _SIGNALLED + (exited.signal or 0)
    return Terminated(
        exit_code=code,
        signal=exited.signal,
        reason="Completed" if code == 0 else "Error",
        message=last_words(exited.tail) if code else "",
        started_at=moment(started_at_s) if started_at_s else None,
        finished_at=moment(exited.at_s),
    )


def crash_loop(pod: Pod, delay_s: float) -> Waiting:
    """Return why a crashed container waits, in the kubelet's words."""
    name = serving_container(pod.spec).name
    where = f"{pod.metadata.name}_{pod.metadata.namespace}({pod.uid})"
    return Waiting(
        reason=CRASH_LOOP,
        message=f"back-off {delay_s:g}s restarting failed container={name} pod={where}",
    )


def pod_status(pod: Pod, life: Life, now: str) -> PodStatus:
    """Return the status that the Pod should have. `now` dates what changed; the rest keeps."""
    container = serving_container(pod.spec)
    ready = life.phase is Phase.READY
    names = f"[{container.name}]"
    unready = ("ContainersNotReady", f"containers with unready status: {names}")
    reason, message = ("", "") if ready else unready
    wanted = [
        Condition(type="PodScheduled", status=TRUE),
        Condition(type="Initialized", status=TRUE),
        Condition(type="ContainersReady", status=_said(ready), reason=reason, message=message),
        Condition(type=READY, status=_said(ready), reason=reason, message=message),
    ]
    ran = life.pid or life.last is not None or life.restarts
    return PodStatus(
        phase="Running" if ran else "Pending",
        conditions=tuple(_dated(one, pod.status.conditions, now) for one in wanted),
        host_ip=HOST,
        host_ips=(PodIp(HOST),),
        pod_ip=HOST,
        pod_ips=(PodIp(HOST),),
        qos_class=_quality(pod),
        start_time=pod.status.start_time or now,
        container_statuses=(
            ContainerStatus(
                name=container.name,
                state=_state(life),
                last_state=ContainerState(terminated=life.last),
                ready=ready,
                restart_count=life.restarts,
                image=container.image,
                image_id=life.image_id,
                started=bool(life.pid) and life.is_started,
                container_id=f"knary://{pod.uid}-{life.restarts}" if ran else "",
            ),
        ),
    )


def _quality(pod: Pod) -> str:
    """Return the class of a Pod by what it asks for (core/v1 PodQOSClass); nothing obeys it."""
    asked = [one.resources for one in pod.spec.containers if one.resources is not None]
    if not any(one.requests or one.limits for one in asked):
        return "BestEffort"
    bounds = [{name: one.limits.get(name) for name in ("cpu", "memory")} for one in asked]
    is_guaranteed = len(asked) == len(pod.spec.containers) and all(
        None not in bound.values()
        and all(one.requests.get(name, amount) == amount for name, amount in bound.items())
        for one, bound in zip(asked, bounds, strict=True)
    )
    return "Guaranteed" if is_guaranteed else "Burstable"


def _state(life: Life) -> ContainerState:
    if life.pid:
        return ContainerState(running=Running(started_at=moment(life.started_at_s)))
    if life.phase is Phase.STOPPED and life.last is not None:
        return ContainerState(terminated=life.last)
    if life.waiting is None and life.last is not None:  # it is being started again
        return ContainerState(terminated=life.last)
    return ContainerState(waiting=life.waiting or CREATING)


def _said(value: bool) -> str:  # noqa: FBT001 (it is the value)
    return TRUE if value else FALSE


def _dated(condition: Condition, before: tuple[Condition, ...], now: str) -> Condition:
    """Return the condition with the time since when it has its status."""
    old = find(before, condition.type)
    same = old is not None and old.status == condition.status
    since = old.last_transition_time if old is not None and same else now
    return msgspec.structs.replace(condition, last_transition_time=since)


def annotated(pod: Pod, life: Life) -> Pod:
    """Return the Pod with its address and pid, and without our finalizer once all is over."""
    annotations = dict(pod.metadata.annotations)
    for name in (ANNOTATION_ADDRESS, ANNOTATION_PID):
        annotations.pop(name, None)
    if life.port:
        network = pod.uid if life.has_network else ""
        annotations[ANNOTATION_ADDRESS] = str(Address(HOST, life.port, network))
    if life.pid:
        annotations[ANNOTATION_PID] = str(life.pid)
    finalizers = pod.metadata.finalizers
    if life.phase is Phase.STOPPED:
        finalizers = tuple(name for name in finalizers if name != PROCESS_FINALIZER)
    if annotations == pod.metadata.annotations and finalizers == pod.metadata.finalizers:
        return pod
    return pod.with_metadata(annotations=annotations, finalizers=finalizers)


def is_released(pod: Pod) -> bool:
    """Tell whether the Pod's process may end: it is deleted, and nothing uses it any more."""
    return pod.is_deleting and DRAIN_FINALIZER not in pod.metadata.finalizers


def grace_s(pod: Pod, default_s: float) -> float:
    """Return the seconds from SIGTERM to SIGKILL."""
    for asked in (
        pod.metadata.deletion_grace_period_seconds,
        pod.spec.termination_grace_period_seconds,
    ):
        if asked is not None:
            return float(asked)
    return default_s


def port_of(pod: Pod) -> int:
    """Return the port that the Pod's address names; 0 for none."""
    _, _, port = pod.metadata.annotations.get(ANNOTATION_ADDRESS, "").rpartition(":")
    return int(port) if port.isascii() and port.isdigit() else 0
