"""What keeps a document from being one of its kind, in the words of a server-side apply."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.fieldownership.elements import field, shown
from simulator.fieldownership.schema import ListType, MapType, ScalarType, Type, resolved
from simulator.fieldownership.values import NoElement, element_of
from simulator.resources.wording import bad_value, quoted

_SHOWN_CHARACTERS_MAX = 200


def flaws(value: Any, type_: Type, path: str = "") -> Iterator[str]:
    """Yield each flaw with its path: undeclared fields, wrong types, items named twice."""
    if value is None:
        return
    known = resolved(type_, value)
    match known:
        case MapType():
            yield from _flaws_of_map(value, known, path)
        case ListType():
            yield from _flaws_of_list(value, known, path)
        case ScalarType():
            yield from _flaws_of_scalar(value, known, path)


def message_of(found: list[str]) -> str:
    """Return the flaws as one message."""
    if len(found) == 1:
        return found[0]
    return "\n".join(("errors:", *(f"  {one}" for one in found)))


def _flaws_of_map(value: Any, type_: MapType, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _told(path, f"expected map, got {_shown(value)}")
        return
    for name, below in value.items():
        here = path + shown((field(name),))
        below_type = type_.type_of(name)
        if below_type is None:
            yield _told(here, "field not declared in schema")
            return  # as the real one, which looks no further in this map
        yield from flaws(below, below_type, here)


def _flaws_of_list(value: Any, type_: ListType, path: str) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        yield _told(path, f"expected list, got {_shown(value)}")
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        element = f"i:{index}"
        if type_.relation != "atomic":
            try:
                element = element_of(type_, item)
            except NoElement as error:
                yield _told(path, f"element {index}: {error}")
                return
            if element in seen:
                yield _told(path, f"duplicate entries for key {shown((element,))}")
            seen.add(element)
        yield from flaws(item, type_.item, path + shown((element,)))


def _flaws_of_scalar(value: Any, type_: ScalarType, path: str) -> Iterator[str]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    numeric = {"integer", "number"} & set(type_.names)
    if len(type_.names) > 1 and "string" in type_.names:
        if isinstance(value, dict | list | tuple):
            yield _told(path, f"expected any scalar, got {_shown(value)}")
    elif numeric and not is_number:
        yield _told(path, f"expected numeric (int or float), got {_go_type(value)}")
    elif "string" in type_.names and not isinstance(value, str):
        yield _told(path, f"expected string, got &value.valueUnstructured{{Value:{_shown(value)}}}")
    elif "boolean" in type_.names and not isinstance(value, bool):
        yield _told(path, f"expected boolean, got {_shown(value)}")


def _told(path: str, why: str) -> str:
    return f"{path}: {why}" if path else why


def _shown(value: Any) -> str:
    return bad_value(value)[:_SHOWN_CHARACTERS_MAX]


def _go_type(value: Any) -> str:
    """Return the type as Go's %T prints it."""
    match value:
        case bool():
            return "bool"
        case str():
            return "string"
        case dict():
            return "map[string]interface {}"
        case list() | tuple():
            return "[]interface {}"
        case _:
            return quoted(str(value))
