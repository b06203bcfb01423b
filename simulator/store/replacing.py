"""All objects become others at once: what a reset, or a snapshot that is restored, changes. Pure.

An object that is there and wanted just so goes on; one that is wanted otherwise goes and comes,
so that nobody who follows takes its generation for one that he knows. What merely runs for a
wanted object (its replicas, what they say of themselves) goes on with it, and else goes, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from simulator.resources.apps import Deployment
from simulator.resources.core import Event, Pod
from simulator.resources.endpoints import Endpoints
from simulator.resources.endpointslices import EndpointSlice
from simulator.resources.meta import Resource
from simulator.store.watching import EventType

# Made by what other objects ask for, and made again: no state of its own to keep.
MADE_ANEW: tuple[type[Resource], ...] = (Deployment, Endpoints, EndpointSlice, Event, Pod)


class Change(NamedTuple):
    """One write; `before` is the object that it removes."""

    object: Resource
    type: EventType
    before: Resource | None


def replacement(there: Sequence[Resource], wanted: Sequence[Resource]) -> Iterator[Change]:
    """Yield the changes that make `wanted` all there is; first what goes, then what comes."""
    by_key = {(type(obj), obj.key): obj for obj in wanted}
    uids = {obj.uid for obj in wanted}
    staying = {
        (type(obj), obj.key)
        for obj in there
        if is_same(obj, by_key.get((type(obj), obj.key))) or _runs_for(obj, uids)
    }
    for obj in there:
        if (type(obj), obj.key) not in staying:
            yield Change(obj, "DELETED", obj)
    for identity, obj in by_key.items():
        if identity not in staying:
            yield Change(obj, "ADDED", None)


def mended(there: Sequence[Resource], wanted: Sequence[Resource]) -> Iterator[Change]:
    """Yield the changes that undo what late writes did to a replacement.

    Who had looked before it, and planned, writes once more: for owners that are gone, or to collect
    what had lost its owner and has it again; and what was collected so, a controller makes anew.
    """
    for obj in _orphans(there):
        yield Change(obj, "DELETED", obj)
    found = {(type(obj), obj.key): obj for obj in there}
    for obj in wanted:
        now = found.get((type(obj), obj.key))
        if now is not None and not _takes_its_place(now, obj):
            continue
        if now is not None:
            yield Change(now, "DELETED", now)
        yield Change(obj, "ADDED", None)


def lasting(objects: Sequence[Resource]) -> list[Resource]:
    """Return those that a snapshot keeps: neither what is made anew nor what is on its way out."""
    return [obj for obj in objects if not isinstance(obj, MADE_ANEW) and not obj.is_deleting]


def _orphans(objects: Sequence[Resource]) -> list[Resource]:
    """Return the objects all of whose owners are gone."""
    there = {obj.uid for obj in objects}
    return [
        obj
        for obj in objects
        if obj.metadata.owner_references
        and there.isdisjoint(one.uid for one in obj.metadata.owner_references)
    ]


def is_same(obj: Resource, other: Resource | None) -> bool:
    """Tell whether both are one object in one state, whatever the version."""
    return other is not None and _versionless(obj) == _versionless(other)


def _takes_its_place(now: Resource, wanted: Resource) -> bool:
    """Tell whether what is there is on its way out, or a namesake that a controller made."""
    return now.is_deleting or (now.uid != wanted.uid and bool(now.metadata.owner_references))


def _runs_for(obj: Resource, uids: Set[str]) -> bool:
    owners = (one.uid for one in obj.metadata.owner_references)
    return isinstance(obj, MADE_ANEW) and not obj.is_deleting and not uids.isdisjoint(owners)


def _versionless(obj: Resource) -> Resource:
    return obj.with_metadata(resource_version="")
