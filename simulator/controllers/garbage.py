"""What belongs to deleted objects: owner references, in the background, foreground or not at all.

Source: Kubernetes `pkg/controller/garbagecollector/garbagecollector.go` (`attemptToDeleteItem`,
`processDeletingDependentsItem`, `attemptToOrphan`).
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from simulator.reconciling.plan import NOTHING, Action, Delete, Plan, Update
from simulator.reconciling.reader import Reader
from simulator.resources.apps import Deployment
from simulator.resources.caching import Image
from simulator.resources.core import Pod
from simulator.resources.domainmapping import DomainMapping
from simulator.resources.endpoints import CoreService, Endpoints
from simulator.resources.endpointslices import EndpointSlice
from simulator.resources.meta import (
    FOREGROUND_FINALIZER,
    ORPHAN_FINALIZER,
    Key,
    OwnerReference,
    Resource,
)
from simulator.resources.networking import Ingress
from simulator.resources.serving import Configuration, Revision, Route, Service

# The kinds that own or are owned.
FAMILY: tuple[type[Resource], ...] = (
    Service,
    Configuration,
    Route,
    Revision,
    DomainMapping,
    Ingress,
    Deployment,
    Image,
    CoreService,
    Endpoints,
    EndpointSlice,
    Pod,
)
_BY_KIND = {(kind.API_VERSION, kind.KIND): kind for kind in FAMILY}
_POLICIES = (FOREGROUND_FINALIZER, ORPHAN_FINALIZER)


class Observed(Struct, frozen=True):
    """An object, which of its owners are there, and what it owns."""

    object: Resource
    owners: tuple[Resource, ...] = ()
    dependents: tuple[Resource, ...] = ()


class GarbageController:
    """Deletes the objects of one kind whose owners are gone, and lets deleted owners go."""

    watches = FAMILY

    def __init__(self, kind: type[Resource]) -> None:
        self.kind = kind
        self.name = f"{kind.KIND.lower()}-garbage"

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        keys: list[Key] = []
        if isinstance(changed, self.kind) and _concerns_us(changed, reader):
            keys.append(changed.key)
        stored = reader.get(type(changed), *changed.key)
        gone = stored is None or stored.uid != changed.uid
        if gone or changed.is_deleting:
            keys += [dependent.key for dependent in reader.owned_by(self.kind, changed.uid)]
        if gone:
            for reference in changed.metadata.owner_references:
                if _BY_KIND.get((reference.api_version, reference.kind)) is self.kind:
                    keys.append(Key(changed.metadata.namespace, reference.name))
        return tuple(keys)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        obj = reader.get(self.kind, *key)
        if obj is None:
            return None
        owners = (_owner(reference, obj, reader) for reference in obj.metadata.owner_references)
        dependents: list[Resource] = []
        if obj.is_deleting:
            for kind in FAMILY:
                dependents += reader.owned_by(kind, obj.uid)
        return Observed(obj, tuple(one for one in owners if one), tuple(dependents))

    def plan(self, observed: Observed, now: datetime) -> Plan:  # noqa: ARG002
        if observed.object.is_deleting:
            return _let_go(observed)
        return _follow_owners(observed)


def _follow_owners(observed: Observed) -> Plan:
    """Delete what has lost its last owner; forget the owners that are gone beside one that is."""
    obj, references = observed.object, observed.object.metadata.owner_references
    if not references:
        return NOTHING
    there = {owner.uid: owner for owner in observed.owners}
    solid, waiting = [], []
    for reference in references:
        owner = there.get(reference.uid)
        if owner is None and (reference.api_version, reference.kind) in _BY_KIND:
            continue
        if owner is not None and _waits_for(owner, reference):
            waiting.append(reference)
        else:  # of a kind that is not ours to know, an owner is taken to exist
            solid.append(reference)
    if solid:
        if len(solid) == len(references):
            return NOTHING
        return Plan((Update(obj.with_metadata(owner_references=tuple(solid))),))
    if waiting:
        return Plan((Delete(obj, propagation="Foreground"),))
    return Plan((Delete(obj),))


def _let_go(observed: Observed) -> Plan:
    """Take the policy's finalizer away when its work is done."""
    obj = observed.object
    finalizers = obj.metadata.finalizers
    if ORPHAN_FINALIZER in finalizers:
        if orphaning := [_orphaned(one, obj) for one in observed.dependents]:
            return Plan(tuple(orphaning), requeue_after_s=0.0)
        return Plan((_without(obj, ORPHAN_FINALIZER),))
    if FOREGROUND_FINALIZER in finalizers:
        blocking = any(
            reference.uid == obj.uid and reference.block_owner_deletion
            for dependent in observed.dependents
            for reference in dependent.metadata.owner_references
        )
        return NOTHING if blocking else Plan((_without(obj, FOREGROUND_FINALIZER),))
    return NOTHING


def _orphaned(dependent: Resource, owner: Resource) -> Action:
    kept = tuple(one for one in dependent.metadata.owner_references if one.uid != owner.uid)
    return Update(dependent.with_metadata(owner_references=kept))


def _without(obj: Resource, finalizer: str) -> Action:
    kept = tuple(one for one in obj.metadata.finalizers if one != finalizer)
    return Update(obj.with_metadata(finalizers=kept))


def _owner(reference: OwnerReference, obj: Resource, reader: Reader) -> Resource | None:
    kind = _BY_KIND.get((reference.api_version, reference.kind))
    if kind is None:
        return None
    owner = reader.get(kind, obj.metadata.namespace, reference.name)
    return owner if owner is not None and owner.uid == reference.uid else None


def _waits_for(owner: Resource, reference: OwnerReference) -> bool:
    """Tell whether the owner, deleted in the foreground, waits for this dependent."""
    foreground = owner.is_deleting and FOREGROUND_FINALIZER in owner.metadata.finalizers
    return foreground and bool(reference.block_owner_deletion)


def _concerns_us(changed: Resource, reader: Reader) -> bool:
    """Tell whether there is anything to do: most changes are of objects that are well owned."""
    if changed.is_deleting:
        return any(policy in changed.metadata.finalizers for policy in _POLICIES)
    return any(
        (owner := _owner(reference, changed, reader)) is None or _waits_for(owner, reference)
        for reference in changed.metadata.owner_references
    )
