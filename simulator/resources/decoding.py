"""From a client's JSON document to an API object: the structs are the only schema.

What the CRDs of Knative say beyond types is in `REQUIRED`, `LIST_KEYS` and `OPEN`. Sources:
knative/serving `config/core/300-resources`, apiextensions-apiserver (pruning, list maps),
kube-openapi `validate` (the words about wrong types).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from simulator.errors import BadRequest, Invalid
from simulator.resources import core, meta, podspec, serving
from simulator.resources.documents import DEPTH_MAX, parse_json
from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo
from simulator.resources.shapes import (
    AnyShape,
    ListShape,
    MapShape,
    ObjectShape,
    ScalarShape,
    Shape,
    shape_of,
)
from simulator.resources.wording import bad_value

__all__ = ["Decoded", "decode", "decoding_warnings", "parse_json", "strict_decoding_error"]

Cause = tuple[str, str, str]  # field, reason, message: what errors.Invalid takes

UNKNOWN_FIELDS_MAX = 100  # more are dropped like the others, but not named
CAUSES_MAX = 100
SHOWN_BODY_CHARACTERS_MAX = 200

# JSON names that a part must have, beyond the struct fields without a default.
REQUIRED: dict[type, tuple[str, ...]] = {
    podspec.EnvVar: ("name",),
    podspec.HttpHeader: ("name", "value"),
    podspec.VolumeMount: ("mountPath", "name"),
    serving.RevisionSpec: ("containers",),
}

# Lists whose items are told apart by one of their fields.
LIST_KEYS: dict[tuple[type, str], str] = {
    (podspec.Container, "env"): "name",
    (podspec.Container, "volumeMounts"): "mountPath",
    **{
        (holder, field): "name"
        for holder in (podspec.PodSpec, serving.RevisionSpec, core.PodTemplateSpec)
        for field in ("volumes", "imagePullSecrets")
    },
}

# Parts whose unknown fields are dropped without a word: the schema lets them pass.
OPEN: frozenset[type] = frozenset({serving.TemplateMeta})

# Fields of Kubernetes that mean nothing here, and are no mistake of the client.
IGNORED: dict[type, frozenset[str]] = {meta.ObjectMeta: frozenset({"selfLink"})}


class Decoded(Struct, frozen=True):
    """The object, and the path of each field that no schema knows (they are dropped)."""

    object: Resource
    unknown_fields: tuple[str, ...] = ()


def decode(document: Any, info: KindInfo) -> Decoded:
    """Return the object that a request's document describes.

    Nulls count as absent; a tuple is an array, since `scheme.to_document` makes tuples. Raise
    BadRequest when it is no object of this kind, Invalid (422, every cause at once) when a field
    has a wrong type, is missing, or a list names an item twice.
    """
    _check_kind(document, info)
    walk = _Walk()
    body = {key: value for key, value in document.items() if key not in ("apiVersion", "kind")}
    cleaned = walk.clean(body, shape_of(info.type), "", 0)
    if walk.causes:
        raise Invalid.of(info.group, info.kind, _name_of(document), walk.causes)
    try:
        decoded = msgspec.convert(cleaned, info.type)
    except msgspec.ValidationError as error:
        raise BadRequest(cannot_be_handled(info.kind, info.version, str(error))) from error
    return Decoded(decoded, tuple(walk.unknown_fields))


def strict_decoding_error(
    kind: str, version: str, unknown: Sequence[str], duplicates: Sequence[str]
) -> BadRequest:
    """Return the refusal of `fieldValidation=Strict`."""
    problems = ", ".join(decoding_warnings(unknown, duplicates))
    return BadRequest(cannot_be_handled(kind, version, f"strict decoding error: {problems}"))


def decoding_warnings(unknown: Sequence[str], duplicates: Sequence[str]) -> tuple[str, ...]:
    """Return the texts of `fieldValidation=Warn`, one per field."""
    return (
        *(f'duplicate field "{path}"' for path in duplicates),
        *(f'unknown field "{path}"' for path in unknown),
    )


def cannot_be_handled(kind: str, version: str, why: str) -> str:
    """Return apimachinery's words for a document that is no object of its kind."""
    return f'{kind} in version "{version}" cannot be handled as a {kind}: {why}'


def _check_kind(document: Any, info: KindInfo) -> None:
    if not isinstance(document, dict):
        raise BadRequest(
            cannot_be_handled(
                info.kind, info.version, f"the body is a JSON {_type_name(document)}, not an object"
            )
        )
    for field, word in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        given = document.get(field)
        if not isinstance(given, str) or not given:
            shown = bad_value(document)[:SHOWN_BODY_CHARACTERS_MAX]
            raise BadRequest(f"Object '{word}' is missing in '{shown}'")
    if document["apiVersion"] != info.api_version:
        raise BadRequest(
            f"the API version in the data ({document['apiVersion']})"
            f" does not match the expected API version ({info.api_version})"
        )
    if document["kind"] != info.kind:
        raise BadRequest(
            f'{document["kind"]} in version "{info.version}" cannot be handled as a {info.kind}:'
            f" the kind in the data ({document['kind']}) does not match the expected kind"
            f" ({info.kind})"
        )


