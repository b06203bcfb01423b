"""Ratios new / old with an interval: of samples, of two intervals, of two counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.load.ranks import chance_interval

CONFIDENCE = 0.95
EXACT_MAX = 2_500  # pairs of samples; beyond, the normal distribution is as good

Bounds = tuple[float | None, float | None]


class Ratio(NamedTuple):
    """new / old; `low` and `high` hold it with the confidence that was asked. None: too little."""

    value: float
    low: float | None
    high: float | None


def ratio_of_samples(
    old: Sequence[float], new: Sequence[float], confidence: float = CONFIDENCE
) -> Ratio:
    """Return the median of all ratios of a new to an old sample (Hodges and Lehmann, 1963).

    The interval are the order statistics of these ratios between which the Mann-Whitney test does
    not reject: it holds a factor between two distributions of the same shape, whatever the shape,
    with at least `confidence` (Hollander, Wolfe, Chicken, Nonparametric Statistical Methods, 4.3).
    At 95 % it takes four samples on each side.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        pairs = np.divide.outer(np.asarray(new, dtype=float), np.asarray(old, dtype=float))
    pairs[np.isnan(pairs)] = 1.0  # 0 / 0: there is no difference
    ordered = np.sort(pairs, axis=None)
    value = _median(ordered)
    cut = _ratios_cut_off(len(old), len(new), confidence)
    if cut is None:
        return Ratio(value, None, None)
    return Ratio(value, float(ordered[cut]), float(ordered[len(ordered) - 1 - cut]))


def ratio_of_intervals(old: float, new: float, old_holds: Bounds, new_holds: Bounds) -> Ratio:
    """Return the ratio of two numbers; it holds when both of their intervals do."""
    low = None
    if new_holds[0] is not None and old_holds[1]:
        low = new_holds[0] / old_holds[1]
    high = None
    if new_holds[1] is not None and old_holds[0]:
        high = new_holds[1] / old_holds[0]
    return Ratio(_quotient(new, old), low, high)


def ratio_of_counts(
    old: tuple[int, int], new: tuple[int, int], confidence: float = CONFIDENCE
) -> Ratio:
    """Return the ratio of two rates, each given as (events, of how many).

    Given all the events, how many are the new one's is binomial, for rare events (Przyborowski and
    Wilenski, Biometrika 31, 1940); for frequent ones the interval is too wide, never too narrow.
    """
    value = _quotient(new[0] * old[1], old[0] * new[1])
    if not old[0] + new[0]:
        return Ratio(value, None, None)
    low, high = chance_interval(new[0], old[0] + new[0], confidence)
    weight = old[1] / new[1]
    most = high / (1 - high) * weight if new[0] < old[0] + new[0] else None
    return Ratio(value, low / (1 - low) * weight, most)


def _quotient(numerator: float, denominator: float) -> float:
    if denominator:
        return numerator / denominator
    return math.inf if numerator else 1.0


def _median(ordered: np.ndarray) -> float:
    count = len(ordered)
    low, high = float(ordered[(count - 1) // 2]), float(ordered[count // 2])
    return low if low == high else math.sqrt(low * high)


def _ratios_cut_off(old: int, new: int, confidence: float) -> int | None:
    """Return how many of the ordered ratios lie outside on each side; None when none may."""
    tail = (1 - confidence) / 2
    if old * new > EXACT_MAX:
        deviation = math.sqrt(old * new * (old + new + 1) / 12)
        return max(0, math.floor(old * new / 2 - _normal_quantile(1 - tail) * deviation) - 1)
    below = np.cumsum(_rank_sums(old, new))
    fitting = int(np.searchsorted(below, tail, side="right"))  # P(U <= fitting - 1) <= tail
    return fitting - 1 if fitting else None


def _rank_sums(old: int, new: int) -> np.ndarray:
    """Return P(U = 0), P(U = 1), … of Mann and Whitney's U when nothing differs.

    The number of arrangements is the Gaussian binomial coefficient's: multiply and divide by
    polynomials 1 - x^k, one after the other.
    """
    size = old * new + 1
    ways = np.zeros(size)
    ways[0] = 1.0
    for step in range(1, new + 1):
        rising = old + step
        if rising < size:
            ways[rising:] -= ways[: size - rising].copy()
        for place in range(step, size):
            ways[place] += ways[place - step]
        ways *= step / (old + step)  # so that they stay probabilities
    return ways


def _normal_quantile(chance: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(chance)
