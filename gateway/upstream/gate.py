"""How many requests a replica may have at once: its revision's containerConcurrency."""

from __future__ import annotations


class Gate:
    """Counts the requests of this worker on one replica."""

    def __init__(self, limit: int, inside: int = 0) -> None:
        self.limit = limit
        self._inside = inside

    def has_room(self) -> bool:
        """Tell whether `enter` would let one more in."""
        return self._inside < self.limit

    def enter(self) -> bool:
        """Let one more in, or return False."""
        if self._inside >= self.limit:
            return False
        self._inside += 1
        return True

    def leave(self) -> None:
        """Note that one is out again."""
        self._inside -= 1