def _name_of(document: dict[str, Any]) -> str:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


class _Walk:
    """One pass over a document: what is known is kept, the rest is noted."""

    def __init__(self) -> None:
        self.unknown_fields: list[str] = []
        self.causes: list[Cause] = []

    def clean(self, value: Any, shape: Shape, path: str, depth: int) -> Any:
        """Return the value without nulls and unknown fields."""
        if depth > DEPTH_MAX:
            raise BadRequest(f"{path[:SHOWN_BODY_CHARACTERS_MAX]}: nests too deep")
        match shape:
            case ObjectShape():
                return self._object(value, shape, path, depth)
            case ListShape():
                return self._list(value, shape.item, path, depth)
            case MapShape():
                return self._map(value, shape.value, path, depth)
            case ScalarShape():
                return self._scalar(value, shape, path)
            case AnyShape():
                _check_json(value, path, depth)
                return value

    def _object(self, value: Any, shape: ObjectShape, path: str, depth: int) -> Any:
        if not isinstance(value, dict):
            return self._refuse_type(value, "object", path)
        kept: dict[str, Any] = {}
        for key, below in value.items():
            field = shape.fields.get(key)
            here = f"{path}.{key}" if path else str(key)
            if field is None:
                self._note_unknown(here, key, shape.type)
            elif below is not None:
                kept[key] = self.clean(below, field, here, depth + 1)
                if item_key := LIST_KEYS.get((shape.type, key)):
                    self._refuse_repeats(below, item_key, here)
        for key in (*shape.required, *REQUIRED.get(shape.type, ())):
            if key not in kept:
                missing = f"{path}.{key}" if path else key
                self._refuse((missing, "FieldValueRequired", "Required value"))
        return kept

    def _list(self, value: Any, item: Shape, path: str, depth: int) -> Any:
        if not isinstance(value, list | tuple):
            return self._refuse_type(value, "array", path)
        return [
            self.clean(below, item, f"{path}[{index}]", depth + 1)
            for index, below in enumerate(value)
        ]

    def _map(self, value: Any, shape: Shape, path: str, depth: int) -> Any:
        if not isinstance(value, dict):
            return self._refuse_type(value, "object", path)
        return {
            key: self.clean(below, shape, f"{path}.{key}", depth + 1)
            for key, below in value.items()
            if below is not None
        }

    def _scalar(self, value: Any, shape: ScalarShape, path: str) -> Any:
        if isinstance(value, float) and "integer" in shape.names and value.is_integer():
            value = int(value)
        name = _type_name(value)
        if name in shape.names or (name == "integer" and "number" in shape.names):
            return value
        return self._refuse_type(value, ",".join(shape.names), path)

    def _note_unknown(self, path: str, key: str, holder: type) -> None:
        if holder in OPEN or key in IGNORED.get(holder, ()):
            return
        if len(self.unknown_fields) < UNKNOWN_FIELDS_MAX:
            self.unknown_fields.append(path)

    def _refuse_repeats(self, items: Any, item_key: str, path: str) -> None:
        seen: set[str] = set()
        for index, item in enumerate(items if isinstance(items, list | tuple) else ()):
            named = item.get(item_key) if isinstance(item, dict) else None
            if not isinstance(named, str):
                continue
            if named in seen:
                shown = bad_value({item_key: named})
                cause = (f"{path}[{index}]", "FieldValueDuplicate", f"Duplicate value: {shown}")
                self._refuse(cause)
            seen.add(named)

    def _refuse_type(self, value: Any, expected: str, path: str) -> None:
        given = bad_value(_type_name(value))
        where = path or "<root>"
        message = f"Invalid value: {given}: {where} in body must be of type {expected}: {given}"
        self._refuse((where, "FieldValueTypeInvalid", message))

    def _refuse(self, cause: Cause) -> None:
        if len(self.causes) < CAUSES_MAX:
            self.causes.append(cause)


def _type_name(value: Any) -> str:
    """Return the JSON type as OpenAPI names it; an integer beyond 64 bits is a mere number."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer" if -(2**63) <= value < 2**63 else "number"
        case float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
        case dict():
            return "object"
        case _:
            return type(value).__name__


def _check_json(value: Any, path: str, depth: int) -> None:
    """Raise BadRequest when a free-form value nests too deep to be kept."""
    if depth > DEPTH_MAX:
        raise BadRequest(f"{path[:SHOWN_BODY_CHARACTERS_MAX]}: nests too deep")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for below in value:
            _check_json(below, path, depth + 1)
