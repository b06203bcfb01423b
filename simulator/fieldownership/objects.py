"""Ownership of stored objects: from structs to documents, and the entries back into them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from simulator.fieldownership.schema import schema_of
from simulator.fieldownership.tracking import Document, Entries, Writer, entries_of, updated
from simulator.resources.meta import R, Resource
from simulator.resources.scheme import info_of

_encoder = msgspec.json.Encoder()


def document_of(obj: Resource) -> Document:
    """Return the object as the document that ownership is worked out on; nothing is shared.

    A kind of Kubernetes' own has its structs even when they are empty, as its Go type has; of a
    custom kind there is nothing but what was written.
    """
    document: Document = msgspec.json.decode(_encoder.encode(obj))
    if info_of(obj).is_custom:
        _drop_empty(document, type(obj))
    return {"apiVersion": obj.API_VERSION, "kind": obj.KIND, **document}


def empty_document(kind: type[Resource]) -> Document:
    """Return what a new object of the kind is compared with."""
    document = document_of(kind())
    document.pop("metadata", None)
    return document


def with_update_owned(old: Resource | None, new: R, writer: Writer) -> R:
    """Return the new object whose entries say what its writer has taken by this update.

    It starts from the entries that the new object brings, or the old one has. `old` is None for
    a new object.
    """
    stored: Entries = () if old is None else old.metadata.managed_fields
    entries = entries_of(
        stored, new.metadata.managed_fields, is_subresource=bool(writer.subresource)
    )
    if writer.subresource and old is not None:
        before, after = _part_of(old, writer.subresource), _part_of(new, writer.subresource)
    else:
        before = empty_document(type(new)) if old is None else document_of(old)
        after = document_of(new)
    owned = updated(before, after, entries, writer, schema_of(type(new)))
    return new.with_metadata(managed_fields=owned)


def _part_of(obj: Resource, subresource: str) -> Document:
    """Return the document with no more than a write to the subresource can change."""
    # Most writes are of a status, and most of an object is not.
    part = getattr(obj, subresource)
    inner: dict[str, Any] = msgspec.json.decode(_encoder.encode(part))
    if info_of(obj).is_custom:
        _drop_empty(inner, type(part))
    document: Document = {"metadata": {"uid": obj.uid}}
    return document | {subresource: inner} if inner or not info_of(obj).is_custom else document


def _drop_empty(document: dict[str, Any], struct: type[Struct]) -> None:
    """Take out the structs that nobody wrote: their type alone has put them there."""
    for name, below in _structs_of(struct):
        inner = document.get(name)
        if isinstance(inner, dict):
            _drop_empty(inner, below)
        if inner == {}:
            del document[name]


@lru_cache(maxsize=256)  # there are fewer struct types
def _structs_of(struct: type[Struct]) -> tuple[tuple[str, type[Struct]], ...]:
    return tuple(
        (field.encode_name, field.type)
        for field in msgspec.structs.fields(struct)
        if isinstance(field.type, type) and issubclass(field.type, Struct)
    )
