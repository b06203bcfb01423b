"""What a kind's documents are made of, as ownership and merging see it.

It is worked out from the structs (`resources.shapes`) and from what `resources.markers` says of
their lists and maps. A list that nothing is said of is atomic, as in a CRD; a map is granular.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from simulator.resources.markers import is_atomic, items_of
from simulator.resources.meta import Resource
from simulator.resources.schemarules import IGNORED, OPEN, OPEN_FIELD, PRUNED
from simulator.resources.scheme import info_of
from simulator.resources.shapes import (
    AnyShape,
    ListShape,
    MapShape,
    ObjectShape,
    ScalarShape,
    Shape,
    shape_of,
)


class ScalarType(Struct, frozen=True):
    """A string, boolean or number; several when any of them will do."""

    names: tuple[str, ...] = ("string", "boolean", "number")


class ListType(Struct, frozen=True):
    """An array: one value as a whole, a set of scalars, or objects told apart by keys."""

    item: Type
    relation: Literal["atomic", "set", "map"] = "atomic"
    keys: tuple[str, ...] = ()
    defaults: dict[str, Any] = {}  # what an absent key counts as


class MapType(Struct, frozen=True):
    """An object: declared fields, and the type of all others, None where none may be.

    Atomic, it is one value as a whole.
    """

    fields: dict[str, Type] = {}
    others: Type | None = None
    is_atomic: bool = False

    def type_of(self, name: str) -> Type | None:
        return self.fields.get(name, self.others)


class FreeType(Struct, frozen=True):
    """Anything: what it is shows in the value. Its maps are granular, its lists atomic."""


Type = ScalarType | ListType | MapType | FreeType

FREE = FreeType()
_FREE_MAP = MapType(others=FREE)
_FREE_LIST = ListType(FREE)
_SCALAR = ScalarType()
_STRING = ScalarType(("string",))


def resolved(type_: Type, value: Any) -> ScalarType | ListType | MapType:
    """Return the type itself, or for anything free what the value shows it to be."""
    if not isinstance(type_, FreeType):
        return type_
    if isinstance(value, dict):
        return _FREE_MAP
    return _FREE_LIST if isinstance(value, list | tuple) else _SCALAR


@lru_cache(maxsize=64)  # there are fewer kinds
def schema_of(kind: type[Resource]) -> MapType:
    """Return the type of a kind's documents."""
    shape = shape_of(kind)
    reader = _Reader(is_custom=info_of(kind).is_custom)
    fields = {name: reader.typed(below, kind, name) for name, below in shape.fields.items()}
    return MapType({"apiVersion": _STRING, "kind": _STRING, **fields})


class _Reader:
    """From shapes to types; the schema of a custom kind is Knative's, which leaves fields out."""

    def __init__(self, *, is_custom: bool) -> None:
        self._is_custom = is_custom

    def typed(self, shape: Shape, holder: type, name: str) -> Type:
        """Return the type of this field of the struct that holds it."""
        match shape:
            case AnyShape():
                return FREE
            case ScalarShape():
                return ScalarType(shape.names)
            case ListShape():
                return self._list(shape, holder, name)
            case MapShape():
                others = self.typed(shape.value, holder, name)
                return MapType(others=others, is_atomic=is_atomic(holder, name))
            case ObjectShape():
                return self._object(shape, atomic=is_atomic(holder, name))

    def _list(self, shape: ListShape, holder: type, name: str) -> ListType:
        if self._is_custom and name == OPEN_FIELD:
            return ListType(FREE)
        item = self.typed(shape.item, object, "")
        items = items_of(holder, name)
        if items is None:
            return ListType(item)
        if not items.keys:
            return ListType(item, "set")
        return ListType(item, "map", items.keys, items.defaults)

    def _object(self, shape: ObjectShape, *, atomic: bool) -> MapType:
        struct = shape.type
        pruned = PRUNED.get(struct, frozenset()) if self._is_custom else frozenset()
        fields = {
            name: self.typed(below, struct, name)
            for name, below in shape.fields.items()
            if name not in pruned
        }
        fields |= dict.fromkeys(IGNORED.get(struct, ()), FREE)
        others = FREE if struct in OPEN else None
        return MapType(fields, others, is_atomic=atomic or is_atomic(struct, ""))
