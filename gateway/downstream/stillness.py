"""Since when a client has not moved: it takes nothing of its answer, or sends nothing. Pure."""

from __future__ import annotations

from typing import Final

NOTHING_WAITS: Final = -1.0
_NEVER: Final = -(1 << 62)


class Stillness:
    """A count that should rise, seen now and then."""

    __slots__ = ("_count", "_since")

    def __init__(self) -> None:
        self._count = _NEVER
        self._since = 0.0

    def rest(self) -> None:
        """Nothing is asked at the moment; the next look begins anew."""
        self._count = _NEVER

    def lasts_s(self, count: int, now: float) -> float:
        """Return for how long the count has not risen.

        One that falls is another one (the next answer's, or framing was added): no movement.
        """
        if count > self._count:
            self._since = now
        self._count = count
        return now - self._since

    def unread_s(self, written: int, unsent: int, now: float) -> float:
        """Return for how long nothing was taken of what was written, or NOTHING_WAITS."""
        if not unsent:
            self._count = _NEVER
            return NOTHING_WAITS
        return self.lasts_s(written - unsent, now)
