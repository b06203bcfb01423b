"""A document's fields as a set, and a document without some of its fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from simulator.fieldownership.elements import (
    Element,
    Path,
    field,
    item_with_keys,
    item_with_value,
)
from simulator.fieldownership.fieldset import FieldSet
from simulator.fieldownership.schema import ListType, MapType, Type, resolved


class _Absent:
    """No value at all, which null is not."""


ABSENT: Any = _Absent()


class NoElement(ValueError):
    """An item that its list's keys cannot name."""


def element_of(type_: ListType, item: Any) -> Element:
    """Return what names the item in its list. Raise NoElement."""
    if type_.relation == "set":
        if isinstance(item, dict | list | tuple):
            raise NoElement(
                "associative list without keys has an element that's a map type"
                if isinstance(item, dict)
                else "not supported: associative list with lists as elements"
            )
        if item is None:
            raise NoElement("associative list without keys has an element that's an explicit null")
        return item_with_value(item)
    if item is None:
        raise NoElement("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise NoElement("associative list with keys may not have non-map elements")
    given = type_.defaults | {key: item[key] for key in type_.keys if key in item}
    if not given:
        keys = " ".join(f'"{key}"' for key in type_.keys)
        raise NoElement(
            f"associative list with keys has an element that omits all key fields [{keys}]"
            " (and doesn't have default values for any key fields)"
        )
    return item_with_keys(given)


def named_items(type_: ListType, items: Sequence[Any]) -> list[tuple[Element, Any]]:
    """Return each item with what names it; items that nothing can name are left out."""
    named = []
    for item in items:
        try:
            named.append((element_of(type_, item), item))
        except NoElement:
            continue  # only of a document that was stored before its kind had these keys
    return named


def fields_of(value: Any, type_: Type) -> FieldSet:
    """Return the fields that the document has: leaves, items of lists, keys of maps."""
    paths: list[Path] = []
    _collect(value, type_, (), paths)
    return FieldSet.of(paths)


def _collect(value: Any, type_: Type, path: Path, paths: list[Path]) -> None:
    known = resolved(type_, value)
    match known:
        case MapType(is_atomic=False):
            if isinstance(value, dict):
                _collect_map(value, known, path, paths)
        case ListType() if known.relation != "atomic":
            if isinstance(value, list | tuple):
                _collect_items(value, known, path, paths)
        case _:
            paths.append(path)


def _collect_map(value: dict[str, Any], type_: MapType, path: Path, paths: list[Path]) -> None:
    for name, below in value.items():
        here = (*path, field(name))
        below_type = type_.type_of(name)
        if below_type is not None:
            _collect(below, below_type, here, paths)
        # A key of a map is owned beside what is below it; a declared field only when empty.
        if below is None or below == {} or name not in type_.fields:
            paths.append(here)


def _collect_items(value: Sequence[Any], type_: ListType, path: Path, paths: list[Path]) -> None:
    named = named_items(type_, value)
    times = Counter(element for element, _ in named)
    for element, item in named:
        here = (*path, element)
        if times[element] == 1:
            _collect(item, type_.item, here, paths)
        paths.append(here)


def with_named_fields(fields: FieldSet, type_: Type) -> FieldSet:
    """Return the set, also holding the declared fields above its members."""
    known = type_ if isinstance(type_, MapType) else None
    declared = known.fields if known is not None else {}
    named = {e for e in fields.children if e.startswith("f:") and e[2:] in declared}
    return FieldSet(
        fields.members | named,
        {
            element: with_named_fields(below, _below(type_, element))
            for element, below in fields.children.items()
        },
    )


def _below(type_: Type, element: Element) -> Type:
    """Return the type of what the element leads to; a type that is not there names nothing."""
    if isinstance(type_, MapType) and element.startswith("f:"):
        return type_.type_of(element[2:]) or MapType()
    return type_.item if isinstance(type_, ListType) else MapType()


def without_fields(value: Any, gone: FieldSet, type_: Type) -> Any:
    """Return the document without these fields and all below them; ABSENT when nothing is left."""
    known = resolved(type_, value)
    match known:
        case MapType(is_atomic=False) if isinstance(value, dict):
            return _map_without(value, gone, known) or ABSENT
        case ListType() if known.relation != "atomic" and isinstance(value, list | tuple):
            return list(_items_without(value, gone, known)) or ABSENT
        case MapType() | ListType():
            return ABSENT
        case _:
            return value


def _map_without(value: dict[str, Any], gone: FieldSet, type_: MapType) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, below in value.items():
        element = field(name)
        if element in gone.members:
            continue
        kept[name] = below
        below_type = type_.type_of(name)
        if below_type is not None and (deeper := gone.below(element)):
            left = without_fields(below, deeper, below_type)
            kept[name] = None if left is ABSENT else left
    return kept


def _items_without(value: Sequence[Any], gone: FieldSet, type_: ListType) -> Iterable[Any]:
    for element, item in named_items(type_, value):
        if element in gone.members:
            continue
        deeper = gone.below(element)
        left = without_fields(item, deeper, type_.item) if deeper else item
        if left is not ABSENT:
            yield left
