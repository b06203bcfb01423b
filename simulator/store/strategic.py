"""Strategic merge patches: lists of built-in kinds merge by key, and directives say the rest.

`$patch: replace|delete`, `$retainKeys`, `$setElementOrder/LIST` and `$deleteFromPrimitiveList/LIST`
are what kubectl writes for its built-in kinds. What a list's key is stands in `resources.markers`.
Source: apimachinery `util/strategicpatch/patch.go`; the API conventions of kubectl's `patch`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from simulator.errors import BadRequest, rejected
from simulator.resources.markers import Items, items_of
from simulator.resources.meta import Resource
from simulator.resources.shapes import ListShape, MapShape, ObjectShape, Shape, shape_of
from simulator.store.patching import copied

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"

_REPLACED = Items(merge_key=None)


def strategic_merge_patch(document: Any, patch: Any, kind: type[Resource]) -> Any:
    """Return the document with the patch merged in; neither is changed.

    Raise BadRequest for a malformed patch, Invalid (422) for one that does not fit the document.
    """
    shape = shape_of(kind)
    return _merged_map(copied(document), copied(patch), shape)


def _merged_map(original: dict[str, Any], patch: dict[str, Any], shape: Shape | None) -> Any:
    directive = patch.pop(_PATCH, None)
    if directive is not None:
        return _directed(patch, directive)
    _retain_keys(original, patch)
    for directed in [key for key in patch if key.startswith(_ORDER)]:
        _merge_in_order(original, patch, directed, shape)
    for key, value in patch.items():
        if key.startswith(_DELETE):
            _delete_scalars(original, key.removeprefix(_DELETE), value)
        elif value is None:
            original.pop(key, None)
        else:
            original[key] = _merged(original.get(key), value, shape, key)
    return original


def _merged(original: Any, value: Any, shape: Shape | None, key: str) -> Any:
    below = _shape_below(shape, key)
    if isinstance(original, dict) and isinstance(value, dict):
        return _merged_map(original, value, below)
    if isinstance(original, list) and isinstance(value, list):
        items = _items(shape, key)
        if items.merge_key is not None:
            return _merged_list(original, value, items.merge_key, below)
    return _without_directives(value)


def _directed(patch: dict[str, Any], directive: Any) -> Any:
    if directive == "replace":
        return _without_directives(patch)
    if directive == "delete":
        return {}
    raise BadRequest(f"unknown patch type: {str(directive)[:40]}")


def _retain_keys(original: dict[str, Any], patch: dict[str, Any]) -> None:
    """Take away what `$retainKeys` does not name; of a union it names the member in use."""
    retained = patch.pop(_RETAIN, None)
    if retained is None:
        return
    named = {one for one in retained if isinstance(one, str)} if isinstance(retained, list) else ()
    if not isinstance(retained, list) or any(
        key not in named for key in patch if not key.startswith("$")
    ):
        raise BadRequest("invalid patch format of retainKeys")
    for key in [key for key in original if key not in named]:
        del original[key]


def _delete_scalars(original: dict[str, Any], key: str, gone: Any) -> None:
    if not isinstance(gone, list):
        raise BadRequest("invalid patch format of primitive list")
    if isinstance(current := original.get(key), list):
        named = {_named(one) for one in gone}
        original[key] = [one for one in current if _named(one) not in named]


def _merge_in_order(
    original: dict[str, Any], patch: dict[str, Any], directed: str, shape: Shape | None
) -> None:
    """Merge the list that `$setElementOrder` is about, and put its items in that order."""
    order = patch.pop(directed)
    key = directed.removeprefix(_ORDER)
    if not isinstance(order, list):
        raise BadRequest("invalid patch format of setElementOrder list")
    before, change = original.get(key), patch.pop(key, None)
    if before is None and change is None:
        return
    merged = before if change is None else _merged(before, change, shape, key)
    merge_key = _items(shape, key).merge_key
    if isinstance(merged, list) and merge_key is not None:
        server = before if isinstance(before, list) else []
        merged = _in_order(merged, _names(order, merge_key), _names(server, merge_key), merge_key)
    original[key] = merged


def _merged_list(
    original: list[Any], patch: list[Any], merge_key: str, shape: Shape | None
) -> list[Any]:
    """Return the list with the patch's items merged in, each into the one of its key."""
    server = _names(original, merge_key)
    if not merge_key:
        merged = list({_named(one): one for one in (*original, *patch)}.values())
        return _in_order(merged, _names(patch, ""), server, "")
    item = shape.item if isinstance(shape, ListShape) else None
    kept, changes, is_replaced = _without_special_items(original, patch, merge_key)
    if is_replaced:
        return [_without_directives(one) for one in changes]
    there = {_name(one, merge_key): one for one in kept}
    for change in changes:
        name = _name(change, merge_key)
        known = there.get(name)
        # An item that others of the same key precede is merged with the first one.
        there[name] = (
            _without_directives(change) if known is None else _merged_map(known, change, item)
        )
    return _in_order(list(there.values()), _names(changes, merge_key), server, merge_key)


