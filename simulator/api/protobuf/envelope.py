"""What a body in protobuf is wrapped in: four bytes, and runtime.Unknown with the kind. Pure.

Source: apimachinery `runtime/serializer/protobuf/protobuf.go`, `runtime/generated.proto`.
"""

from __future__ import annotations

import base64
from typing import Any

from simulator.api.protobuf.kinds import MESSAGES
from simulator.api.protobuf.messages import Field, Message, document_of, part, text
from simulator.api.protobuf.metadata import DELETE_OPTIONS
from simulator.api.protobuf.wire import Budget, Malformed
from simulator.errors import BadRequest

_PREFIX = b"k8s\0"
_UNKNOWN = Message(
    "Unknown",
    {
        1: part("typeMeta", Message("TypeMeta", {1: text("apiVersion"), 2: text("kind")})),
        2: Field("raw", "bytes"),
    },
)


def read_protobuf(body: bytes, api_version: str, kind: str) -> dict[str, Any]:
    """Return the document that the body describes, with its own apiVersion and kind.

    Those that the body does not name are `api_version` and `kind`. Raise BadRequest.
    """
    try:
        return _read(body, api_version, kind)
    except Malformed as error:
        version = api_version.rpartition("/")[2]
        raise BadRequest(
            f'{kind} in version "{version}" cannot be handled as a {kind}: {error}'
        ) from error


def _read(body: bytes, api_version: str, kind: str) -> dict[str, Any]:
    if not body:
        raise Malformed("empty data")
    if not body.startswith(_PREFIX):
        raise Malformed(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    if body == _PREFIX:
        raise Malformed("empty body")
    budget = Budget()
    unknown = document_of(_UNKNOWN, body[len(_PREFIX) :], budget)
    named = unknown.get("typeMeta", {})
    named = {
        "apiVersion": named.get("apiVersion") or api_version,
        "kind": named.get("kind") or kind,
    }
    # The options of a delete may be named after any group.
    is_delete = named["kind"] == kind == "DeleteOptions"
    message = DELETE_OPTIONS if is_delete else MESSAGES.get((named["apiVersion"], named["kind"]))
    if message is None:
        raise Malformed(
            f'no kind "{named["kind"][:100]}" is registered for version'
            f' "{named["apiVersion"][:100]}" in protobuf'
        )
    return named | document_of(message, base64.b64decode(unknown.get("raw", "")), budget)
