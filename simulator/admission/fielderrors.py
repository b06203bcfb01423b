"""Field errors: what is wrong, at which paths; how paths compose and errors merge into one text.

Errors are plain tuples: `+` collects them, `via_*` says where they were found. Source: knative/pkg
`apis/field_error.go`; the messages are part of the interface.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from simulator.resources.wording import quoted

CURRENT_FIELD = ""


class FieldError(Struct, frozen=True):
    """One complaint. A warning does not refuse the object."""

    message: str
    paths: tuple[str, ...] = ()
    details: str = ""
    is_warning: bool = False

    def text(self) -> str:
        """Return it as a client reads it."""
        head = f"{self.message}: {', '.join(self.paths)}"
        return f"{head}\n{self.details}" if self.details else head


Errors = tuple[FieldError, ...]
NONE: Errors = ()


def via_field(errors: Errors, *prefix: str) -> Errors:
    """Return the errors as found under this field."""
    return tuple(
        replace(error, paths=tuple(_flatten((*prefix, path)) for path in error.paths))
        for error in errors
    )


def via_index(errors: Errors, index: int) -> Errors:
    """Return the errors as found at this place of a list; `via_field` then names the list."""
    return via_field(errors, f"[{index}]")


def via_key(errors: Errors, key: str) -> Errors:
    """Return the errors as found under this key of a map."""
    return via_field(errors, f"[{key}]")


def via_field_index(errors: Errors, field: str, index: int) -> Errors:
    """Return the errors as found at `field[index]`."""
    return via_field(via_index(errors, index), field)


def merged(errors: Iterable[FieldError]) -> Errors:
    """Return equal complaints as one with all their paths, sorted by message and details."""
    by_complaint: dict[tuple[bool, str, str], set[str]] = {}
    for error in errors:
        paths = by_complaint.setdefault((error.is_warning, error.message, error.details), set())
        paths.update(error.paths)
    return tuple(
        FieldError(message, tuple(sorted(paths)), details, is_warning)
        for (is_warning, message, details), paths in sorted(
            by_complaint.items(), key=lambda item: (item[0][1], item[0][2], item[0][0])
        )
    )


def refusals(errors: Errors) -> Errors:
    """Return those that refuse the object."""
    return tuple(error for error in errors if not error.is_warning)


def warnings(errors: Errors) -> Errors:
    """Return those that only warn."""
    return tuple(error for error in errors if error.is_warning)


def render(errors: Errors) -> str:
    """Return all errors as the one text that a client reads."""
    return "\n".join(error.text() for error in merged(errors))


def _flatten(parts: Iterable[str]) -> str:
    """Join path components with dots; an index or key sticks to the component before it."""
    flat: list[str] = []
    for part in parts:
        for piece in part.split("."):
            if piece == CURRENT_FIELD:
                continue
            if flat and piece.startswith("[") and piece.endswith("]"):
                flat[-1] += piece
            else:
                flat.append(piece)
    return ".".join(flat)


def generic(message: str, *paths: str, details: str = "") -> Errors:
    """Return a refusal in words of its own."""
    return (FieldError(message, paths, details),)


def warning(message: str, *paths: str, details: str = "") -> Errors:
    """Return a complaint that refuses nothing."""
    return (FieldError(message, paths, details, is_warning=True),)


def missing_field(*paths: str) -> Errors:
    """Return the refusal of fields that are not there."""
    return generic("missing field(s)", *paths)


def disallowed_fields(*paths: str) -> Errors:
    """Return the refusal of fields that may not be set; nothing without a path."""
    return generic("must not set the field(s)", *sorted(paths)) if paths else NONE


def invalid_value(value: Any, path: str, details: str = "") -> Errors:
    """Return the refusal of a field's value."""
    return generic(f"invalid value: {value}", path, details=details)


def invalid_array_value(value: Any, field: str, index: int) -> Errors:
    """Return the error with the index behind the field: `tag[1]`."""
    return via_field_index(invalid_value(value, CURRENT_FIELD), field, index)


def invalid_key_name(key: str, path: str, details: str = "") -> Errors:
    """Return the refusal of a name or of a map's key."""
    return generic(f"invalid key name {quoted(key)}", path, details=details)


def missing_one_of(*paths: str) -> Errors:
    """Return the refusal of a choice that was not made."""
    return generic("expected exactly one, got neither", *paths)


def multiple_one_of(*paths: str) -> Errors:
    """Return the refusal of a choice that was made more than once."""
    return generic("expected exactly one, got both", *paths)


def out_of_bounds(value: Any, lower: Any, upper: Any, path: str) -> Errors:
    """Return the refusal of a value outside of its bounds, which are allowed themselves."""
    return generic(f"expected {lower} <= {value} <= {upper}", path)
