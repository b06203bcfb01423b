"""Encoded events, each made once for all watches that show it in the same form."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable


class Lines:
    """The lines that were made last, bounded by their bytes: what left is made again."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._lines: OrderedDict[Hashable, bytes] = OrderedDict()

    def line(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """Return the line of this key, which `make` makes when there is none."""
        found = self._lines.get(key)
        if found is not None:
            return found
        line = self._lines[key] = make()
        self._bytes += len(line)
        while self._bytes > self._bytes_max:
            _, oldest = self._lines.popitem(last=False)
            self._bytes -= len(oldest)
        return line
