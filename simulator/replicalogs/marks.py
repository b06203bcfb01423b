"""When the bytes of a log were written: a row of marks, each a size and a moment. Pure.

A mark says: by this moment the log was this long. It is taken from the file's size and time of
change, several times a second while the log grows; so a line has the moment of the last write of
the interval in which it was begun, and never an earlier one than it should.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

_PACKED: Final = struct.Struct("<QQ")
MARK_BYTES: Final = _PACKED.size
_NS: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# RFC 3339; of a fraction nine digits count.
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)"
)


class Mark(NamedTuple):
    """The log had `size` bytes at `at_ns`, nanoseconds since 1970."""

    size: int
    at_ns: int


UNMARKED: Final = Mark(0, 0)  # of a log that is empty


def packed(marks: Iterable[Mark]) -> bytes:
    """Return the marks as a file holds them."""
    return b"".join(_PACKED.pack(*mark) for mark in marks)


def unpacked(data: bytes) -> list[Mark]:
    """Return the marks in a file's bytes; one that is half written is left out."""
    whole = len(data) - len(data) % MARK_BYTES
    return [Mark(*pair) for pair in _PACKED.iter_unpack(data[:whole])]


def thinned(marks: list[Mark]) -> list[Mark]:
    """Return half of the marks, the last among them: older moments get coarser."""
    return marks[::-2][::-1]


class Moments:
    """The marks of one log so far, to look moments up. Sizes and moments never go down in it."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._at_ns: list[int] = []

    def add(self, marks: Iterable[Mark]) -> None:
        """Take further marks. A clock that was set back stands still until it has caught up."""
        for size, at_ns in marks:
            if self._sizes and size <= self._sizes[-1]:
                continue
            self._sizes.append(size)
            self._at_ns.append(max(at_ns, self._at_ns[-1] if self._at_ns else 0))

    def clear(self) -> None:
        """Forget the marks: the log was emptied."""
        self._sizes.clear()
        self._at_ns.clear()

    def at_ns(self, offset: int, changed_ns: int) -> int:
        """Return when the byte at `offset` was written.

        What no mark covers yet is as old as the file's last change.
        """
        index = bisect_right(self._sizes, offset)
        if index < len(self._sizes):
            return self._at_ns[index]
        return max(changed_ns, self._at_ns[-1] if self._at_ns else 0)


def stamp(at_ns: int) -> str:
    """Return a moment as the kubelet writes it: RFC 3339, nine digits, UTC."""
    seconds, rest = divmod(at_ns, _NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def nanoseconds(text: str) -> int:
    """Return an RFC 3339 time in nanoseconds since 1970. Raise ValueError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, time, fraction, zone = match.groups()
    whole = datetime.fromisoformat(f"{day}T{time}{'+00:00' if zone in 'Zz' else zone}")
    seconds = (whole - _EPOCH) // timedelta(seconds=1)
    return seconds * _NS + int((fraction or "").ljust(9, "0"))
