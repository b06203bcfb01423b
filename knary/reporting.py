"""What a failed test's report says of its emulator: state, Events, logs. Never raises."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from knary.cluster import Document
from knary.problems import EmulatorError

if TYPE_CHECKING:
    from knary.emulator import Emulator

LOG_LINES = 30  # of each replica, and of the instance
EVENTS_MAX = 30
LABEL_SERVICE = "serving.knative.dev/service"
_SYSTEM = frozenset({"knative-serving", "kube-node-lease", "kube-public", "kube-system"})


def sections(emulator: Emulator) -> list[tuple[str, str]]:
    """Return titles and texts."""
    told: list[tuple[str, Callable[[Emulator], Iterator[str]]]] = [
        ("knary: services and revisions", _state),
        ("knary: events", _events),
        ("knary: what replicas printed", _logs),
        ("knary: the instance's log", _own_log),
    ]
    found = [(title, _text(lines, emulator)) for title, lines in told]
    return [(title, text) for title, text in found if text]


def why_not_ready(emulator: Emulator, service: str, namespace: str) -> str:
    """Return what revisions say that are not ready, and what their replicas printed; or ""."""

    def lines(emulator: Emulator) -> Iterator[str]:
        selector = f"{LABEL_SERVICE}={service}"
        for revision in emulator.objects("revisions", selector=selector, namespace=namespace):
            if not (ready := _ready(revision)).startswith("Ready True"):
                yield f"\n  {revision['metadata']['name']}: {ready}"
        if printed := emulator.logs(service, tail=LOG_LINES, namespace=namespace).rstrip():
            yield f"\n  it printed:\n{printed}"

    return _text(lines, emulator)


def _text(lines: Callable[[Emulator], Iterator[str]], emulator: Emulator) -> str:
    try:
        return "\n".join(lines(emulator))
    except (EmulatorError, OSError, ValueError) as error:
        return f"cannot be told: {error}"


def _namespaces(emulator: Emulator) -> list[str]:
    names = (one["metadata"]["name"] for one in emulator.objects("namespaces"))
    return [name for name in names if name not in _SYSTEM]


def _state(emulator: Emulator) -> Iterator[str]:
    for namespace in _namespaces(emulator):
        for service in emulator.objects("ksvc", namespace=namespace):
            metadata, status = service["metadata"], service.get("status") or {}
            yield f"service {namespace}/{metadata['name']}: {_ready(service)}"
            for target in status.get("traffic") or ():
                tag = f" tag {target['tag']}" if target.get("tag") else ""
                yield f"  {target.get('percent', 0)} % to {target.get('revisionName')}{tag}"
        for revision in emulator.objects("revisions", namespace=namespace):
            yield f"revision {namespace}/{revision['metadata']['name']}: {_ready(revision)}"
    for replica in emulator.status["replicas"]:
        state = "ready" if replica["ready"] else "not ready"
        yield f"replica {replica['pod']}: pid {replica['pid']}, {state}"


def _ready(found: Document) -> str:
    for one in (found.get("status") or {}).get("conditions") or ():
        if one["type"] == "Ready":
            said = [f"Ready {one['status']}", one.get("reason"), one.get("message")]
            return ": ".join(part for part in said if part)
    return "no status yet"


def _events(emulator: Emulator) -> Iterator[str]:
    for namespace in _namespaces(emulator):
        for event in emulator.events(namespace=namespace)[-EVENTS_MAX:]:
            about = event.get("involvedObject") or {}
            what = f"{about.get('kind', '')} {about.get('name', '')}"
            moment = event.get("lastTimestamp") or ""
            yield f"{moment} {event.get('reason', '')} {what}: {event.get('message', '')}"


def _logs(emulator: Emulator) -> Iterator[str]:
    for namespace in _namespaces(emulator):
        pods = emulator.objects("pods", namespace=namespace)
        labels = (pod["metadata"].get("labels", {}).get(LABEL_SERVICE) for pod in pods)
        for service in sorted({label for label in labels if label}):
            if printed := emulator.logs(service, tail=LOG_LINES, namespace=namespace).rstrip():
                yield f"service {namespace}/{service}:\n{printed}"


def _own_log(emulator: Emulator) -> Iterator[str]:
    with emulator.log_file.open(encoding="utf-8", errors="replace") as file:
        yield from (line.rstrip("\n") for line in deque(file, maxlen=LOG_LINES))
