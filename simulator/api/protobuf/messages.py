"""Tables of a message's fields, and documents read by them. Pure.

A document is what the same object would be in JSON: names as there, zero values left out where Go
would have left them out (a field that is no pointer), bytes in base64.
Sources: kubernetes/api and apimachinery `generated.proto`; apimachinery `meta/v1/time_proto.go`,
`api/resource/quantity_proto.go`, `util/intstr/intstr.go`, `meta/v1/fields_proto.go`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from simulator.api.protobuf.wire import (
    LENGTH_DELIMITED,
    VARINT,
    Budget,
    Malformed,
    Value,
    fields_of,
    signed,
    varints_of,
)
from simulator.errors import BadRequest
from simulator.resources.documents import parse_json

Plain = Literal["string", "bytes", "bool", "int32", "int64"]
Special = Literal["time", "micro time", "quantity", "int or string", "fields"]


class Message(Struct, frozen=True):
    """A message's fields by number; fields that are not in it are passed over."""

    name: str
    fields: Mapping[int, Field]


class Field(Struct, frozen=True):
    """One field. `name` "" puts the fields of a message into the one that holds it, as Go does."""

    name: str
    type: Plain | Special | Message
    form: Literal["one", "many", "map"] = "one"
    keeps_zero: bool = False  # a pointer in Go: absent and zero are two things


def text(name: str) -> Field:
    return Field(name, "string")


def texts(name: str) -> Field:
    return Field(name, "string", "many")


def part(name: str, message: Message) -> Field:
    return Field(name, message)


def parts(name: str, message: Message) -> Field:
    return Field(name, message, "many")


def optional(name: str, type_: Plain | Special) -> Field:
    """Return a field that is a pointer in Go."""
    return Field(name, type_, keeps_zero=True)


def text_map(name: str) -> Field:
    return Field(name, "string", "map")


def document_of(message: Message, data: bytes, budget: Budget) -> dict[str, Any]:
    """Return the document that a message describes. Raise Malformed."""
    document: dict[str, Any] = {}
    below: dict[int, list[bytes]] = {}
    for number, wire_type, value in fields_of(data, budget):
        field = message.fields.get(number)
        if field is None:
            continue
        if field.form == "one" and isinstance(field.type, Message):
            # A message given in pieces is one: its fields, one after the other.
            below.setdefault(number, []).append(_bytes(value, wire_type, field))
        else:
            _take(document, field, wire_type, value, budget)
    for number, pieces in below.items():
        field = message.fields[number]
        found = _single(field, LENGTH_DELIMITED, b"".join(pieces), budget)
        if field.name:
            document[field.name] = found
        else:
            document.update(found)
    return document


def _take(
    document: dict[str, Any], field: Field, wire_type: int, value: Value, budget: Budget
) -> None:
    match field.form:
        case "one":
            found = _single(field, wire_type, value, budget)
            if found is None or (not field.keeps_zero and found in ("", False, 0)):
                document.pop(field.name, None)  # the last one counts, also when it is nothing
            else:
                document[field.name] = found
        case "many":
            items = document.setdefault(field.name, [])
            if field.type in ("int32", "int64") and isinstance(value, bytes):
                bits = 32 if field.type == "int32" else 64
                packed = varints_of(_bytes(value, wire_type, field), budget)
                items.extend(signed(one, bits) for one in packed)
            else:
                items.append(_single(field, wire_type, value, budget))
        case "map":
            key, entry = _entry(field, _bytes(value, wire_type, field), budget)
            document.setdefault(field.name, {})[key] = entry


def _entry(field: Field, data: bytes, budget: Budget) -> tuple[str, Any]:
    """Return the key and the value of one entry of a map; either may be left out."""
    key, entry = "", _EMPTY[field.type] if isinstance(field.type, str) else {}
    for number, wire_type, value in fields_of(data, budget):
        if number == 1:
            key = _text(_bytes(value, wire_type, field))
        elif number == 2:
            entry = _single(field, wire_type, value, budget)
    return key, entry


def _single(field: Field, wire_type: int, value: Value, budget: Budget) -> Any:
    match field.type:
        case Message():
            return document_of(field.type, _bytes(value, wire_type, field), budget)
        case "bool":
            return bool(_number(value, wire_type, field))
        case "int32":
            return signed(_number(value, wire_type, field), 32)
        case "int64":
            return signed(_number(value, wire_type, field), 64)
        case _:
            found = _bytes(value, wire_type, field)
            if (plain := _PLAIN.get(field.type)) is not None:
                return plain(found)
            return _SPECIAL[field.type](found, budget)


def _bytes(value: Value, wire_type: int, field: Field) -> bytes:
    if wire_type != LENGTH_DELIMITED or not isinstance(value, bytes):
        raise Malformed(f"proto: wrong wireType = {wire_type} for field {_shown(field)}")
    return value


def _number(value: Value, wire_type: int, field: Field) -> int:
    if wire_type != VARINT or not isinstance(value, int):
        raise Malformed(f"proto: wrong wireType = {wire_type} for field {_shown(field)}")
    return value


def _shown(field: Field) -> str:
    return field.name[:1].upper() + field.name[1:]


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Malformed("proto: a string is not UTF-8") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


_SECONDS = Message("Time", {1: Field("seconds", "int64"), 2: Field("nanos", "int32")})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(data: bytes, budget: Budget) -> datetime | None:
    """Return the moment; nothing at all is no moment."""
    if not data:
        return None
    found = document_of(_SECONDS, data, budget)
    try:
        seconds, micros = found.get("seconds", 0), found.get("nanos", 0) // 1000
        return _EPOCH + timedelta(seconds=seconds, microseconds=micros)
    except OverflowError as error:
        raise Malformed("proto: a time is out of range") from error


def _time(data: bytes, budget: Budget) -> str | None:
    moment = _moment(data, budget)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(data: bytes, budget: Budget) -> str | None:
    moment = _moment(data, budget)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_QUANTITY = Message("Quantity", {1: text("string")})


def _quantity(data: bytes, budget: Budget) -> str:
    found: str = document_of(_QUANTITY, data, budget).get("string", "0")
    return found


_INT_OR_STRING = Message(
    "IntOrString",
    {1: Field("type", "int64"), 2: Field("intVal", "int32"), 3: text("strVal")},
)


def _int_or_string(data: bytes, budget: Budget) -> int | str:
    found = document_of(_INT_OR_STRING, data, budget)
    is_text = found.get("type", 0) == 1
    value: int | str = found.get("strVal", "") if is_text else found.get("intVal", 0)
    return value


_FIELDS = Message("FieldsV1", {1: Field("raw", "bytes")})


def _fields(data: bytes, budget: Budget) -> Any:
    raw = base64.b64decode(document_of(_FIELDS, data, budget).get("raw", ""))
    try:
        return parse_json(raw)[0] if raw else {}
    except BadRequest as error:
        raise Malformed(f"proto: FieldsV1: {error.message}") from error


_PLAIN: Mapping[str, Callable[[bytes], Any]] = {"string": _text, "bytes": _base64}
_SPECIAL: Mapping[str, Callable[[bytes, Budget], Any]] = {
    "time": _time,
    "micro time": _micro_time,
    "quantity": _quantity,
    "int or string": _int_or_string,
    "fields": _fields,
}
_EMPTY: Mapping[str, Any] = {"string": "", "bytes": "", "quantity": "0"}
