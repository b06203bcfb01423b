"""Weights as users write them: 90/10, 99.9/0.1, 1/1/2. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from benchmarks.harness.documents.splitters import DIGITS
from benchmarks.harness.splitters.algorithms.entrant import Weights
from gateway.splitting.credit import FULL

TARGETS_MAX = len(DIGITS)
_PERCENT = FULL // 100
_NUMBER = r"[0-9]{1,9}(\.[0-9]{1,9})?"
_NUMBERS = re.compile(rf"{_NUMBER}(/{_NUMBER})*")


def parse_weights(text: str) -> Weights:
    """Return parts of 0.01 %. Raise ValueError, in words for the user."""
    if not _NUMBERS.fullmatch(text):
        raise ValueError("want numbers and slashes, such as 90/10")
    parts = [Fraction(part) for part in text.split("/")]
    if not 2 <= len(parts) <= TARGETS_MAX:
        raise ValueError(f"want 2 to {TARGETS_MAX} targets")
    if min(parts) <= 0:
        raise ValueError("each weight must be above 0")
    total = sum(parts)
    scaled = [part * FULL / total for part in parts]
    if any(part.denominator != 1 for part in scaled):
        raise ValueError("these are no steps of 0.01 %: write percents, such as 33.34/33.33/33.33")
    return tuple(int(part) for part in scaled)


def percents(weights: Sequence[int]) -> tuple[float, ...]:
    """Return weights in percent."""
    return tuple(weight / _PERCENT for weight in weights)


def in_words(weights: Sequence[int]) -> str:
    """Return weights as percents with slashes."""
    return "/".join(f"{percent:g}" for percent in percents(weights))


def canary_of(weights: Sequence[int]) -> int:
    """Return the index of the smallest weight; of equal ones the last."""
    return min(range(len(weights)), key=lambda i: (weights[i], -i))
