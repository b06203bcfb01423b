"""The answers that never end: how many there may be, and how they end when the server stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from simulator.errors import Unavailable

End = Callable[[], None]


class Streams:
    """The watches and logs that are being sent."""

    def __init__(self, streams_max: int) -> None:
        self._streams_max = streams_max
        self._ends: dict[object, End] = {}
        self._is_stopping = False

    def require_room(self) -> None:
        """Raise Unavailable when there are too many."""
        if self._is_stopping:
            raise Unavailable("knary is stopping")
        if len(self._ends) >= self._streams_max:
            raise Unavailable(f"too many watches: at most {self._streams_max} at once")

    @contextmanager
    def counted(self, end: End) -> Iterator[None]:
        """Count one stream for as long as the block runs."""
        key = object()
        self._ends[key] = end
        if self._is_stopping:
            end()
        try:
            yield
        finally:
            del self._ends[key]

    def end_all(self) -> None:
        """Let every stream end, and those that are about to begin."""
        self._is_stopping = True
        for end in tuple(self._ends.values()):
            end()
