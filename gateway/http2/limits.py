"""What a peer may waste: a burst at once, and a little all the time. Pure."""

from __future__ import annotations


class Allowance:
    """A bucket that fills with each waste and drains with time; honest work drains it too."""

    __slots__ = ("_burst", "_level", "_per_s", "_since")

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._level = 0.0
        self._since = 0.0

    def spend(self, now: float) -> bool:
        """Count one waste; tell whether it is still within the limit. `now` never goes back."""
        self._level = max(0.0, self._level - (now - self._since) * self._per_s) + 1.0
        self._since = now
        return self._level <= self._burst

    def earn(self, amount: float) -> None:
        """Take back so many: the peer did something worth them."""
        self._level = max(0.0, self._level - amount)
