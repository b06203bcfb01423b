"""Lags in whole numbers, and how they are carried over a change of weights.

A target's credit is `FULL * (due - picked)`: what it is owed, where FULL stands for one request.
Credits of one split sum to zero. A weight w of FULL earns w per turn; a pick costs FULL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from gateway.contract import WEIGHT_SCALE

Name = TypeVar("Name", int, str)

FULL: Final = WEIGHT_SCALE * 100  # 10_000 hundredths of a percent
LIMIT: Final = FULL - 1


def normalised(weights: Sequence[int]) -> list[int]:
    """Return weights that sum to FULL: as given when they do, else scaled by largest remainder.

    Raise ValueError when there is none or one is negative.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ValueError(f"weights must be positive and not all zero: {list(weights)}")
    if total == FULL:
        return list(weights)
    scaled = [weight * FULL // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(weights[i] * FULL % total), i))
    for i in order[: FULL - sum(scaled)]:
        scaled[i] += 1
    return scaled


def carried(old: Mapping[Name, int], keys: Sequence[Name], weights: Sequence[int]) -> list[int]:
    """Return the credit of each target of a new split, from the old split's by name.

    All weights are positive. What targets that left were owed is spread over the others by
    weight, so that credits sum to zero again; none exceeds one request either way.
    """
    credit = [old.get(key, 0) for key in keys]
    left = -sum(credit)
    for i, weight in enumerate(weights):
        credit[i] += left * weight // FULL
    excess = -sum(credit)
    for i, value in enumerate(credit):  # what rounding left, and what is above one request
        kept = max(-LIMIT, min(LIMIT, value + excess))
        excess += value - kept
        credit[i] = kept
    for i, value in enumerate(credit):
        kept = max(-LIMIT, min(LIMIT, value + excess))
        excess += value - kept
        credit[i] = kept
    return credit
