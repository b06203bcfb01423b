"""Protobuf's wire format: bytes to numbered fields, strictly. Pure.

Source: protobuf.dev "Encoding". Groups are refused: nothing of Kubernetes has any.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

VARINT: Final = 0
FIXED64: Final = 1
LENGTH_DELIMITED: Final = 2
FIXED32: Final = 5

FIELDS_MAX: Final = 60_000  # of one body, all messages in it together
_VARINT_BYTES_MAX = 10
_NUMBER_MAX = (1 << 29) - 1
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}

Value = int | bytes


class Malformed(ValueError):
    """The bytes are no protobuf message, or not the one that is expected."""


class Budget:
    """How many fields may still be read of a body: one of 3 MiB could have a million and more."""

    def __init__(self, fields_max: int = FIELDS_MAX) -> None:
        self._left = fields_max

    def take(self) -> None:
        """Count a field. Raise Malformed when there were enough."""
        self._left -= 1
        if self._left < 0:
            raise Malformed("proto: the body has too many fields")


def fields_of(data: bytes, budget: Budget) -> Iterator[tuple[int, int, Value]]:
    """Yield (number, wire type, value) of each field. Raise Malformed.

    A varint's value is an unsigned int of 64 bits; all others are the bytes themselves.
    """
    position = 0
    while position < len(data):
        budget.take()
        tag, position = _varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if not 0 < number <= _NUMBER_MAX:
            raise Malformed(f"proto: illegal tag {number} (wire type {wire_type})")
        value: Value
        if wire_type == VARINT:
            value, position = _varint(data, position)
        elif wire_type in (LENGTH_DELIMITED, *_FIXED_BYTES):
            if wire_type == LENGTH_DELIMITED:
                length, position = _varint(data, position)
            else:
                length = _FIXED_BYTES[wire_type]
            if length > len(data) - position:
                raise Malformed("unexpected EOF")
            value = data[position : position + length]
            position += length
        else:
            raise Malformed(f"proto: illegal wireType {wire_type}")
        yield number, wire_type, value


def varints_of(data: bytes, budget: Budget) -> list[int]:
    """Return the varints of a packed field. Raise Malformed."""
    found, position = [], 0
    while position < len(data):
        budget.take()
        value, position = _varint(data, position)
        found.append(value)
    return found


def signed(value: int, bits: int) -> int:
    """Return a varint as a signed number: what is beyond its bits does not count."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the unsigned number that begins here, and where it ends."""
    value = 0
    for index in range(_VARINT_BYTES_MAX):
        if position + index >= len(data):
            raise Malformed("unexpected EOF")
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value >> 64:
                break
            return value, position + index + 1
    raise Malformed("proto: integer overflow")
