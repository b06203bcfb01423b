"""Careful reading of free-form parts: what has the wrong JSON type counts as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def part(value: Any, key: str) -> Mapping[str, Any] | None:
    """Return the object under the key, or None."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else None


def items(value: Any, key: str) -> tuple[Mapping[str, Any], ...]:
    """Return the objects in the list under the key."""
    found = value.get(key) if isinstance(value, Mapping) else None
    if not isinstance(found, list | tuple):
        return ()
    return tuple(item if isinstance(item, Mapping) else {} for item in found)


def text(value: Any, key: str) -> str:
    """Return the string under the key, or ""."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def is_set(value: Any, key: str) -> bool:
    """Tell whether the key has a value other than null."""
    return isinstance(value, Mapping) and value.get(key) is not None


def integer(value: Any, key: str) -> int | None:
    """Return the integer under the key, or None."""
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None
