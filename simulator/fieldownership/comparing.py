"""Which fields a write added, changed and took away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from simulator.fieldownership.elements import Element, Path, field
from simulator.fieldownership.fieldset import FieldSet
from simulator.fieldownership.schema import ListType, MapType, Type, resolved
from simulator.fieldownership.values import ABSENT, named_items


class Comparison(Struct, frozen=True):
    """No field is in more than one of the three."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet

    @property
    def written(self) -> FieldSet:
        """Return what the newer document's writer has decided."""
        return self.added | self.modified


def compare(old: Any, new: Any, type_: Type) -> Comparison:
    """Return what differs between two documents of one type; both may have nothing (ABSENT)."""
    noted = _Noted([], [], [])
    _walk(old, new, type_, (), noted)
    return Comparison(
        FieldSet.of(noted.added), FieldSet.of(noted.modified), FieldSet.of(noted.removed)
    )


class _Noted(NamedTuple):
    """The paths found so far."""

    added: list[Path]
    modified: list[Path]
    removed: list[Path]

    def leaf(self, old: Any, new: Any, path: Path) -> None:
        """Note one value that differs."""
        if old is not ABSENT and new is not ABSENT:
            self.modified.append(path)
        else:
            self.whole(old, new, path)

    def whole(self, old: Any, new: Any, path: Path) -> None:
        """Note what came or went, beside what is in it."""
        if old is ABSENT:
            self.added.append(path)
        elif new is ABSENT:
            self.removed.append(path)


def _walk(old: Any, new: Any, type_: Type, path: Path, noted: _Noted) -> None:
    if old is not ABSENT and new is not ABSENT and _same(old, new):
        return
    known = resolved(type_, old if new is ABSENT or new is None else new)
    match known:
        case MapType(is_atomic=False) if _fit(old, new, dict):
            _walk_map(_or_none(old) or {}, _or_none(new) or {}, known, path, noted)
            noted.whole(old, new, path)
        case ListType() if known.relation != "atomic" and _fit(old, new, list | tuple):
            _walk_items(_or_none(old) or (), _or_none(new) or (), known, path, noted)
            noted.whole(old, new, path)
        case _:
            noted.leaf(old, new, path)


def _same(old: Any, new: Any) -> bool:
    """Tell whether nothing differs; cheap for what was not touched."""
    return old is new or bool(old == new)


def _or_none(value: Any) -> Any:
    return None if value is ABSENT else value


def _fit(old: Any, new: Any, wanted: Any) -> bool:
    """Tell whether there is anything in either to walk through, and nothing else."""
    there = [one for one in map(_or_none, (old, new)) if one is not None]
    return all(isinstance(one, wanted) for one in there) and any(there)


def _walk_map(
    old: dict[str, Any], new: dict[str, Any], type_: MapType, path: Path, noted: _Noted
) -> None:
    for name in {**old, **new}:
        below = type_.type_of(name)
        if below is not None:
            here = (*path, field(name))
            _walk(old.get(name, ABSENT), new.get(name, ABSENT), below, here, noted)


def _walk_items(
    old: Sequence[Any], new: Sequence[Any], type_: ListType, path: Path, noted: _Noted
) -> None:
    before, after = _grouped(type_, old), _grouped(type_, new)
    for element in {**before, **after}:
        here = (*path, element)
        was, now = before.get(element, []), after.get(element, [])
        if len(was) <= 1 and len(now) <= 1:
            one, other = was[0] if was else ABSENT, now[0] if now else ABSENT
            _walk(one, other, type_.item, here, noted)
            continue
        # An item that is there several times is one value, and nothing in it is told apart.
        if len(was) > 1 and len(now) > 1:
            if was != now:
                noted.modified.append(here)
        elif len(was) > 1:
            if now:
                _walk(ABSENT, now[0], type_.item, here, noted)
            noted.removed.append(here)
        else:
            if was:
                _walk(was[0], ABSENT, type_.item, here, noted)
            noted.added.append(here)


def _grouped(type_: ListType, items: Sequence[Any]) -> dict[Element, list[Any]]:
    grouped: dict[Element, list[Any]] = {}
    for element, item in named_items(type_, items):
        grouped.setdefault(element, []).append(item)
    return grouped
