"""What a struct's annotations say of its JSON form, worked out once per type."""

from __future__ import annotations

from functools import lru_cache

import msgspec
from msgspec import Struct, inspect

from simulator.resources.podparts import SCHEMA


class AnyShape(Struct, frozen=True):
    """Free form: kept whole."""


class ScalarShape(Struct, frozen=True):
    """A string, boolean, integer or number; several when any of them will do."""

    names: tuple[str, ...]


class ListShape(Struct, frozen=True):
    """An array whose items have one shape."""

    item: Shape


class MapShape(Struct, frozen=True):
    """An object with any keys, whose values have one shape."""

    value: Shape


class ObjectShape(Struct, frozen=True):
    """A struct: the shape of each field by its JSON name, and which may not be missing."""

    type: type
    fields: dict[str, Shape]
    required: tuple[str, ...] = ()


Shape = AnyShape | ScalarShape | ListShape | MapShape | ObjectShape


@lru_cache(maxsize=256)  # there are fewer struct types
def shape_of(struct: type[Struct]) -> ObjectShape:
    """Return the shape of a struct type. Raise TypeError for annotations that no kind uses."""
    fields = msgspec.structs.fields(struct)
    return ObjectShape(
        type=struct,
        fields={field.encode_name: _shape(inspect.type_info(field.type)) for field in fields},
        required=tuple(field.encode_name for field in fields if field.required),
    )


def _shape(info: inspect.Type) -> Shape:
    match info:
        case inspect.Metadata():
            return _annotated(info)
        case inspect.StructType():
            return shape_of(info.cls)
        case inspect.DictType():
            value = _shape(info.value_type)
            return AnyMap if isinstance(value, AnyShape) else MapShape(value)
        case inspect.VarTupleType() | inspect.ListType():
            return ListShape(_shape(info.item_type))
        case inspect.UnionType():
            return _union(info)
        case inspect.AnyType():
            return AnyShape()
        case _:
            return ScalarShape((_scalar_name(info),))


AnyMap = MapShape(AnyShape())


def _annotated(info: inspect.Metadata) -> Shape:
    """Return the shape that the annotation describes (`resources.podparts`), if it does."""
    described = (info.extra or {}).get(SCHEMA)
    return shape_of(described) if described is not None else _shape(info.type)


def _union(info: inspect.UnionType) -> Shape:
    """Return the shape of `X | None`, or of several scalars."""
    types = [type_ for type_ in info.types if not isinstance(type_, inspect.NoneType)]
    if len(types) == 1:
        return _shape(types[0])
    return ScalarShape(tuple(_scalar_name(type_) for type_ in types))


def _scalar_name(info: inspect.Type) -> str:
    match info:
        case inspect.StrType():
            return "string"
        case inspect.BoolType():
            return "boolean"
        case inspect.IntType():
            return "integer"
        case inspect.FloatType():
            return "number"
        case _:
            raise TypeError(f"no JSON shape for {info}")
