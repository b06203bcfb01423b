"""How a configuration is laid over a document: what it says counts, and the rest stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from simulator.fieldownership.elements import Element
from simulator.fieldownership.schema import ListType, MapType, Type, resolved
from simulator.fieldownership.values import ABSENT, named_items


def merged(live: Any, wanted: Any, type_: Type) -> Any:
    """Return `live` with `wanted` laid over it; either may be ABSENT, and so may the result.

    Maps merge by key and keyed lists by item; everything else is replaced. `wanted` must have
    no flaws (`checking.flaws`).
    """
    if wanted is ABSENT:
        return live
    if live is ABSENT:
        return wanted
    known = resolved(type_, live if wanted is None else wanted)
    match known:
        case MapType(is_atomic=False) if _mergeable(live, wanted, dict):
            return _merged_map(live or {}, wanted or {}, known)
        case ListType() if known.relation != "atomic" and _mergeable(live, wanted, list | tuple):
            return _merged_items(live or (), wanted or (), known)
        case _:
            return wanted


def _mergeable(live: Any, wanted: Any, kind: Any) -> bool:
    """Tell whether both are collections, or null, and either has anything in it."""
    fit = all(one is None or isinstance(one, kind) for one in (live, wanted))
    return fit and bool(live or wanted)


def _merged_map(live: dict[str, Any], wanted: dict[str, Any], type_: MapType) -> dict[str, Any]:
    result: dict[str, Any] = dict(live)
    for name, value in wanted.items():
        below = type_.type_of(name)
        if below is not None:
            result[name] = merged(live.get(name, ABSENT), value, below)
    return result


def _merged_items(live: Sequence[Any], wanted: Sequence[Any], type_: ListType) -> list[Any]:
    before = named_items(type_, live)
    after = named_items(type_, wanted)
    known: dict[Element, list[Any]] = {}
    for element, item in before:
        known.setdefault(element, []).append(item)
    # What is there several times cannot be merged with: the new item takes its place.
    single = {element: items[0] for element, items in known.items() if len(items) == 1}
    applied = {
        element: merged(single.get(element, ABSENT), item, type_.item) for element, item in after
    }
    return [
        applied[element] if item is ABSENT else item
        for element, item in _in_order(before, [element for element, _ in after])
    ]


def _in_order(
    live: Sequence[tuple[Element, Any]], wanted: Sequence[Element]
) -> Iterator[tuple[Element, Any]]:
    """Yield the applied items in their order, and the others where they stood before them.

    An applied item comes without its value (ABSENT).
    """
    there = {element for element, _ in live}
    applied = set(wanted)
    shared = [element for element in wanted if element in there]
    at, next_shared = 0, 0
    for element in wanted:
        stop = shared[next_shared] if next_shared < len(shared) else None
        while at < len(live) and live[at][0] != stop:
            if live[at][0] not in applied:
                yield live[at]
            at += 1
        if element == stop:
            at += 1 if at < len(live) else 0
            next_shared += 1
        yield element, ABSENT
    yield from (one for one in live[at:] if one[0] not in applied)
