"""Values as Go prints them, since the messages of Kubernetes and Knative do: %q, %v and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_BASIC_PLANE_END = 0x10000
_CONTROL_END = 0x80


def quoted(text: str) -> str:
    """Return Go's %q of a string: in double quotes, what cannot be printed escaped."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < _CONTROL_END:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _BASIC_PLANE_END else f"\\U{code:08x}"


def listed(texts: Sequence[str]) -> str:
    """Return Go's %v of a []string: space-separated, in square brackets."""
    return "[" + " ".join(texts) + "]"


def bad_value(value: Any) -> str:
    """Return the value as a Kubernetes field error shows it: a quoted string, or JSON."""
    if isinstance(value, str):
        return quoted(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
