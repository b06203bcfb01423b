"""The options of a write, from its query or body, read or refused. Pure.

Sources: apimachinery `meta/v1/validation`, `meta/v1/types.go`; apiserver `endpoints/handlers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from msgspec import Struct

from simulator.api.bodies import APPLY_PATCH, options_of
from simulator.api.exchange import Request
from simulator.api.queries import Query
from simulator.errors import BadRequest, Invalid
from simulator.resources.wording import quoted
from simulator.store.transitions import DeleteOptions, Propagation

FIELD_MANAGER_BYTES_MAX = 128

_POLICIES = ("Background", "Foreground", "Orphan")
_META_GROUP = "meta.k8s.io"
_VALIDATIONS = ("", "Ignore", "Strict", "Warn")

OptionsKind = Literal["CreateOptions", "UpdateOptions", "PatchOptions", "DeleteOptions"]
Cause = tuple[str, str, str]  # field, reason, message: what errors.Invalid takes


class WriteOptions(Struct, frozen=True):
    """Query options of a create, update or patch."""

    is_dry_run: bool = False
    field_validation: str = "Warn"  # what a real API server does when nothing is said
    field_manager: str = ""
    force: bool = False

    @property
    def is_strict(self) -> bool:
        return self.field_validation == "Strict"

    @property
    def warns(self) -> bool:
        return self.field_validation == "Warn"


class DeleteRequest(Struct, frozen=True):
    """How to delete, and whether only to try."""

    options: DeleteOptions
    is_dry_run: bool = False


def write_options(request: Request, kind: OptionsKind, patch: str = "") -> WriteOptions:
    """Return the options of the query; `patch` is the type of a patch. Raise Invalid.

    Who says no `fieldManager` is called what the User-Agent begins with.
    """
    query = request.query
    manager = query.text("fieldManager")
    causes: list[Cause] = []
    if kind == "PatchOptions":
        causes += _patch_causes(query, manager, patch)
    causes += _manager_causes(manager)
    dry_run = query.text("dryRun")
    if dry_run not in ("", "All"):
        causes.append(_bad_dry_run(f"[]string{{{quoted(dry_run[:40])}}}"))
    validation = query.text("fieldValidation")
    if validation not in _VALIDATIONS:
        listed = ", ".join(map(quoted, _VALIDATIONS))
        why = f"Unsupported value: {quoted(validation[:40])}: supported values: {listed}"
        causes.append(("fieldValidation", "FieldValueNotSupported", why))
    if causes:
        raise Invalid.of(_META_GROUP, kind, "", causes)
    return WriteOptions(
        is_dry_run=bool(dry_run),
        field_validation=validation or "Warn",
        field_manager=manager or manager_of(request.user_agent),
        force=query.boolean("force"),
    )


def manager_of(user_agent: str) -> str:
    """Return whom a User-Agent names: what comes before its "/", at most 128 bytes."""
    name = ""
    for mark in user_agent.partition("/")[0]:
        if len((name + mark).encode()) > FIELD_MANAGER_BYTES_MAX:
            break
        if mark.isprintable():
            name += mark
    return name


def _patch_causes(query: Query, manager: str, patch: str) -> list[Cause]:
    if patch == APPLY_PATCH:
        if manager:
            return []
        why = "Required value: is required for apply patch"
        return [("fieldManager", "FieldValueRequired", why)]
    if "force" not in query.values:
        return []
    return [("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch")]


def _manager_causes(manager: str) -> list[Cause]:
    causes: list[Cause] = []
    if len(manager.encode()) > FIELD_MANAGER_BYTES_MAX:
        why = f"Too long: may not be more than {FIELD_MANAGER_BYTES_MAX} bytes"
        causes.append(("fieldManager", "FieldValueTooLong", why))
    position = 0
    for mark in manager[: FIELD_MANAGER_BYTES_MAX + 1]:
        if not mark.isprintable():
            why = f"invalid character U+{ord(mark):04X} (at position {position})"
            shown = f"Invalid value: {quoted(manager[:200])}: {why}"
            causes.append(("fieldManager", "FieldValueInvalid", shown))
        position += len(mark.encode())
    return causes


def delete_request(request: Request) -> DeleteRequest:
    """Return the DeleteOptions of body and query; the body's count first. Raise ApiError."""
    given = options_of(request)
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
    return DeleteRequest(options, _dry_run(dry_run))


def _policy(policy: Any, orphan: Any, query: Query) -> Propagation | None:
    if orphan is None and "orphanDependents" in query.values:
        orphan = query.boolean("orphanDependents")
    if policy is None:
        return None if orphan is None else ("Orphan" if orphan is True else "Background")
    if policy not in _POLICIES:
        allowed = ", ".join(f'"{name}"' for name in (*_POLICIES, "nil"))
        message = f'Unsupported value: "{str(policy)[:40]}": supported values: {allowed}'
        causes = [("propagationPolicy", "FieldValueNotSupported", message)]
        raise Invalid.of(_META_GROUP, "DeleteOptions", "", causes)
    if orphan is not None:
        why = f'Invalid value: "{policy}": '
        why += "orphanDependents and deletionPropagation cannot be both set"
        causes = [("propagationPolicy", "FieldValueInvalid", why)]
        raise Invalid.of(_META_GROUP, "DeleteOptions", "", causes)
    return cast("Propagation", policy)


def _dry_run(values: Any) -> bool:
    if values in ([], ["All"]):
        return bool(values)
    shown = ", ".join(quoted(str(one)[:40]) for one in values) if isinstance(values, list) else ""
    raise Invalid.of(_META_GROUP, "DeleteOptions", "", [_bad_dry_run(f"[]string{{{shown}}}")])


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"{name} must be an object")
    return value


def _text(holder: Mapping[str, Any], name: str) -> str | None:
    value = holder.get(name)
    if value is not None and not isinstance(value, str):
        raise BadRequest(f"preconditions.{name} must be a string")
    return value


def _bad_dry_run(shown: str) -> Cause:
    why = f'Unsupported value: {shown}: supported values: "All"'
    return "dryRun", "FieldValueNotSupported", why
