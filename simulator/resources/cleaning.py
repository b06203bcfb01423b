"""One pass over a client's document: what its kind knows is kept, the rest is noted.

Sources: apiextensions-apiserver (pruning, list maps), kube-openapi `validate` (the words about
wrong types), Go `encoding/json` (the words of Knative's webhook, see `gotypes`).
"""

from __future__ import annotations

from typing import Any

from simulator.errors import BadRequest
from simulator.resources.documents import DEPTH_MAX, too_many
from simulator.resources.gotimes import flaw_of_moment
from simulator.resources.gotypes import INT32_MAX, INT64_MAX, cannot_unmarshal, go_type
from simulator.resources.quantities import WRONG_FORMAT, canonical_quantity
from simulator.resources.schemarules import (
    IGNORED,
    LIST_KEYS,
    OPEN,
    OPEN_FIELD,
    PRUNED,
    REQUIRED,
    REQUIRED_LISTS,
    TYPED,
    is_time,
)
from simulator.resources.shapes import (
    AnyShape,
    ListShape,
    MapShape,
    ObjectShape,
    ScalarShape,
    Shape,
    shape_of,
)
from simulator.resources.wording import bad_value

Cause = tuple[str, str, str]  # field, reason, message: what errors.Invalid takes
Mistake = tuple[tuple[str, ...], str]  # where it is, in the order of sorted keys, and Go's words

VALUES_MAX = 20_000  # of one object: each costs time in all that is done with it
UNKNOWN_FIELDS_MAX = 100  # more are dropped like the others, but not named
CAUSES_MAX = 100
SHOWN_PATH_CHARACTERS_MAX = 200
QUANTITY = ("integer", "string", "number")  # the JSON types of a quantity, and of nothing else

_NOTHING: frozenset[str] = frozenset()
_ZEROS: dict[str, Any] = {"string": "", "boolean": False, "integer": 0, "number": 0.0}


