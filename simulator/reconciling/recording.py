"""Kubernetes Events: what a plan records, and how equal ones are counted.

An Event's name is made of what it says, so that an equal one is found by its key.
Source of the fields: client-go `tools/record/event.go` and `events_cache.go`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from simulator.reconciling.plan import Record
from simulator.resources.core import Event, EventSource, ObjectReference
from simulator.resources.meta import Key, ObjectMeta, timestamp

_NAME_HEAD_MAX = 230  # a name has at most 253 characters, the digest 16
_MESSAGE_BYTES_MAX = 1024  # apiserver, core validation of events


def key_of(record: Record) -> Key:
    """Return where the Event of this record is; of a cluster-scoped object in `default`."""
    about = record.about
    parts = (about.uid, record.type, record.reason, record.message, record.field_path)
    said = "\n".join(part for part in parts if part)
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    return Key(
        about.metadata.namespace or "default", f"{about.metadata.name[:_NAME_HEAD_MAX]}.{digest}"
    )


def first(record: Record, component: str, now: datetime) -> Event:
    """Return the Event of something that was not recorded before."""
    about = record.about
    key = key_of(record)
    component = record.component or component
    moment = timestamp(now)
    return Event(
        metadata=ObjectMeta(name=key.name, namespace=key.namespace),
        involved_object=ObjectReference(
            api_version=about.API_VERSION,
            kind=about.KIND,
            namespace=about.metadata.namespace,
            name=about.metadata.name,
            uid=about.uid,
            resource_version=about.metadata.resource_version,
            field_path=record.field_path,
        ),
        reason=record.reason,
        message=_cut(record.message),
        type=record.type,
        count=1,
        first_timestamp=moment,
        last_timestamp=moment,
        source=EventSource(component=component),
        reporting_component=component,
    )


def once_more(event: Event, now: datetime) -> Event:
    """Return the Event, counted once more."""
    return msgspec.structs.replace(
        event, count=(event.count or 1) + 1, last_timestamp=timestamp(now)
    )


def _cut(message: str) -> str:
    raw = message.encode()
    if len(raw) <= _MESSAGE_BYTES_MAX:
        return message
    return raw[: _MESSAGE_BYTES_MAX - 3].decode(errors="ignore") + "..."
