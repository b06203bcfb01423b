"""An object on its way into the store: what a client may not say is refused or overruled. Pure.

Sources: apiserver `registry/rest/{create,update,meta}.go`, `endpoints/handlers/rest.go`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from simulator.api.bodies import Draft
from simulator.api.paths import Target
from simulator.errors import BadRequest, Conflict, Forbidden, Invalid
from simulator.resources.core import CONTENTS_FINALIZER, Namespace, NamespaceSpec, NamespaceStatus
from simulator.resources.meta import OwnerReference, Resource
from simulator.resources.scheme import info_of

LABEL_NAMESPACE_NAME = "kubernetes.io/metadata.name"
REPEATED_OWNERS = (
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in"
    " 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate"
    " UID(s) observed: "
)


def as_new(obj: Resource, target: Target) -> Resource:
    """Return the object as a create takes it: in its namespace. Raise BadRequest or Invalid."""
    meta = obj.metadata
    if meta.resource_version:
        raise BadRequest("resourceVersion should not be set on objects to be created")
    refuse_other_namespace(obj, target)
    if not meta.name and not meta.generate_name:
        message = "Required value: name or generateName is required"
        causes = [("metadata.name", "FieldValueRequired", message)]
        raise Invalid.of(target.info.group, target.info.kind, "", causes)
    if isinstance(obj, Namespace):
        obj = obj.with_metadata(labels={**meta.labels, LABEL_NAMESPACE_NAME: meta.name})
    return obj.with_metadata(namespace=target.namespace, uid="", creation_timestamp=None)


def as_first(obj: Resource) -> Resource:
    """Return an admitted object as it is first stored: with nobody's status but the server's."""
    if not hasattr(obj, "status"):
        return obj
    if isinstance(obj, Namespace):
        others = (one for one in obj.metadata.finalizers if one != CONTENTS_FINALIZER)
        new = msgspec.structs.replace(
            obj,
            spec=NamespaceSpec(finalizers=("kubernetes",)),
            status=NamespaceStatus(phase="Active"),
        )
        return new.with_metadata(finalizers=(*others, CONTENTS_FINALIZER))
    fresh: Any = type(obj)()
    return msgspec.structs.replace(obj, status=fresh.status)


def as_named(obj: Resource, target: Target) -> Resource:
    """Return the object with the namespace of its URL. Raise BadRequest for another's."""
    refuse_other_namespace(obj, target)
    given = obj.metadata.name
    if not given:
        raise BadRequest(
            f"the name of the object ({target.name} based on URL) was undeterminable:"
            " name must be provided"
        )
    if given != target.name:
        raise BadRequest(
            f"the name of the object ({given}) does not match the name on the URL ({target.name})"
        )
    return obj.with_metadata(namespace=target.namespace)


def without_repeated_owners(draft: Draft) -> Draft:
    """Return the draft with each owner once, warning of those that it named again."""
    given = draft.object.metadata.owner_references
    kept: dict[OwnerReference, None] = {}
    repeated = []
    for one in given:
        if one in kept:
            repeated.append(one.uid)
        kept[one] = None
    if not repeated:
        return draft
    obj = draft.object.with_metadata(owner_references=tuple(kept))
    warning = REPEATED_OWNERS + ", ".join(repeated)
    return replace(draft, object=obj, warnings=(*draft.warnings, warning))


def over(old: Resource, new: Resource) -> Resource:
    """Return the new object with what an update leaves alone taken from the old one.

    Raise Invalid when it says that the object is being deleted, or for how long, otherwise.
    """
    meta = old.metadata
    _refuse_deletion(old, new)
    changes: dict[str, Any] = {}
    if hasattr(old, "status"):
        changes["status"] = old.status
    kept = new.with_metadata(
        uid=meta.uid,
        resource_version=meta.resource_version,
        generation=meta.generation,
        creation_timestamp=meta.creation_timestamp,
        deletion_timestamp=meta.deletion_timestamp,
        deletion_grace_period_seconds=meta.deletion_grace_period_seconds,
    )
    return msgspec.structs.replace(kept, **changes) if changes else kept


def refuse_stale(target: Target, old: Resource, new: Resource) -> None:
    """Raise Conflict when the client saw another version, or another object, than `old`."""
    info, given = target.info, new.metadata
    if given.uid and given.uid != old.uid:
        place = "/".join(part for part in (info.group, info.plural, *old.key) if part)
        why = f"StorageError: invalid object, Code: 4, Key: /registry/{place}, ResourceVersion: 0,"
        why += f" AdditionalErrorMsg: Precondition failed: UID in precondition: {given.uid},"
        why += f" UID in object meta: {old.uid}"
        raise Conflict.of(info.group, info.plural, target.name, why)
    if given.resource_version and given.resource_version != old.metadata.resource_version:
        raise Conflict.of(info.group, info.plural, target.name)


def _refuse_deletion(old: Resource, new: Resource) -> None:
    was, given = old.metadata, new.metadata
    causes: list[tuple[str, str, str]] = []
    if given.deletion_timestamp is not None and not old.is_deleting:
        why = f"Invalid value: {_go_time(given.deletion_timestamp)}: field is immutable"
        causes.append(("metadata.deletionTimestamp", "FieldValueInvalid", why))
    grace_s = given.deletion_grace_period_seconds
    if grace_s is not None and grace_s != was.deletion_grace_period_seconds:
        why = f"Invalid value: {grace_s}: field is immutable"
        causes.append(("metadata.deletionGracePeriodSeconds", "FieldValueInvalid", why))
    if causes:
        info = info_of(old)
        raise Invalid.of(info.group, info.kind, was.name, causes)


def _go_time(text: str) -> str:
    """Return a time as Go's String() has it."""
    return text.replace("T", " ").replace("Z", " +0000 UTC")


def refuse_other_namespace(obj: Resource, target: Target) -> None:
    given = obj.metadata.namespace
    if given and given != target.namespace:
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def forbidden(target: Target, name: str, why: str) -> Forbidden:
    info = target.info
    details = {"name": name, "kind": info.plural}
    if info.group:
        details["group"] = info.group
    return Forbidden(f'{info.qualified} "{name}" is forbidden: {why}', details)
