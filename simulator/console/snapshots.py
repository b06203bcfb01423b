"""The state of an instance as one JSON document, and back. Pure.

`knary snapshot save` writes it; docs/testing.md documents it. State, not calls: objects as they
are, with their uids, generations and status, so that revisions keep their names. What merely
runs (replicas and what they say of themselves) and Events are left out: they come again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from simulator.admission.metadata_validation import validate_generic_metadata
from simulator.errors import ApiError, BadRequest, Invalid
from simulator.resources.decoding import examine, parse_json
from simulator.resources.meta import Resource
from simulator.resources.scheme import KINDS, KindInfo, to_document
from simulator.store.replacing import MADE_ANEW, lasting

SCHEMA = 1
KIND = "KnarySnapshot"

_BY_NAME = {(info.api_version, info.kind): info for info in KINDS}
_uid = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def written(objects: Sequence[Resource], version: str, taken: str) -> bytes:
    """Return the document of these objects; `version` is knary's, `taken` RFC 3339."""
    documents = [to_document(_storable(obj)) for obj in lasting(objects)]
    head = {"kind": KIND, "schema": SCHEMA, "knary": version, "taken": taken}
    return msgspec.json.format(msgspec.json.encode({**head, "objects": documents}), indent=1)


def read(body: bytes) -> list[Resource]:
    """Return the objects of a document. Raise BadRequest or Invalid, saying which is unfit."""
    document, _ = parse_json(body)
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise BadRequest(f"this is no snapshot of knary's: its kind is not {KIND}")
    if document.get("schema") != SCHEMA:
        found = document.get("schema")
        raise BadRequest(f"this knary reads snapshots of schema {SCHEMA}, this one has {found!r}")
    listed = document.get("objects")
    if not isinstance(listed, list):
        raise BadRequest("the snapshot has no list of objects")
    objects = [_object(number, one) for number, one in enumerate(listed)]
    for what in ({(type(obj), obj.key) for obj in objects}, {obj.uid for obj in objects}):
        if len(what) < len(objects):
            raise BadRequest("the snapshot has an object twice")
    return lasting(objects)


def _object(number: int, document: Any) -> Resource:
    where = f"objects[{number}] of the snapshot"
    info = _info(document)
    if info is None:
        raise BadRequest(f"{where} is of no kind that a snapshot has")
    try:
        obj = examine(document, info).object()
    except ApiError as error:
        raise BadRequest(f"{where}: {error.message}") from error
    if causes := validate_generic_metadata(obj):
        raise Invalid.of(info.group, info.kind, obj.metadata.name, causes)
    if not _uid.fullmatch(obj.uid):
        raise BadRequest(f"{where} has no uid")
    return obj


def _info(document: Any) -> KindInfo | None:
    if not isinstance(document, dict):
        return None
    names = document.get("apiVersion"), document.get("kind")
    if not all(isinstance(name, str) for name in names):
        return None
    info = _BY_NAME.get(names)  # type: ignore[arg-type]
    return None if info is None or info.type in MADE_ANEW else info


def _storable(obj: Resource) -> Resource:
    return obj.with_metadata(resource_version="")
