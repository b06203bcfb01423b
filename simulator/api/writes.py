"""Create, update, patch and delete: decode, patch, admit, store.

Sources: apiserver `endpoints/handlers/{create,update,patch,delete}.go`, `registry/rest`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from simulator.admission.admit import admit
from simulator.admission.settings import Defaults
from simulator.api import bodies, documents
from simulator.api.bodies import Draft, WriteOptions
from simulator.api.exchange import Answer, Request
from simulator.api.paths import Target
from simulator.api.reads import candidates, found, selector_of
from simulator.clock import Clock
from simulator.errors import AlreadyExists, BadRequest, Conflict, Forbidden, Invalid, NotFound
from simulator.resources.core import CONTENTS_FINALIZER, Namespace, NamespaceStatus
from simulator.resources.decoding import parse_json
from simulator.resources.meta import Resource, timestamp
from simulator.resources.scheme import to_document
from simulator.store import transitions
from simulator.store.objects import Store
from simulator.store.patching import json_patch, merge_patch
from simulator.store.transitions import DeleteOptions, Outcome, Removed

USER = "knary-admin"  # the kubeconfig's user

LABEL_NAMESPACE_NAME = "kubernetes.io/metadata.name"
UNDELETABLE_NAMESPACES = frozenset({"default", "kube-system", "kube-public"})

Decide = Callable[[Resource, Resource], Outcome]


class Writes:
    """The verbs that change something."""

    def __init__(
        self, store: Store, clock: Clock, defaults: Callable[[], Defaults], patch_attempts: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._defaults = defaults
        self._patch_attempts = patch_attempts

    async def create(self, request: Request) -> Answer:
        """Store a new object: 201. Raise ApiError."""
        target = request.target
        bodies.require_json(request.content_type)
        options = bodies.write_options(request.query, "CreateOptions")
        document, duplicates = parse_json(request.body)
        draft = bodies.read_object(document, duplicates, target.info, options)
        new = _as_new(draft.object, target)
        self._require_namespace(new, target)
        admitted = admit(new, None, USER, self._defaults())
        if options.is_dry_run:
            stored = self._would_create(admitted.object, target)
        else:
            stored = await self._store.create(admitted.object)
        warnings = (*draft.warnings, *admitted.warnings)
        return Answer(201, documents.object_json(stored), warnings=warnings)

    async def update(self, request: Request) -> Answer:
        """Replace the object, or its status alone: 200. Raise ApiError."""
        target = request.target
        bodies.require_json(request.content_type)
        options = bodies.write_options(request.query, "UpdateOptions")
        document, duplicates = parse_json(request.body)
        draft = bodies.read_object(document, duplicates, target.info, options)
        old = found(self._store, target)
        given = _as_named(draft.object, target)
        if target.info.group and not given.metadata.resource_version:
            message = "Invalid value: 0x0: must be specified for an update"
            causes = [("metadata.resourceVersion", "FieldValueInvalid", message)]
            raise Invalid.of(target.info.group, target.info.kind, target.name, causes)
        return await self._replace(target, options, old, Draft(given, draft.warnings))

    async def patch(self, request: Request) -> Answer:
        """Patch the object, or its status: 200. Raise ApiError.

        A patch that names no resourceVersion is applied anew when the object changed meanwhile.
        """
        target = request.target
        kind = bodies.patch_type(request.content_type)
        options = bodies.write_options(request.query, "PatchOptions")
        patch, duplicates = parse_json(request.body)
        if kind == bodies.MERGE_PATCH and not isinstance(patch, dict):
            raise BadRequest("a merge patch must be a JSON object; a list is a JSON patch")
        change = merge_patch if kind == bodies.MERGE_PATCH else json_patch
        for attempt in range(1, self._patch_attempts + 1):
            old = found(self._store, target)
            patched = change(to_document(old), patch)
            draft = bodies.read_object(patched, duplicates, target.info, options)
            given = _as_named(draft.object, target)
            names_version = given.metadata.resource_version != old.metadata.resource_version
            try:
                return await self._replace(target, options, old, Draft(given, draft.warnings))
            except Conflict:
                if names_version or attempt == self._patch_attempts:
                    raise
        raise AssertionError  # the last attempt returns or raises

    async def delete(self, request: Request) -> Answer:
        """Delete the object: a Status when it is gone, else the object. Raise ApiError."""
        target = request.target
        asked = bodies.delete_request(request)
        old = found(self._store, target)
        if isinstance(old, Namespace) and target.name in UNDELETABLE_NAMESPACES:
            raise _forbidden(target, target.name, "this namespace may not be deleted")
        if asked.is_dry_run:
            now = timestamp(self._clock.now())
            outcome = transitions.delete(old, asked.options, now)
            left = None if isinstance(outcome, Removed) else old
            last = old
        else:
            last = await self._store.delete(target.info.type, old.key, asked.options)
            left = self._store.get(target.info.type, *old.key)
        if left is not None and left.uid == last.uid:
            return Answer(200, documents.object_json(left))
        return Answer(200, documents.to_json(documents.deleted_status(last)))

    async def delete_collection(self, request: Request) -> Answer:
        """Delete what the selectors choose: 200 and a Status. Raise ApiError."""
        target = request.target
        asked = bodies.delete_request(request)
        selector = selector_of(request)
        listed = candidates(self._store, target, selector)
        chosen = [obj for obj in listed if selector.matches(obj)]
        if not asked.is_dry_run:
            # Together, so that they share a commit.
            await asyncio.gather(*(self._delete_one(obj, asked.options) for obj in chosen))
        return Answer(200, documents.to_json(documents.success_status()))

    async def _delete_one(self, obj: Resource, options: DeleteOptions) -> None:
        with suppress(NotFound):
            await self._store.delete(type(obj), obj.key, options)

    async def _replace(
        self, target: Target, options: WriteOptions, old: Resource, draft: Draft
    ) -> Answer:
        _refuse_stale(target, old, draft.object)
        warnings = draft.warnings
        decide: Decide
        if target.subresource == "status":
            new, decide = draft.object, transitions.update_status
        else:
            admitted = admit(_over(old, draft.object), old, USER, self._defaults())
            new, decide = admitted.object, transitions.update
            warnings = (*warnings, *admitted.warnings)
        if options.is_dry_run:
            outcome = decide(old, new)
            stored = outcome.object if not isinstance(outcome, transitions.Unchanged) else old
        elif target.subresource == "status":
            stored = await self._store.update_status(new)
        else:
            stored = await self._store.update(new)
        return Answer(200, documents.object_json(stored), warnings=warnings)

    def _require_namespace(self, new: Resource, target: Target) -> None:
        """Raise NotFound or Forbidden unless the object's namespace can take new ones."""
        if not target.info.namespaced:
            return
        namespace = self._store.get(Namespace, "", target.namespace)
        if namespace is None:
            raise NotFound.of("", "namespaces", target.namespace)
        if namespace.is_deleting:
            why = f"unable to create new content in namespace {target.namespace}"
            why += " because it is being terminated"
            raise _forbidden(target, new.metadata.name, why)

    def _would_create(self, new: Resource, target: Target) -> Resource:
        name = new.metadata.name or f"{new.metadata.generate_name}xxxxx"
        if self._store.get(type(new), new.metadata.namespace, name) is not None:
            raise AlreadyExists.of(target.info.group, target.info.plural, name)
        now = timestamp(self._clock.now())
        return transitions.create(new, name=name, uid=str(uuid.uuid4()), now=now)


