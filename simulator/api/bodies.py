"""What clients send: documents, patches and options, read or refused. Pure.

Sources: apimachinery `meta/v1/validation`, apiserver `endpoints/handlers/{create,delete,rest}.go`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from msgspec import Struct

from simulator.api.exchange import Request
from simulator.api.queries import Query
from simulator.errors import BadRequest, Invalid, UnsupportedMediaType
from simulator.resources.decoding import (
    Decoded,
    decode,
    decoding_warnings,
    parse_json,
    strict_decoding_error,
)
from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo
from simulator.store.transitions import DeleteOptions, Propagation

MERGE_PATCH, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
PATCH_TYPES = (JSON_PATCH, MERGE_PATCH)

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


def require_json(content_type: str) -> None:
    """Raise UnsupportedMediaType unless the body is JSON; no Content-Type means JSON.

    JSON alone: a page of another site cannot send it without asking first (a preflight).
    """
    if _media_type(content_type) not in ("", "application/json"):
        raise UnsupportedMediaType(_unknown_format(("application/json",)))


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
        require_json(request.content_type)
        document, _ = parse_json(request.body)
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
