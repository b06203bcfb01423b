"""Errors of the API: each knows its HTTP code, its Kubernetes reason and its Status body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar


class KnaryError(Exception):
    """Whatever knary reports to a user in one or two lines: what, where, what to do."""


class ApiError(KnaryError):
    """A refusal as a real API server words it (apimachinery, pkg/api/errors)."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.metadata: Mapping[str, Any] = {}
        self.warnings: tuple[str, ...] = ()  # headers beside the Status

    def status(self) -> dict[str, Any]:
        """Return the metav1.Status body."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": dict(self.metadata),
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details:
            body["details"] = dict(self.details)
        body["code"] = self.code
        return body


@contextmanager
def with_warnings(warnings: Sequence[str]) -> Iterator[None]:
    """Let a refusal from within carry these warnings: a client is warned of what fails, too."""
    try:
        yield
    except ApiError as error:
        error.warnings = (*warnings, *error.warnings)
        raise


def _of(group: str, plural: str, name: str) -> tuple[str, dict[str, Any]]:
    """Return the qualified resource as Kubernetes prints it, and the Status details."""
    qualified = f"{plural}.{group}" if group else plural
    details = {"name": name, "kind": plural}
    if group:
        details["group"] = group
    return qualified, details


class Untyped(ApiError):
    """An apply of what its kind's schema does not declare; a real API server has no reason here."""

    reason = ""


class NotFound(ApiError):
    code = 404
    reason = "NotFound"

    @classmethod
    def of(cls, group: str, plural: str, name: str) -> NotFound:
        qualified, details = _of(group, plural, name)
        return cls(f'{qualified} "{name}" not found', details)


class AlreadyExists(ApiError):
    code = 409
    reason = "AlreadyExists"

    @classmethod
    def of(cls, group: str, plural: str, name: str) -> AlreadyExists:
        qualified, details = _of(group, plural, name)
        return cls(f'{qualified} "{name}" already exists', details)

    @classmethod
    def of_generated(cls, group: str, plural: str, name: str) -> AlreadyExists:
        """Return the refusal of generateName when every name that was tried is taken."""
        qualified, details = _of(group, plural, name)
        return cls(
            f'{qualified} "{name}" already exists, the server was not able to generate a unique'
            " name for the object",
            details,
        )


class Conflict(ApiError):
    """The object was changed since it was read, or a precondition does not hold."""

    code = 409
    reason = "Conflict"

    @classmethod
    def of(cls, group: str, plural: str, name: str, why: str | None = None) -> Conflict:
        qualified, details = _of(group, plural, name)
        why = why or (
            "the object has been modified; please apply your changes to the latest version"
            " and try again"
        )
        return cls(f'Operation cannot be fulfilled on {qualified} "{name}": {why}', details)


class ApplyConflict(ApiError):
    """An apply sets what other managers own; `causes` are (message, field)."""

    code = 409
    reason = "Conflict"

    @classmethod
    def of(cls, message: str, causes: Sequence[tuple[str, str]]) -> ApplyConflict:
        listed = [
            {"reason": "FieldManagerConflict", "message": why, "field": field}
            for why, field in causes
        ]
        return cls(message, {"causes": listed})


class Invalid(ApiError):
    """The object breaks its schema; `causes` are (field, reason, message)."""

    code = 422
    reason = "Invalid"

    @classmethod
    def of(
        cls, group: str, kind: str, name: str, causes: Sequence[tuple[str, str, str]]
    ) -> Invalid:
        qualified = f"{kind}.{group}" if group else kind
        parts = [f"{field}: {message}" for field, _, message in causes]
        text = parts[0] if len(parts) == 1 else "[" + ", ".join(parts) + "]"
        details: dict[str, Any] = {"name": name, "kind": kind}
        if group:
            details["group"] = group
        details["causes"] = [
            {"reason": reason, "message": message, "field": field}
            for field, reason, message in causes
        ]
        return cls(f'{qualified} "{name}" is invalid: {text}', details)


def rejected(why: str) -> Invalid:
    """Return the refusal of a patch that does not fit; a warning beside it says why."""
    refusal = Invalid("the server rejected our request due to an error in our request")
    refusal.warnings = (why,)
    return refusal


class BadRequest(ApiError):
    code = 400
    reason = "BadRequest"


class Unauthorized(ApiError):
    code = 401
    reason = "Unauthorized"


class Forbidden(ApiError):
    code = 403
    reason = "Forbidden"


class MethodNotAllowed(ApiError):
    code = 405
    reason = "MethodNotAllowed"


class NotAcceptable(ApiError):
    code = 406
    reason = "NotAcceptable"


class Expired(ApiError):
    """The history that a watch asks for is gone; the client lists again."""

    code = 410
    reason = "Expired"


class ContinueExpired(Expired):
    """The pages of a list are gone; the token in it goes on with what is there now."""

    @classmethod
    def of(cls, message: str, token: str) -> ContinueExpired:
        expired = cls(message)
        expired.metadata = {"continue": token}
        return expired


class TooLargeVersion(ApiError):
    """A resourceVersion that is yet to come (apiserver `storage/errors.go`)."""

    code = 504
    reason = "Timeout"

    @classmethod
    def of(cls, version: int, current: int) -> TooLargeVersion:
        causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
        return cls(
            f"Timeout: Too large resource version: {version}, current: {current}",
            {"causes": causes, "retryAfterSeconds": 1},
        )


class TooLarge(ApiError):
    code = 413
    reason = "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    code = 415
    reason = "UnsupportedMediaType"


class Unavailable(ApiError):
    code = 503
    reason = "ServiceUnavailable"


class StorageFailed(ApiError):
    """The disk refused a write: nothing was changed and nothing was acknowledged."""

    code = 500
    reason = "InternalError"


class StorageFull(StorageFailed):
    """The disk has no room for a write (RFC 4918, 11.5)."""

    code = 507
    reason = "InsufficientStorage"
