"""What a write makes of an object, or why it is refused. Pure: ids and times are arguments.

Sources: apiserver `registry/rest/{create,update,delete}.go`, `registry/generic/registry/store.go`
(finalizers, preconditions, generation on deletion); apimachinery `api/validation/objectmeta.go`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from simulator.errors import Conflict, Invalid
from simulator.fieldownership.managers import without_times
from simulator.fieldownership.objects import with_update_owned
from simulator.fieldownership.tracking import Writer
from simulator.resources.core import Pod
from simulator.resources.meta import (
    FOREGROUND_FINALIZER,
    ORPHAN_FINALIZER,
    Resource,
    parse_timestamp,
    timestamp,
)
from simulator.resources.scheme import info_of

Propagation = Literal["Background", "Foreground", "Orphan"]

T = TypeVar("T", bound=Resource)

_POLICY_FINALIZER: dict[str, str] = {
    "Foreground": FOREGROUND_FINALIZER,
    "Orphan": ORPHAN_FINALIZER,
}


class DeleteOptions(Struct, frozen=True):
    """How to delete. No `propagation`: as an earlier delete said, else in the background.

    `uid` and `resource_version` are preconditions. `grace_period_s` matters to Pods alone.
    """

    propagation: Propagation | None = None
    uid: str | None = None
    resource_version: str | None = None
    grace_period_s: int | None = None


DEFAULT = DeleteOptions()


class Unchanged(Struct, frozen=True):
    """Nothing to store: the object is already so."""


class Stored(Struct, frozen=True):
    """The object's new state; its resourceVersion is still to be given."""

    object: Resource


class Removed(Struct, frozen=True):
    """The object goes; this is its last state."""

    object: Resource


Outcome = Unchanged | Stored | Removed
UNCHANGED = Unchanged()


def create(obj: T, *, name: str, uid: str, now: str) -> T:
    """Return the object as it is first stored, under the given name and uid."""
    return obj.with_metadata(
        name=name,
        uid=uid,
        resource_version="",
        generation=1 if _has_generations(obj) else None,
        creation_timestamp=now,
        deletion_timestamp=None,
        deletion_grace_period_seconds=None,
    )


def update(stored: Resource, obj: Resource) -> Outcome:
    """Take metadata and spec from `obj`, keep the status. Raise Conflict or Invalid.

    The generation counts changes of the spec. The last finalizer of a deleted object taken
    away removes it.
    """
    _refuse_stale(stored, obj)
    _refuse_new_finalizers(stored, obj)
    meta = stored.metadata
    changes: dict[str, Any] = {}
    if hasattr(stored, "status"):
        changes["status"] = stored.status
    spec_differs = hasattr(stored, "spec") and stored.spec != obj.spec  # type: ignore[attr-defined]
    generation = meta.generation
    if spec_differs and _has_generations(stored):
        generation = (generation or 0) + 1
    metadata = msgspec.structs.replace(
        meta,
        generation=generation,
        generate_name=obj.metadata.generate_name,
        labels=obj.metadata.labels,
        annotations=obj.metadata.annotations,
        finalizers=obj.metadata.finalizers,
        owner_references=obj.metadata.owner_references,
        managed_fields=obj.metadata.managed_fields,
    )
    new = msgspec.structs.replace(obj, metadata=metadata, **changes)
    if new.is_deleting and not metadata.finalizers:
        return Removed(new)
    return UNCHANGED if _is_same(new, stored) else Stored(new)


def update_status(stored: Resource, obj: Resource) -> Outcome:
    """Take the status from `obj`, and whose it is; nothing else. Raise Conflict."""
    _refuse_stale(stored, obj)
    new = msgspec.structs.replace(stored, status=obj.status)  # type: ignore[attr-defined]
    new = new.with_metadata(managed_fields=obj.metadata.managed_fields)
    return UNCHANGED if _is_same(new, stored) else Stored(new)


def _is_same(new: Resource, stored: Resource) -> bool:
    """Tell whether nothing differs but when somebody last took a field.

    Source: apiserver `endpoints/handlers/fieldmanager/equality.go`.
    """
    ours, theirs = new.metadata.managed_fields, stored.metadata.managed_fields
    if ours != theirs:
        if without_times(ours) != without_times(theirs):
            return False
        new = new.with_metadata(managed_fields=theirs)
    return new == stored


