"""How far a right coin may land from its share: exact binomial tails."""

from __future__ import annotations

import math

# Below this part of the tail's probability, terms are replaced by a bound and not summed.
NEGLIGIBLE = 1e-6


def interval(n: int, share: float, false_alarm: float) -> tuple[int, int]:
    """Return the least and the greatest count that `n` draws of a right coin give.

    The count of successes at probability `share` lies outside with at most `false_alarm`, half on
    each side. Tails are summed exactly, but for what Hoeffding's inequality (JASA 58, 1963) shows
    to be less than a millionth of them, which is added whole: the interval only gets wider by it.
    """
    if share <= 0 or n == 0:
        return 0, 0
    if share >= 1:
        return n, n
    low = _least(n, share, false_alarm / 2)
    return low, n - _least(n, 1 - share, false_alarm / 2)


def _least(n: int, share: float, tail: float) -> int:
    """Return the largest `low` such that fewer than `low` successes have at most `tail`."""
    ignored = tail * NEGLIGIBLE
    reach = math.sqrt(n * math.log(1 / ignored) / 2)
    first = max(0, math.ceil(n * share - reach))
    below = ignored if first else 0.0
    for count in range(first, n + 1):
        below += math.exp(_log_probability(n, count, share))
        if below > tail:
            return count
    return n


def _log_probability(n: int, count: int, share: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(count + 1) - math.lgamma(n - count + 1)
    return ways + count * math.log(share) + (n - count) * math.log1p(-share)
