"""A queue of keys: each waits at most once, is worked on by one at a time, and backs off.

Source of the rules: client-go `util/workqueue` and controller-runtime's default limiter. Time is
an argument, in seconds of a steady clock. The queue holds a key once, so it is bounded by the
number of objects.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """First come, first served; a key added while it is worked on comes again afterwards."""

    def __init__(self, backoff_s_min: float, backoff_s_max: float) -> None:
        self._backoff_s_min = backoff_s_min
        self._backoff_s_max = backoff_s_max
        self._ready: dict[K, None] = {}  # a set that keeps its order
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []  # the number keeps keys from being compared
        self._pushed = 0
        self._working: set[K] = set()
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}

    def __len__(self) -> int:
        return len(self._ready) + len(self._due)

    def add(self, key: K) -> None:
        """Let the key be worked on, now or once more when the present work ends."""
        if key in self._working:
            self._again.add(key)
        else:
            self._ready[key] = None

    def add_at(self, key: K, due: float) -> None:
        """Add the key when `due` has come; the earliest due of a key counts."""
        known = self._due.get(key)
        if known is not None and known <= due:
            return
        self._due[key] = due
        self._pushed += 1
        heapq.heappush(self._heap, (due, self._pushed, key))

    def add_after_failure(self, key: K, now: float) -> float:
        """Add the key after its back-off, which doubles each time. Return the back-off."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # 2 ** 64 of any back-off is beyond any limit; more would overflow a float.
        backoff_s = min(self._backoff_s_min * 2.0 ** min(failures, 64), self._backoff_s_max)
        self.add_at(key, now + backoff_s)
        return backoff_s

    def forget_failures(self, key: K) -> None:
        """Let the key's back-off begin anew."""
        self._failures.pop(key, None)

    def take(self, now: float) -> K | None:
        """Return the next key to work on, or None; `done` must follow."""
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)
        if not self._ready:
            return None
        key = next(iter(self._ready))
        del self._ready[key]
        self._working.add(key)
        return key

    def done(self, key: K) -> None:
        """The work on the key has ended."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self._ready[key] = None

    def next_due(self) -> float | None:
        """Return when the next delayed key is due, or None."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
