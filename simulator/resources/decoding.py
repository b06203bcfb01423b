"""From a client's JSON document to an API object: the structs are the only schema.

Of Knative's kinds a value of a wrong type never meets the schema: their mutating webhook decodes
the object first, and says what Go's decoder says (`gotypes`). What the schema says beyond types is
in `schemarules`. Sources: knative/pkg `webhook/resourcesemantics/defaulting/defaulting.go`,
apiextensions-apiserver `customresource_handler.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from simulator.errors import BadRequest, Invalid
from simulator.resources.cleaning import Walk, type_name
from simulator.resources.documents import parse_json
from simulator.resources.meta import Resource
from simulator.resources.scheme import BY_KIND, KindInfo
from simulator.resources.shapes import shape_of
from simulator.resources.wording import bad_value

__all__ = ["decode", "decoding_warnings", "examine", "parse_json", "strict_decoding_error"]

SHOWN_BODY_CHARACTERS_MAX = 200
SHOWN_MESSAGE_CHARACTERS_MAX = 1000
_SCHEME = "pkg/api/legacyscheme/scheme.go:30"

MUTATING_WEBHOOK = "webhook.serving.knative.dev"


class Decoded(Struct, frozen=True):
    """The object, and the path of each field that no schema knows (they are dropped)."""

    object: Resource
    unknown_fields: tuple[str, ...] = ()


class Examined:
    """A document that was looked through: what no schema knows of it is told before all else."""

    __slots__ = ("_cleaned", "_info", "_name", "_walk", "unknown_fields")

    def __init__(self, cleaned: Any, walk: Walk, info: KindInfo, name: str) -> None:
        # A custom resource is pruned, in the order of the names; others are read as they come.
        unknown = sorted(walk.unknown_fields) if info.is_custom else walk.unknown_fields
        self.unknown_fields = tuple(unknown)
        self._cleaned = cleaned
        self._walk = walk
        self._info = info
        self._name = name

    def object(self) -> Resource:
        """Return the object.

        Raise BadRequest when a field of a Knative kind has a wrong type; Invalid (422, every cause
        at once) when a field is missing, or a list names an item twice.
        """
        walk, info = self._walk, self._info
        if walk.mistakes:
            _, first = min(walk.mistakes)
            raise BadRequest(
                f'admission webhook "{MUTATING_WEBHOOK}" denied the request: mutation failed:'
                f" cannot decode incoming new object: {first}"
            )
        if walk.causes:
            raise Invalid.of(info.group, info.kind, self._name, walk.causes)
        try:
            return msgspec.convert(self._cleaned, info.type)
        except msgspec.ValidationError as error:
            raise BadRequest(cannot_be_handled(info.kind, info.version, str(error))) from error


def decode(document: Any, info: KindInfo) -> Decoded:
    """Return the object that a document describes. Raise BadRequest or Invalid."""
    examined = examine(document, info)
    return Decoded(examined.object(), examined.unknown_fields)


def examine(document: Any, info: KindInfo) -> Examined:
    """Return what a request's document says. Raise BadRequest when it is no object of this kind.

    Nulls count as absent; a tuple is an array, since `scheme.to_document` makes tuples.
    """
    if isinstance(document, dict) and not info.is_custom:
        document = _with_kind(document, info)
    _check_kind(document, info)
    walk = Walk(is_knatives=info.is_custom)
    body = {key: value for key, value in document.items() if key not in ("apiVersion", "kind")}
    cleaned = walk.clean(body, shape_of(info.type), "", 0)
    if walk.unreadable:
        _, first = min(walk.unreadable)
        raise BadRequest(cannot_be_handled(info.kind, info.version, first))
    return Examined(cleaned, walk, info, _name_of(document))


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


def _with_kind(document: dict[str, Any], info: KindInfo) -> dict[str, Any]:
    """Return a document of Kubernetes' own with the kind that its URL implies, if it has none.

    Typed clients leave it out (apimachinery `serializer/json`, gvkWithDefaults); custom resources
    must say theirs.
    """
    named = {"kind": info.kind, "apiVersion": info.api_version}
    return document | {field: value for field, value in named.items() if not document.get(field)}


def _check_kind(document: Any, info: KindInfo) -> None:
    if not isinstance(document, dict):
        raise BadRequest(
            cannot_be_handled(
                info.kind, info.version, f"the body is a JSON {type_name(document)}, not an object"
            )
        )
    for field, word in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        given = document.get(field)
        if not isinstance(given, str) or not given:
            shown = bad_value(document)[:SHOWN_BODY_CHARACTERS_MAX]
            raise BadRequest(f"Object '{word}' is missing in '{shown}'")
    named = document["apiVersion"], document["kind"]
    if named == (info.api_version, info.kind):
        return
    if not info.is_custom:
        raise _wrong_kind(*named, info)
    if named[0] != info.api_version:
        raise BadRequest(
            f"the API version in the data ({named[0][:SHOWN_BODY_CHARACTERS_MAX]})"
            f" does not match the expected API version ({info.api_version})"
        )
    shown = bad_value(named[1][:SHOWN_BODY_CHARACTERS_MAX])
    cause = ("kind", "FieldValueInvalid", f"Invalid value: {shown}: must be {info.kind}")
    raise Invalid.of(info.group, info.kind, _name_of(document), [cause])


def _wrong_kind(api_version: str, kind: str, info: KindInfo) -> BadRequest:
    """Return the server's words for one of its own kinds in the place of another."""
    version = api_version.rpartition("/")[2]
    if BY_KIND.get((api_version, kind)) is None:
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "{_SCHEME}"'
    else:
        package = info.group.partition(".")[0] or "core"
        why = f"converting ({version}.{kind}) to ({package}.{info.kind}): unknown conversion"
    words = f'{kind} in version "{version}" cannot be handled as a {info.kind}: {why}'
    return BadRequest(words[:SHOWN_MESSAGE_CHARACTERS_MAX])


def _name_of(document: dict[str, Any]) -> str:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""