def _without_special_items(
    original: list[Any], patch: list[Any], merge_key: str
) -> tuple[list[Any], list[Any], bool]:
    """Return the original's items that are not deleted, the patch's changes, and whether they
    replace the list.
    """
    changes, deleted, is_replaced = [], set(), False
    for item in patch:
        if not isinstance(item, dict):
            raise BadRequest("expected a list of objects in the patch")
        match item.get(_PATCH):
            case None | "merge":
                item.pop(_PATCH, None)
                changes.append(item)
            case "delete":
                deleted.add(_name(item, merge_key))
            case "replace":
                is_replaced = True
                if rest := {key: value for key, value in item.items() if key != _PATCH}:
                    changes.append(rest)
            case other:
                raise BadRequest(f"unknown patch type: {str(other)[:40]}")
    kept = [one for one in original if _name(one, merge_key) not in deleted]
    return kept, changes, is_replaced


def _in_order(
    merged: Sequence[Any], wanted: Sequence[str], server: Sequence[str], merge_key: str
) -> list[Any]:
    """Return the patch's items in its order, the others where they stood between them."""
    place_wanted = {name: index for index, name in reversed(list(enumerate(wanted)))}
    place_server = {name: index for index, name in reversed(list(enumerate(server)))}
    named = [(_name(item, merge_key), item) for item in merged]
    patched = [pair for pair in named if pair[0] in place_wanted]
    patched.sort(key=lambda pair: place_wanted[pair[0]])
    others = [pair for pair in named if pair[0] not in place_wanted]
    others.sort(key=lambda pair: place_server.get(pair[0], len(place_server)))
    result: list[Any] = []
    at = 0
    for name, item in patched:
        place = place_server.get(name, -1)
        while at < len(others) and place_server.get(others[at][0], place) < place:
            result.append(others[at][1])
            at += 1
        result.append(item)
    return [*result, *(item for _, item in others[at:])]


def _names(items: Iterable[Any], merge_key: str) -> list[str]:
    return [_name(item, merge_key) for item in items]


def _name(item: Any, merge_key: str) -> str:
    """Return what tells the item apart. Raise Invalid when it lacks the key."""
    if not merge_key:
        return _named(item)
    if not isinstance(item, dict) or merge_key not in item:
        shown = json.dumps(item, ensure_ascii=False)[:200]
        raise rejected(f"map: {shown} does not contain declared merge key: {merge_key}")
    return _named(item[merge_key])


def _named(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _without_directives(value: Any) -> Any:
    """Return the value without nulls and directives, which have nothing to act on there."""
    if isinstance(value, list):
        kept = (one for one in value if not (isinstance(one, dict) and _PATCH in one))
        return [_without_directives(one) for one in kept]
    if isinstance(value, dict):
        return {
            key: _without_directives(below)
            for key, below in value.items()
            if below is not None
            and key not in (_PATCH, _RETAIN)
            and not key.startswith((_ORDER, _DELETE))
        }
    return value


def _shape_below(shape: Shape | None, key: str) -> Shape | None:
    match shape:
        case ObjectShape():
            return shape.fields.get(key)
        case MapShape():
            return shape.value
        case _:
            return None


def _items(shape: Shape | None, key: str) -> Items:
    found = items_of(shape.type, key) if isinstance(shape, ObjectShape) else None
    return found or _REPLACED
