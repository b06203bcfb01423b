"""Which order statistics hold a percentile, and what a binomial count tells of its chance. Pure.

Exact whatever the distribution, as long as the values are independent: how many of n lie below a
percentile is binomial (David and Nagaraja, Order Statistics, 7.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

# Two independent intervals of this confidence both hold with 95 %: enough for a ratio of the two.
CONFIDENCE = math.sqrt(0.95)
_DEVIATIONS = 12  # standard deviations from the mode, beyond which nothing is left in a float


def percentile_ranks(
    count: int, percent: float, confidence: float = CONFIDENCE
) -> tuple[int | None, int | None]:
    """Return the ranks, from 1, of the values that hold a percentile with at least `confidence`.

    None where there are too few values for a bound on that side.
    """
    if count < 1:
        return None, None
    first, below = _cumulated(count, percent / 100)
    tail = (1 - confidence) / 2
    # P(fewer than `low` lie below) <= tail, and P(at least `high` do) <= tail.
    low = first + int(np.searchsorted(below, tail, side="right"))
    above = 1 - below
    high = first + int(np.argmax(above <= tail)) + 1 if above[-1] <= tail else count + 1
    return (low if low >= 1 else None), (high if high <= count else None)


def chance_interval(successes: int, count: int, confidence: float) -> tuple[float, float]:
    """Return the chances that `successes` of `count` do not contradict (Clopper and Pearson, 1934).

    At least `confidence` of such intervals hold the true chance.
    """
    tail = (1 - confidence) / 2
    low, high = 0.0, 1.0
    if successes > 0:
        low = _bisected(lambda chance: 1 - _at_most(successes - 1, count, chance) < tail)
    if successes < count:
        high = _bisected(lambda chance: _at_most(successes, count, chance) > tail)
    return low, high


def _at_most(successes: int, count: int, chance: float) -> float:
    """Return the probability of at most so many successes."""
    first, below = _cumulated(count, chance)
    place = successes - first
    if place < 0:
        return 0.0
    return float(below[min(place, len(below) - 1)])


def _bisected(holds: Callable[[float], bool]) -> float:
    """Return where a condition that holds for small chances ends."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2


def _cumulated(count: int, chance: float) -> tuple[int, np.ndarray]:
    """Return k and P(X <= k), P(X <= k + 1), … of a binomial X, as far as they differ from 0 and 1.

    Made of the probabilities' ratios, from the mode outward, so that nothing overflows.
    """
    if chance <= 0 or chance >= 1:
        return (0 if chance <= 0 else count), np.ones(1)
    mode = min(count, int((count + 1) * chance))
    reach = int(_DEVIATIONS * math.sqrt(count * chance * (1 - chance))) + 40
    first, last = max(0, mode - reach), min(count, mode + reach)
    steps = np.arange(first + 1, last + 1, dtype=float)
    ratios = np.log((count - steps + 1) / steps) + math.log(chance) - math.log1p(-chance)
    logs = np.concatenate([[0.0], np.cumsum(ratios)])
    weights = np.exp(logs - logs.max())
    return first, np.cumsum(weights) / weights.sum()