def delete(stored: Resource, options: DeleteOptions, now: str) -> Outcome:
    """Remove the object, or mark it deleted while it has finalizers. Raise Conflict.

    Marking raises the generation, as a real API server does: controllers must look again.
    """
    _refuse_failed_precondition(stored, options)
    meta = stored.metadata
    finalizers = _finalizers_under(meta.finalizers, options.propagation)
    if not finalizers:
        return Removed(stored)
    if not stored.is_deleting:
        grace_s = _grace_period_s(stored, options)
        return Stored(
            stored.with_metadata(
                finalizers=finalizers,
                deletion_timestamp=_later(now, grace_s),
                deletion_grace_period_seconds=grace_s,
                generation=(meta.generation or 0) + 1 if _has_generations(stored) else None,
            )
        )
    new = _hastened(stored.with_metadata(finalizers=finalizers), options.grace_period_s, now)
    return UNCHANGED if new == stored else Stored(new)


def _hastened(stored: Resource, grace_s: int | None, now: str) -> Resource:
    """Return a deleted object whose end may come earlier: a second delete can do no more."""
    meta = stored.metadata
    known_s = meta.deletion_grace_period_seconds
    if grace_s is None or not known_s or grace_s >= known_s:
        return stored
    grace_s = 1 if grace_s < 0 else grace_s
    end = _later(meta.deletion_timestamp or now, grace_s - known_s)
    if end < now:  # its time is over already: the shortest that is no zero
        end, grace_s = now, 1 if grace_s else 0
    return stored.with_metadata(deletion_timestamp=end, deletion_grace_period_seconds=grace_s)


def _later(moment: str, seconds: int) -> str:
    return timestamp(parse_timestamp(moment) + timedelta(seconds=seconds))


def _has_generations(obj: Resource) -> bool:
    """Tell whether changes of the spec are counted: of core kinds, those of Pods alone are."""
    return bool(info_of(obj).group) or isinstance(obj, Pod)


def owned(outcome: Outcome, stored: Resource, writer: Writer) -> Outcome:
    """Return the outcome with entries that say what its writer has taken from the stored object."""
    if not isinstance(outcome, Stored):
        return outcome
    return Stored(with_update_owned(stored, outcome.object, writer))


def with_version(obj: T, version: int) -> T:
    """Return the object at this resourceVersion."""
    return obj.with_metadata(resource_version=str(version))


def _refuse_stale(stored: Resource, obj: Resource) -> None:
    info = info_of(stored)
    name = stored.metadata.name
    given = obj.metadata
    if given.uid and given.uid != stored.uid:
        why = f"Precondition failed: UID in precondition: {given.uid}, UID in object meta: "
        raise Conflict.of(info.group, info.plural, name, why + stored.uid)
    if given.resource_version and given.resource_version != stored.metadata.resource_version:
        raise Conflict.of(info.group, info.plural, name)


def _refuse_failed_precondition(stored: Resource, options: DeleteOptions) -> None:
    meta = stored.metadata
    pairs = (
        ("UID", options.uid, meta.uid, "deleted and then recreated"),
        ("ResourceVersion", options.resource_version, meta.resource_version, "modified"),
    )
    for what, wanted, found, happened in pairs:
        if wanted is None or wanted == found:
            continue
        info = info_of(stored)
        why = f"the {what} in the precondition ({wanted}) does not match the {what} in record"
        why += f" ({found}). The object might have been {happened}"
        # By its kind, not by its plural: the real message has it so.
        raise Conflict.of(info.group, info.kind, meta.name, why)


def _refuse_new_finalizers(stored: Resource, obj: Resource) -> None:
    if not stored.is_deleting:
        return
    added = [f for f in obj.metadata.finalizers if f not in stored.metadata.finalizers]
    if not added:
        return
    listed = ", ".join(f'"{finalizer}"' for finalizer in added)
    message = (
        "Forbidden: no new finalizers can be added if the object is being deleted, "
        f"found new finalizers []string{{{listed}}}"
    )
    info = info_of(stored)
    causes = [("metadata.finalizers", "FieldValueForbidden", message)]
    raise Invalid.of(info.group, info.kind, stored.metadata.name, causes)


def _finalizers_under(
    finalizers: tuple[str, ...], propagation: Propagation | None
) -> tuple[str, ...]:
    if propagation is None:
        return finalizers
    kept = tuple(f for f in finalizers if f not in _POLICY_FINALIZER.values())
    policy = _POLICY_FINALIZER.get(propagation)
    return kept if policy is None else (*kept, policy)


def _grace_period_s(stored: Resource, options: DeleteOptions) -> int:
    if not isinstance(stored, Pod):
        return 0
    if options.grace_period_s is not None:
        return options.grace_period_s if options.grace_period_s >= 0 else 1
    return stored.spec.termination_grace_period_seconds or 0
