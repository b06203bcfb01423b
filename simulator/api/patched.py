"""Merge, JSON and strategic merge patches: read, carried out, and what comes of them decoded. Pure.

Source: apiserver `endpoints/handlers/patch.go` (`jsonPatcher`, `smpPatcher`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from simulator.api.bodies import JSON_PATCH, MERGE_PATCH, Draft
from simulator.api.options import WriteOptions
from simulator.errors import BadRequest, Invalid, with_warnings
from simulator.resources.decoding import decoding_warnings, examine, parse_json
from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo, to_document
from simulator.resources.wording import quoted
from simulator.store.patching import json_patch, merge_patch
from simulator.store.strategic import strategic_merge_patch

_SHOWN_BYTES_MAX = 4096
_GO_TYPES = {JSON_PATCH: "[]handlers.jsonPatchOp"}


def read(body: bytes, kind: str) -> tuple[Any, tuple[str, ...]]:
    """Return the patch and the paths of keys given twice. Raise BadRequest."""
    patch, duplicates = parse_json(body)
    wanted = list if kind == JSON_PATCH else dict
    if not isinstance(patch, wanted):
        go_type = _GO_TYPES.get(kind, "map[string]interface {}")
        raise BadRequest(
            f"error decoding patch: json: cannot unmarshal {_json_type(patch)}"
            f" into Go value of type {go_type}"
        )
    return patch, duplicates


def changed(
    old: Resource,
    kind: str,
    patch: Any,
    duplicates: Sequence[str],
    info: KindInfo,
    options: WriteOptions,
) -> Draft:
    """Return what the patch makes of the object. Raise ApiError."""
    document = to_document(old)
    if kind == JSON_PATCH:
        result = json_patch(document, patch)
    elif kind == MERGE_PATCH:
        result = merge_patch(document, patch)
    else:
        result = strategic_merge_patch(document, patch, info.type)
    examined = examine(result, info)
    prefix = "json patch " if kind == JSON_PATCH else ""
    problems = [
        *(prefix + problem for problem in decoding_warnings((), duplicates)),
        *decoding_warnings(examined.unknown_fields, ()),
    ]
    if problems and options.is_strict:
        raise _unfit(result, "strict decoding error: " + ", ".join(problems))
    warned = tuple(problems) if options.warns else ()
    with with_warnings(warned):
        return Draft(examined.object(), warned)


def _unfit(result: Any, why: str) -> Invalid:
    """Return the refusal of a patch that makes no object of its kind: it shows what it makes."""
    text = json.dumps(result, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    shown = quoted(text[:_SHOWN_BYTES_MAX])
    return Invalid.of(
        "", "", "", [("patch", "FieldValueInvalid", f"Invalid value: {shown}: {why}")]
    )


def _json_type(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case None:
            return "null"
        case _:
            return "object"
