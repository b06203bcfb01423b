"""An object on its way into the store: what a client may not say is refused or overruled. Pure.

Sources: apiserver `registry/rest/{create,update,meta}.go`, `endpoints/handlers/rest.go`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from simulator.api.paths import Target
from simulator.errors import BadRequest, Conflict, Forbidden, Invalid
from simulator.resources.core import CONTENTS_FINALIZER, Namespace, NamespaceStatus
from simulator.resources.meta import Resource

LABEL_NAMESPACE_NAME = "kubernetes.io/metadata.name"


def as_new(obj: Resource, target: Target) -> Resource:
    """Return the object as a create may store it: in its namespace, without a status."""
    meta = obj.metadata
    if meta.resource_version:
        raise BadRequest("resourceVersion should not be set on objects to be created")
    refuse_other_namespace(obj, target)
    if not meta.name and not meta.generate_name:
        message = "Required value: name or generateName is required"
        causes = [("metadata.name", "FieldValueRequired", message)]
        raise Invalid.of(target.info.group, target.info.kind, "", causes)
    changes: dict[str, Any] = {}
    if hasattr(obj, "status"):
        changes["status"] = type(obj)().status  # type: ignore[attr-defined]
    if isinstance(obj, Namespace):
        changes["status"] = NamespaceStatus(phase="Active")
        finalizers = tuple(one for one in meta.finalizers if one != CONTENTS_FINALIZER)
        obj = obj.with_metadata(
            labels={**meta.labels, LABEL_NAMESPACE_NAME: meta.name},
            finalizers=(*finalizers, CONTENTS_FINALIZER),
        )
    new = msgspec.structs.replace(obj, **changes) if changes else obj
    return new.with_metadata(
        namespace=target.namespace, uid="", creation_timestamp=None, managed_fields=()
    )


def as_named(obj: Resource, target: Target) -> Resource:
    """Return the object with the name and namespace of its URL. Raise BadRequest for others."""
    refuse_other_namespace(obj, target)
    given = obj.metadata.name
    if given and given != target.name:
        raise BadRequest(
            f"the name of the object ({given}) does not match the name on the URL ({target.name})"
        )
    return obj.with_metadata(name=target.name, namespace=target.namespace)


def over(old: Resource, new: Resource) -> Resource:
    """Return the new object with what no update may change taken from the old one."""
    meta = old.metadata
    changes: dict[str, Any] = {}
    if hasattr(old, "status"):
        changes["status"] = old.status
    kept = new.with_metadata(
        uid=meta.uid,
        resource_version=meta.resource_version,
        generation=meta.generation,
        generate_name=meta.generate_name,
        creation_timestamp=meta.creation_timestamp,
        deletion_timestamp=meta.deletion_timestamp,
        deletion_grace_period_seconds=meta.deletion_grace_period_seconds,
    )
    return msgspec.structs.replace(kept, **changes) if changes else kept


def refuse_stale(target: Target, old: Resource, new: Resource) -> None:
    """Raise Conflict when the client saw another version, or another object, than `old`."""
    info, given = target.info, new.metadata
    if given.uid and given.uid != old.uid:
        why = f"Precondition failed: UID in precondition: {given.uid}, "
        why += f"UID in object meta: {old.uid}"
        raise Conflict.of(info.group, info.plural, target.name, why)
    if given.resource_version and given.resource_version != old.metadata.resource_version:
        raise Conflict.of(info.group, info.plural, target.name)


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
