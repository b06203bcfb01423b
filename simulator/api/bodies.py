"""What clients send: documents, patches and options, read or refused. Pure.

Sources: apimachinery `meta/v1/validation`, apiserver `endpoints/handlers/{create,delete,rest}.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from simulator.api.exchange import Request
from simulator.errors import BadRequest, UnsupportedMediaType, with_warnings
from simulator.resources.decoding import (
    decoding_warnings,
    examine,
    parse_json,
    strict_decoding_error,
)
from simulator.resources.manifests import YAML_VALUES_MAX, ManifestError, parse_yaml
from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo

if TYPE_CHECKING:
    from simulator.api.options import WriteOptions

JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"


class Draft(Struct, frozen=True):
    """An object as its client wrote it, and what to warn of.

    `is_owned`: an apply has worked out already whose its fields are.
    """

    object: Resource
    warnings: tuple[str, ...] = ()
    is_owned: bool = False


def body_types(info: KindInfo) -> tuple[str, ...]:
    """Return the media types in which objects of this kind may be sent.

    None that a page of another site can send without asking first (a preflight).
    """
    return (JSON, YAML) if info.is_custom else (JSON, YAML, PROTOBUF)


def document_of(request: Request) -> tuple[Any, tuple[str, ...]]:
    """Return the document of a body, and the paths of keys given twice. Raise ApiError.

    No Content-Type means JSON.
    """
    info = request.target.info
    return _document(request, body_types(info), info.api_version, info.kind)


def _document(
    request: Request, accepted: Sequence[str], api_version: str, kind: str
) -> tuple[Any, tuple[str, ...]]:
    media_type = _media_type(request.content_type) or JSON
    if media_type not in accepted:
        raise UnsupportedMediaType(_unknown_format(accepted))
    match media_type:
        case "application/json":
            return parse_json(request.body)
        case "application/yaml":
            return _yaml(request.body), ()
        case _:
            # Here, as the tables need not be made before somebody writes so.
            from simulator.api.protobuf.envelope import read_protobuf

            return read_protobuf(request.body, api_version, kind), ()


def _yaml(body: bytes) -> Any:
    try:
        documents = parse_yaml(body, "yaml", YAML_VALUES_MAX)
    except ManifestError as error:
        raise BadRequest(f"error converting YAML to JSON: {error}") from error
    if len(documents) != 1:
        raise BadRequest(f"the body must be one YAML document, not {len(documents)}")
    return documents[0].document


def patch_types(info: KindInfo) -> tuple[str, ...]:
    """Return the media types of the patches that objects of this kind take.

    A custom kind has no strategic merge patch: no Go type says how its lists merge.
    """
    if info.is_custom:
        return JSON_PATCH, MERGE_PATCH, APPLY_PATCH
    return JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH


def patch_type(content_type: str, info: KindInfo) -> str:
    """Return which patch the body is, of those the kind takes. Raise UnsupportedMediaType."""
    accepted = patch_types(info)
    found = _media_type(content_type)
    if found not in accepted:
        raise UnsupportedMediaType(_unknown_format(accepted))
    return found


def read_object(
    document: Any, duplicates: Sequence[str], info: KindInfo, options: WriteOptions
) -> Draft:
    """Return the object that the document describes. Raise BadRequest or Invalid.

    Unknown and repeated fields are refused, warned of or dropped, as fieldValidation says.
    """
    examined = examine(document, info)
    unknown = examined.unknown_fields
    if options.is_strict and (unknown or duplicates):
        raise strict_decoding_error(info.kind, info.version, unknown, duplicates)
    warned = decoding_warnings(unknown, duplicates) if options.warns else ()
    with with_warnings(warned):
        return Draft(examined.object(), warned)


def options_of(request: Request) -> dict[str, Any]:
    """Return the DeleteOptions in a body, nothing when there is none. Raise ApiError."""
    if not request.body.strip():
        return {}
    document, _ = _document(request, (JSON, YAML, PROTOBUF), "v1", "DeleteOptions")
    if not isinstance(document, dict):
        raise BadRequest("the body of a delete must be a DeleteOptions object")
    return {key: value for key, value in document.items() if value is not None}


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _unknown_format(accepted: Sequence[str]) -> str:
    return (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )
