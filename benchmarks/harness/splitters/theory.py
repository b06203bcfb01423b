"""Errors that are known without measuring. Pure."""

from __future__ import annotations

from math import sqrt


def coin_error_percent(share: float, n: int) -> float:
    """Return the root mean square error of a share after n independent draws: the binomial's."""
    return 100 * sqrt(share * (1 - share) / n)


def least_error_percent(share: float, n: int) -> float:
    """Return the least root mean square error that anything can have over n turns from anywhere.

    The count is a whole number, and share * n on average; nothing whole varies less about it than
    the two numbers next to it. Sturmian sequences, as `exact` with two targets, reach it (Lothaire,
    Algebraic Combinatorics on Words, 2002, theorem 2.1.5: they are balanced).
    """
    rest = share * n % 1.0
    rest = 0.0 if min(rest, 1 - rest) < 1e-9 else rest
    return 100 * sqrt(rest * (1 - rest)) / n
