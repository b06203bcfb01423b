"""Points of a low-discrepancy sequence, looked up in the targets' intervals: state is a counter.

The counter goes on when the weights change. Points are 64-bit whole numbers, a part of 2**64.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import log
from random import Random

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.splitters.algorithms.entrant import Bound, Entrant, Picker, Picks, Weights

BITS = 64
WHOLE = 1 << BITS
# The odd number nearest to 2**64 / golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
GOLDEN = 0x9E3779B97F4A7C15
_LOG_GOLDEN_RATIO = log((1 + 5**0.5) / 2)

Point = Callable[[int], int]
Words = NDArray[np.uint64]


class LowDiscrepancy:
    """The n-th request goes to the target in whose interval the n-th point lies."""

    def __init__(self, point: Point, weights: Sequence[int], counter: int = 0) -> None:
        self._point = point
        self._ends = interval_ends(weights)
        self.counter = counter

    def pick(self) -> int:
        """Return the index of the next target."""
        point = self._point(self.counter)
        self.counter += 1
        return bisect_right(self._ends, point)

    def pick_for(self, key: bytes) -> int:
        """Return the index of the next target, whatever the key."""
        del key
        return self.pick()


def kronecker(n: int) -> int:
    """Return the fractional part of n / golden ratio: Kronecker's sequence of the golden ratio."""
    return n * GOLDEN % WHOLE


def van_der_corput(n: int) -> int:
    """Return n with its bits mirrored behind the point: 0, 1/2, 1/4, 3/4, 1/8 ...

    Source: van der Corput, Verteilungsfunktionen, Proc. Akad. Wet. Amsterdam 38 (1935) 813-821.
    """
    return int(f"{n % WHOLE:064b}"[::-1], 2)


def interval_ends(weights: Sequence[int]) -> list[int]:
    """Return where the interval of each target but the last ends, in parts of 2**64."""
    total = sum(weights)
    return [end * WHOLE // total for end in accumulate(weights)][:-1]


def _kronecker_points(turns: int) -> Words:
    return np.arange(turns, dtype=np.uint64) * np.uint64(GOLDEN)


def _van_der_corput_points(turns: int) -> Words:
    points = np.arange(turns, dtype=np.uint64)
    for width, mask in (
        (1, 0x5555555555555555),
        (2, 0x3333333333333333),
        (4, 0x0F0F0F0F0F0F0F0F),
        (8, 0x00FF00FF00FF00FF),
        (16, 0x0000FFFF0000FFFF),
        (32, 0x00000000FFFFFFFF),
    ):
        shift, low = np.uint64(width), np.uint64(mask)
        points = (points & low) << shift | points >> shift & low
    return points


def _dealt(points: Words, weights: Weights, runs: int) -> Picks:
    ends = np.array(interval_ends(weights), dtype=np.uint64)
    one = np.searchsorted(ends, points, side="right").astype(np.int16)
    return np.broadcast_to(one, (runs, len(points)))


def golden_bound(targets: int, turns: int) -> Bound:
    """Return how far points in any interval are from its length: partial quotients are all 1."""
    del targets
    most = 3 + (1 / _LOG_GOLDEN_RATIO + 1 / log(2)) * log(max(turns, 2))
    return Bound(
        most,
        "Kuipers and Niederreiter, Uniform Distribution of Sequences (1974), theorem 2.3.4",
        reached=True,
    )


def van_der_corput_bound(targets: int, turns: int) -> Bound:
    """Return the bound of intervals that begin at 0; one in the middle is a difference of two."""
    most = log(max(turns, 2)) / (3 * log(2)) + 1
    return Bound(
        most if targets == 2 else 2 * most,
        "Béjian and Faure, Discrépance de la suite de van der Corput, C. R. Acad. Sci. 285 (1977)",
        reached=True,
    )


def _entrant(
    name: str, known: str, point: Point, points: Callable[[int], Words], bound: BoundOf
) -> Entrant:
    def make(weights: Weights, random: Random) -> Picker:
        del random  # deterministic
        return LowDiscrepancy(point, weights)

    def change(before: Picker, weights: Weights, random: Random) -> Picker:
        del random
        counter = before.counter if isinstance(before, LowDiscrepancy) else 0
        return LowDiscrepancy(point, weights, counter)

    def deal(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
        return _dealt(points(turns), weights, len(seeds))

    return Entrant(name, "nobody known", known, make, change, deal, bound, is_seeded=False)


BoundOf = Callable[[int, int], Bound]
GOLDEN_RATIO = _entrant(
    "golden-ratio",
    "O(log n), not below 1; a pure function of a counter",
    kronecker,
    _kronecker_points,
    golden_bound,
)
VAN_DER_CORPUT = _entrant(
    "van-der-corput",
    "O(log n); shares that are no binary fractions drift, and even cycles fall into step",
    van_der_corput,
    _van_der_corput_points,
    van_der_corput_bound,
)