class Walk:
    """The pass. What a Go decoder chokes on is in its words: `unreadable` of the API server's,
    `mistakes` of that of Knative's webhook. `causes` are the schema's.
    """

    def __init__(self, *, is_knatives: bool) -> None:
        self.unknown_fields: list[str] = []
        self.causes: list[Cause] = []
        self.mistakes: list[Mistake] = []
        self.unreadable: list[Mistake] = []
        self._is_knatives = is_knatives
        self._values = 0
        self._is_open_below = False  # what is unknown here is kept
        self._fields: list[tuple[type, str]] = []  # the structs' fields that lead here
        self._place: list[str] = []  # every step that leads here

    def clean(self, value: Any, shape: Shape, path: str, depth: int) -> Any:
        """Return the value without nulls and unknown fields. Raise BadRequest or TooLarge."""
        self._count()
        if depth > DEPTH_MAX:
            raise BadRequest(f"{path[:SHOWN_PATH_CHARACTERS_MAX]}: nests too deep")
        match shape:  # the most frequent first
            case ScalarShape():
                return self._scalar(value, shape)
            case ObjectShape():
                return self._object(value, shape, path, depth)
            case ListShape():
                return self._list(value, shape, path, depth)
            case MapShape():
                return self._map(value, shape, path, depth)
            case AnyShape():
                self._check_json(value, path, depth)
                return value

    def _check_json(self, value: Any, path: str, depth: int) -> None:
        """Raise BadRequest when a free-form value nests too deep to be kept."""
        if depth > DEPTH_MAX:
            raise BadRequest(f"{path[:SHOWN_PATH_CHARACTERS_MAX]}: nests too deep")
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list | tuple):
            for below in value:
                self._count()
                self._check_json(below, path, depth + 1)

    def _count(self) -> None:
        self._values += 1
        if self._values > VALUES_MAX:
            raise too_many(VALUES_MAX)

    def _object(self, value: Any, shape: ObjectShape, path: str, depth: int) -> Any:
        if not isinstance(value, dict):
            return self._refuse_type(value, shape)
        kept: dict[str, Any] = {}
        pruned = self._pruned(shape.type)
        for key, below in value.items():
            field = None if key in pruned else shape.fields.get(key)
            here = f"{path}.{key}" if path else str(key)
            if field is None:
                self._note_unknown(here, key, shape.type)
            elif below is not None:
                self._fields.append((shape.type, key))
                self._place.append(key)
                typed = _typed(shape.type, key)
                if typed is None:
                    kept[key] = self.clean(below, field, here, depth + 1)
                else:
                    kept[key] = self._typed_only(below, typed, here, depth + 1)
                self._place.pop()
                self._fields.pop()
                if (item_key := LIST_KEYS.get((shape.type, key))) and not self._is_open():
                    self._refuse_repeats(below, item_key, here)
        self._require(kept, shape, path)
        return kept

    def _typed_only(self, value: Any, shape: Shape, path: str, depth: int) -> Any:
        """Return a part that is kept whole; of what it should be of other types, take note."""
        self._check_json(value, path, depth)
        was, self._is_open_below = self._is_open_below, True
        self.clean(value, shape, path, depth)
        self._is_open_below = was
        if isinstance(shape, ListShape) and isinstance(value, list | tuple):
            return [{} if item is None else item for item in value]
        return value

    def _require(self, kept: dict[str, Any], shape: ObjectShape, path: str) -> None:
        more = () if self._is_knatives else REQUIRED.get(shape.type, ())
        for key in (*shape.required, *more):
            if key not in kept:
                missing = f"{path}.{key}" if path else key
                self._refuse((missing, "FieldValueRequired", "Required value"))
        steps = REQUIRED_LISTS.get(shape.type, ()) if self._is_knatives else ()
        if steps and steps[0] not in kept:
            self._refuse(_wrong_type("null", "array", ".".join((path, *steps) if path else steps)))

    def _list(self, value: Any, shape: ListShape, path: str, depth: int) -> Any:
        if not isinstance(value, list | tuple):
            return self._refuse_type(value, shape)
        cleaned = []
        for index, item in enumerate(value):
            given = _zero(shape.item) if item is None else item
            self._place.append(f"{index:09}")
            cleaned.append(self.clean(given, shape.item, f"{path}[{index}]", depth + 1))
            self._place.pop()
        return cleaned

    def _map(self, value: Any, shape: MapShape, path: str, depth: int) -> Any:
        if not isinstance(value, dict):
            return self._refuse_type(value, shape)
        kept = {}
        for key, below in value.items():
            if below is not None:
                self._place.append(key)
                kept[key] = self.clean(below, shape.value, f"{path}.{key}", depth + 1)
                self._place.pop()
        return kept

    def _scalar(self, value: Any, shape: ScalarShape) -> Any:
        if shape.names == QUANTITY:
            return self._quantity(value)
        if isinstance(value, float) and "integer" in shape.names and value.is_integer():
            value = int(value)
        name = type_name(value)
        if name in shape.names or (name == "integer" and "number" in shape.names):
            if (
                name == "string"
                and is_time(self._fields[-1][1])
                and (flaw := flaw_of_moment(value))
            ):
                return self._note_mistake(flaw)
            if name != "integer" or abs(value) <= self._integer_max(shape):
                return value
        return self._refuse_type(value, shape)

    def _quantity(self, value: Any) -> str:
        """Return the quantity as Go writes it: the webhook hands all of them back like that."""
        text = WRONG_FORMAT if isinstance(value, bool | dict | list | tuple) else str(value)
        try:
            return canonical_quantity(text)
        except ValueError as error:
            self._note_mistake(str(error))
            return ""

    def _integer_max(self, shape: ScalarShape) -> int:
        holder, field = self._fields[-1]
        return INT32_MAX if go_type(holder, field, shape) == "int32" else INT64_MAX

    def _is_open(self) -> bool:
        """Tell whether the schema keeps whatever is here."""
        return self._is_knatives and any(field == OPEN_FIELD for _, field in self._fields)

    def _pruned(self, holder: type) -> frozenset[str]:
        """Return the fields of this part that the schema of Knative's kinds does not know."""
        pruned = PRUNED.get(holder, _NOTHING) if self._is_knatives else _NOTHING
        return _NOTHING if pruned and self._is_open() else pruned

    def _is_webhooks(self) -> bool:
        """Tell whether Knative's webhook is the first to read this; metadata is the server's."""
        return self._is_knatives and bool(self._fields) and self._fields[0][1] != "metadata"

    def _note_unknown(self, path: str, key: str, holder: type) -> None:
        if holder in OPEN or key in IGNORED.get(holder, ()) or self._is_open():
            return
        if self._is_open_below:
            return
        if len(self.unknown_fields) < UNKNOWN_FIELDS_MAX:
            self.unknown_fields.append(path)

    def _refuse_repeats(self, items: Any, item_key: str, path: str) -> None:
        seen: set[str] = set()
        for index, item in enumerate(items if isinstance(items, list | tuple) else ()):
            named = item.get(item_key) if isinstance(item, dict) else None
            if not isinstance(named, str):
                continue
            if named in seen:
                shown = bad_value({item_key: named})
                cause = (f"{path}[{index}]", "FieldValueDuplicate", f"Duplicate value: {shown}")
                self._refuse(cause)
            seen.add(named)

    def _refuse_type(self, value: Any, shape: Shape) -> None:
        type_ = go_type(*self._fields[-1], shape)
        # Of a custom resource the server knows the metadata alone, and reads it by itself.
        above = 1 if self._is_knatives and not self._is_webhooks() else 0
        self._note_mistake(cannot_unmarshal(value, tuple(self._fields[above:]), type_))

    def _note_mistake(self, words: str) -> None:
        noted = self.mistakes if self._is_webhooks() else self.unreadable
        if len(noted) < CAUSES_MAX:
            noted.append((tuple(self._place), words))

    def _refuse(self, cause: Cause) -> None:
        if len(self.causes) < CAUSES_MAX:
            self.causes.append(cause)


def _typed(holder: type, field: str) -> Shape | None:
    """Return the types of a field that the schema leaves open, None for any other."""
    types = TYPED.get(holder)
    return None if types is None else shape_of(types).fields.get(field)


def _wrong_type(given: str, expected: str, path: str) -> Cause:
    where, shown = path or "<root>", bad_value(given)
    message = f"Invalid value: {shown}: {where} in body must be of type {expected}: {shown}"
    return where, "FieldValueTypeInvalid", message


def _zero(shape: Shape) -> Any:
    """Return what Go makes of a null among the items of a list."""
    match shape:
        case ListShape():
            return []
        case ScalarShape():
            return _ZEROS[shape.names[0]]
        case _:
            return {}


def type_name(value: Any) -> str:
    """Return the JSON type as OpenAPI names it; an integer beyond 64 bits is a mere number."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer" if -(2**63) <= value < 2**63 else "number"
        case float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
        case dict():
            return "object"
        case _:
            return type(value).__name__