def _as_new(obj: Resource, target: Target) -> Resource:
    """Return the object as a create may store it: in its namespace, without a status."""
    meta = obj.metadata
    if meta.resource_version:
        raise BadRequest("resourceVersion should not be set on objects to be created")
    _refuse_other_namespace(obj, target)
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


def _as_named(obj: Resource, target: Target) -> Resource:
    """Return the object with the name and namespace of its URL. Raise BadRequest for others."""
    _refuse_other_namespace(obj, target)
    given = obj.metadata.name
    if given and given != target.name:
        raise BadRequest(
            f"the name of the object ({given}) does not match the name on the URL ({target.name})"
        )
    return obj.with_metadata(name=target.name, namespace=target.namespace)


def _over(old: Resource, new: Resource) -> Resource:
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


def _refuse_stale(target: Target, old: Resource, new: Resource) -> None:
    """Raise Conflict when the client saw another version, or another object, than `old`."""
    info, given = target.info, new.metadata
    if given.uid and given.uid != old.uid:
        why = f"Precondition failed: UID in precondition: {given.uid}, "
        why += f"UID in object meta: {old.uid}"
        raise Conflict.of(info.group, info.plural, target.name, why)
    if given.resource_version and given.resource_version != old.metadata.resource_version:
        raise Conflict.of(info.group, info.plural, target.name)


def _refuse_other_namespace(obj: Resource, target: Target) -> None:
    given = obj.metadata.namespace
    if given and given != target.namespace:
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
        )


def _forbidden(target: Target, name: str, why: str) -> Forbidden:
    info = target.info
    details = {"name": name, "kind": info.plural}
    if info.group:
        details["group"] = info.group
    return Forbidden(f'{info.qualified} "{name}" is forbidden: {why}', details)
