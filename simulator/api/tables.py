"""Objects as the rows that `kubectl get` prints. Pure; the time is an argument.

Sources: apiextensions-apiserver `registry/customresource/tableconvertor` (columns of a CRD),
kubernetes `pkg/printers/internalversion/printers.go` (Namespace, ConfigMap, Pod and Event).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from simulator.resources import conditions
from simulator.resources.ages import age
from simulator.resources.core import ConfigMap, ContainerStatus, Event, Pod
from simulator.resources.meta import Resource
from simulator.resources.scheme import Column, KindInfo, to_document

INCLUDE_OBJECT = ("Metadata", "Object", "None")

Cell = str | int | float | bool | None
_Special = Callable[[Any, datetime], Cell]


def table(
    info: KindInfo, objects: Sequence[Resource], version: str, include: str, now: datetime
) -> dict[str, Any]:
    """Return the objects as a Table's columnDefinitions, rows and metadata, in meta.k8s.io/v1.

    `include` says what a row carries of its object: its Metadata, the whole Object, or None.
    """
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": column_definitions(info),
        "rows": [_row(info, obj, include, now) for obj in objects],
    }


def column_definitions(info: KindInfo) -> list[dict[str, Any]]:
    """Return the name column and the kind's own."""
    name = Column("Name", "metadata.name")
    return [_definition(name, "name"), *(_definition(column, "") for column in info.columns)]


def _definition(column: Column, format_: str) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "format": format_,
        "description": f"{column.name} of the object",
        "priority": 0,
    }


def _row(info: KindInfo, obj: Resource, include: str, now: datetime) -> dict[str, Any]:
    document = to_document(obj)
    cells = [obj.metadata.name, *(_cell(column, obj, document, now) for column in info.columns)]
    row: dict[str, Any] = {"cells": cells}
    if include == "Object":
        row["object"] = document
    elif include == "Metadata":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": msgspec.to_builtins(obj.metadata),
        }
    return row


def _cell(column: Column, obj: Resource, document: dict[str, Any], now: datetime) -> Cell:
    special = _SPECIAL.get(column.path)
    if special is not None:
        return special(obj, now)
    source, found, rest = column.path.partition(":")
    if found and source == "labels":
        return obj.metadata.labels.get(rest)
    if found and source == "conditions":
        return _condition_field(obj, rest)
    return _at(document, column.path)


def _condition_field(obj: Resource, path: str) -> str | None:
    type_, _, name = path.partition(".")
    status = getattr(obj, "status", None)
    condition = conditions.find(getattr(status, "conditions", ()), type_)
    # An absent field is an empty cell, as for a JSONPath that finds nothing.
    return (getattr(condition, name) or None) if condition is not None else None


def _at(document: Any, path: str) -> Cell:
    for key in path.split("."):
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document if isinstance(document, str | int | float | bool) else None


def _pod_ready(pod: Pod, _: datetime) -> str:
    ready = sum(1 for status in pod.status.container_statuses if _is_serving(status))
    return f"{ready}/{len(pod.spec.containers)}"


def _is_serving(status: ContainerStatus) -> bool:
    return status.ready and status.state.running is not None


def _pod_status(pod: Pod, _: datetime) -> str:
    reason = pod.status.reason or pod.status.phase or "Unknown"
    if pod.is_deleting and pod.status.phase not in ("Succeeded", "Failed"):
        return "Terminating"
    # The first container that has something to say decides.
    said = [text for status in pod.status.container_statuses if (text := _state_reason(status))]
    return said[0] if said else reason


def _state_reason(status: ContainerStatus) -> str:
    waiting, terminated = status.state.waiting, status.state.terminated
    if waiting is not None:
        return waiting.reason
    if terminated is None:
        return ""
    if terminated.reason:
        return terminated.reason
    if terminated.signal:
        return f"Signal:{terminated.signal}"
    return f"ExitCode:{terminated.exit_code}"


def _pod_restarts(pod: Pod, now: datetime) -> str:
    statuses = pod.status.container_statuses
    restarts = sum(status.restart_count for status in statuses)
    ends = [
        status.last_state.terminated.finished_at or ""
        for status in statuses
        if status.last_state.terminated is not None
    ]
    last = max(ends, default="")
    return f"{restarts} ({age(last, now)} ago)" if restarts and last else str(restarts)


def _event_last_seen(event: Event, now: datetime) -> str:
    return age(event.last_timestamp or event.first_timestamp or event.event_time, now)


def _event_object(event: Event, _: datetime) -> str:
    return f"{event.involved_object.kind.lower()}/{event.involved_object.name}"


def _config_map_data(config_map: ConfigMap, _: datetime) -> int:
    return len(config_map.data) + len(config_map.binary_data)


def _age(obj: Resource, now: datetime) -> str:
    return age(obj.metadata.creation_timestamp, now)


_SPECIAL: dict[str, _Special] = {
    "age": _age,
    "configmap:data": _config_map_data,
    "pod:ready": _pod_ready,
    "pod:status": _pod_status,
    "pod:restarts": _pod_restarts,
    "event:last-seen": _event_last_seen,
    "event:object": _event_object,
}
