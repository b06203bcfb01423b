"""What clients send: documents, patches and options, read or refused. Pure.

Sources: apimachinery `meta/v1/validation`, apiserver `endpoints/handlers/{create,delete,rest}.go`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from msgspec import Struct

from simulator.api.exchange import Request
from simulator.api.protobuf.envelope import read_protobuf
from simulator.api.queries import Query
from simulator.errors import BadRequest, Invalid, UnsupportedMediaType
from simulator.resources.decoding import (
    Decoded,
    decode,
    decoding_warnings,
    parse_json,
    strict_decoding_error,
)
from simulator.resources.manifests import ManifestError, parse_yaml
from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo
from simulator.store.transitions import DeleteOptions, Propagation

MERGE_PATCH, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
PATCH_TYPES = (JSON_PATCH, MERGE_PATCH)
JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"

_POLICIES = ("Background", "Foreground", "Orphan")
_META_GROUP = "meta.k8s.io"

OptionsKind = Literal["CreateOptions", "UpdateOptions", "PatchOptions", "DeleteOptions"]


class WriteOptions(Struct, frozen=True):
    """Query options of a create, update or patch."""

    is_dry_run: bool = False
    field_validation: str = "Warn"  # what a real API server does when nothing is said


class DeleteRequest(Struct, frozen=True):
    """How to delete, and whether only to try."""

    options: DeleteOptions
    is_dry_run: bool = False


class Draft(Struct, frozen=True):
    """An object as its client wrote it, and what to warn of."""

    object: Resource
    warnings: tuple[str, ...] = ()


def body_types(info: KindInfo) -> tuple[str, ...]:
    """Return the media types in which objects of this kind may be sent.

    None that a page of another site can send without asking first (a preflight).
    """
    return (JSON, YAML) if info.is_custom else (JSON, YAML, PROTOBUF)


def document_of(request: Request) -> tuple[Any, tuple[str, ...]]:
    """Return the document of a body, and the paths of keys given twice. Raise ApiError.

    No Content-Type means JSON. Of Kubernetes' own kinds, apiVersion and kind may be left out.
    """
    info = request.target.info
    document, duplicates = _document(request, body_types(info), info.api_version, info.kind)
    if isinstance(document, dict) and not info.is_custom:
        named = {"apiVersion": info.api_version, "kind": info.kind}
        given = {key: value for key, value in document.items() if key not in named or value}
        document = named | given
    return document, duplicates


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
            return read_protobuf(request.body, api_version, kind), ()


def _yaml(body: bytes) -> Any:
    try:
        documents = parse_yaml(body, "yaml")
    except ManifestError as error:
        raise BadRequest(f"error converting YAML to JSON: {error}") from error
    if len(documents) != 1:
        raise BadRequest(f"the body must be one YAML document, not {len(documents)}")
    return documents[0].document


def patch_type(content_type: str) -> str:
    """Return MERGE_PATCH or JSON_PATCH. Raise UnsupportedMediaType."""
    found = _media_type(content_type)
    if found not in PATCH_TYPES:
        raise UnsupportedMediaType(_unknown_format(PATCH_TYPES))
    return found


def write_options(query: Query, kind: OptionsKind) -> WriteOptions:
    """Return the options of the query. Raise Invalid."""
    validation = query.text("fieldValidation") or "Warn"
    if validation not in ("Strict", "Warn", "Ignore"):
        message = f'Invalid value: "{validation[:40]}": fieldValidation parameter unsupported'
        raise _invalid_option(kind, "fieldValidation", "FieldValueInvalid", message)
    is_dry_run = _dry_run([query.text("dryRun")] if query.text("dryRun") else [], kind)
    return WriteOptions(is_dry_run, validation)


def read_object(
    document: Any, duplicates: Sequence[str], info: KindInfo, options: WriteOptions
) -> Draft:
    """Return the object that the document describes. Raise BadRequest or Invalid.

    Unknown and repeated fields are refused, warned of or dropped, as fieldValidation says.
    """
    decoded: Decoded = decode(document, info)
    unknown = decoded.unknown_fields
    if options.field_validation == "Strict" and (unknown or duplicates):
        raise strict_decoding_error(info.kind, info.version, unknown, duplicates)
    warns = options.field_validation == "Warn"
    return Draft(decoded.object, decoding_warnings(unknown, duplicates) if warns else ())


def delete_request(request: Request) -> DeleteRequest:
    """Return the DeleteOptions of body and query; the body's count first. Raise ApiError."""
    given: dict[str, Any] = {}
    if request.body.strip():
        types = (JSON, YAML, PROTOBUF)
        document, _ = _document(request, types, "v1", "DeleteOptions")
        if not isinstance(document, dict):
            raise BadRequest("the body of a delete must be a DeleteOptions object")
        given = {key: value for key, value in document.items() if value is not None}
    query = request.query
    policy = given.get("propagationPolicy", query.text("propagationPolicy") or None)
    policy = _policy(policy, given.get("orphanDependents"), query)
    grace_s = given.get("gracePeriodSeconds", query.integer("gracePeriodSeconds"))
    if grace_s is not None and (isinstance(grace_s, bool) or not isinstance(grace_s, int)):
        raise BadRequest("gracePeriodSeconds must be a whole number of seconds")
    preconditions = _mapping(given.get("preconditions", {}), "preconditions")
    dry_run = given.get("dryRun", [query.text("dryRun")] if query.text("dryRun") else [])
    options = DeleteOptions(
        propagation=policy,
        uid=_text(preconditions, "uid"),
        resource_version=_text(preconditions, "resourceVersion"),
        grace_period_s=grace_s,
    )
    return DeleteRequest(options, _dry_run(dry_run, "DeleteOptions"))


def _policy(policy: Any, orphan: Any, query: Query) -> Propagation | None:
    if policy is None:
        if orphan is None and "orphanDependents" in query.values:
            orphan = query.boolean("orphanDependents")
        return None if orphan is None else ("Orphan" if orphan is True else "Background")
    if policy not in _POLICIES:
        allowed = ", ".join(f'"{name}"' for name in (*_POLICIES, "nil"))
        message = f'Unsupported value: "{str(policy)[:40]}": supported values: {allowed}'
        raise _invalid_option(
            "DeleteOptions", "propagationPolicy", "FieldValueNotSupported", message
        )
    return cast("Propagation", policy)


def _dry_run(values: Any, kind: OptionsKind) -> bool:
    if values in ([], ["All"]):
        return bool(values)
    message = f'Unsupported value: {str(values)[:60]}: supported values: "All"'
    raise _invalid_option(kind, "dryRun", "FieldValueNotSupported", message)


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"{name} must be an object")
    return value


def _text(holder: Mapping[str, Any], name: str) -> str | None:
    value = holder.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"preconditions.{name} must be a string")
    return value


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _unknown_format(accepted: Sequence[str]) -> str:
    return (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted)
    )


def _invalid_option(kind: OptionsKind, field: str, reason: str, message: str) -> Invalid:
    return Invalid.of(_META_GROUP, kind, "", [(field, reason, message)])
