"""One step of a field's path, in the form that FieldsV1 writes it.

`f:NAME` is a field, `k:{...}` the item of a list with these keys, `v:VALUE` the item of a set,
`i:INDEX` the item at a place. The text is canonical, so equal steps are equal strings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Element = str
Path = tuple[Element, ...]

_ORDER = {"f": 0, "k": 1, "v": 2, "i": 3}
_SCALARS = str | int | float | bool


def field(name: str) -> Element:
    return f"f:{name}"


def item_with_keys(keys: Mapping[str, Any]) -> Element:
    """Return the step to the item whose fields have these scalar values."""
    return "k:" + _compact({name: _number(keys[name]) for name in sorted(keys)})


def item_with_value(value: Any) -> Element:
    """Return the step to this scalar in a set."""
    return "v:" + _compact(_number(value))


def parse(text: str) -> Element:
    """Return the canonical form of what a client wrote. Raise ValueError."""
    kind, colon, rest = text[:1], text[1:2], text[2:]
    if colon != ":" or kind not in _ORDER:
        raise ValueError(f"no path element: {text[:80]!r}")
    if kind == "f":
        return text
    try:
        value = json.loads(rest, parse_constant=_refuse_constant)
        # Half of a surrogate pair cannot be written as UTF-8: a ValueError, too.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no path element: {text[:80]!r}") from error
    if kind == "i" and isinstance(value, int) and not isinstance(value, bool):
        return f"i:{value}"
    if kind == "v" and _is_scalar(value):
        return item_with_value(value)
    if kind == "k" and isinstance(value, dict) and all(map(_is_scalar, value.values())):
        return item_with_keys(value)
    raise ValueError(f"no path element: {text[:80]!r}")


def order(element: Element) -> tuple[int, Any]:
    """Return what elements are sorted by: fields, items by keys, items by value, indices."""
    kind, rest = element[0], element[2:]
    return _ORDER[kind], int(rest) if kind == "i" else rest


def shown(path: Path) -> str:
    """Return the path as messages print it, such as `.spec.ports[port=80].name`."""
    return "".join(map(_shown, path))


def _shown(element: Element) -> str:
    kind, rest = element[0], element[2:]
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        pairs = (f"{name}={_compact(value)}" for name, value in json.loads(rest).items())
        return f"[{','.join(pairs)}]"
    return f"[={rest}]" if kind == "v" else f"[{rest}]"


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _is_scalar(value: Any) -> bool:
    return isinstance(value, _SCALARS)


def _number(value: Any) -> Any:
    """Return a whole number as an integer: 80.0 and 80 name the same item."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _compact(value: Any) -> str:
    """Return JSON as Go writes it: compact, with the letters of HTML escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
