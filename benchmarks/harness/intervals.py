"""What pairs of measurements tell: an interval for the median ratio, and a word for it. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

CONFIDENCE = 0.95
PAIRS_MIN = 6  # fewer cannot tell anything at 95 %: of five, all lie on one side with 1/16

Verdict = Literal["faster", "slower", "cannot tell"]


@dataclass(frozen=True)
class Interval:
    """Holds the median of what the values were drawn from with at least `confidence`."""

    low: float
    high: float
    confidence: float


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """Return the narrowest pair of order statistics that holds the median; None of too few values.

    Exact whatever the distribution, as long as the values are independent: each lies below the
    median with chance 1/2, so how many do is binomial (Thompson, Annals of Mathematical Statistics
    7, 1936; Conover, Practical Nonparametric Statistics, 3.2).
    """
    ordered, count = sorted(values), len(values)
    found = None
    outside = 0.0  # the chance that the median lies beyond the interval on one side
    for rank in range(count // 2):
        outside += math.comb(count, rank) / 2**count
        if 1 - 2 * outside < confidence:
            break
        found = Interval(ordered[rank], ordered[count - 1 - rank], 1 - 2 * outside)
    return found


def verdict(interval: Interval | None, *, less_is_better: bool = True) -> Verdict:
    """Return what an interval of the ratio ours / theirs says of ours."""
    if interval is None or interval.low <= 1 <= interval.high:
        return "cannot tell"
    return "faster" if (interval.high < 1) == less_is_better else "slower"
