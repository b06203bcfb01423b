"""Python's random numbers in numpy: `Random(seed).random()` of many seeds at once, bit for bit.

Both are MT19937 and make a double of two words in the same way (53 bits, Matsumoto and Nishimura's
genrand_res53), so a generator's state can be moved from one to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_AHEAD = 256  # draws kept of each seed


def stream(seed: int) -> np.random.RandomState:
    """Return a generator whose doubles are those of Random(seed)."""
    *words, position = Random(seed).getstate()[1]
    made = np.random.RandomState(0)
    made.set_state(("MT19937", np.array(words, dtype=np.uint32), position, 0, 0.0))
    return made


def draws(seeds: Sequence[int], count: int) -> Floats:
    """Return the first draws of each seed: seeds x count."""
    return np.stack([stream(seed).random_sample(count) for seed in seeds])


class Dice:
    """Draws on demand: each seed has used as many as it needed."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._streams = [stream(seed) for seed in seeds]
        self._drawn = np.empty((len(seeds), 0))
        self._used = np.zeros(len(seeds), dtype=np.intp)

    def prepare(self, most: int) -> None:
        """See to it that each seed has so many draws left."""
        kept = self._drawn.shape[1]
        if int(self._used.max()) + most <= kept:
            return
        size = max(_AHEAD, 4 * most)
        fresh = np.empty((len(self._streams), size))
        for row, (each, used) in enumerate(zip(self._streams, self._used.tolist(), strict=True)):
            rest = kept - used
            fresh[row, :rest] = self._drawn[row, used:]
            fresh[row, rest:] = each.random_sample(size - rest)
        self._drawn, self._used = fresh, np.zeros_like(self._used)

    def take(self, rows: Rows) -> Floats:
        """Return the next draw of each of these rows, of which none is named twice."""
        at = self._used[rows]
        self._used[rows] = at + 1
        taken: Floats = self._drawn[rows, at]
        return taken
