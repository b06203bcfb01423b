from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario.binomial import interval


def outside(n: int, share: Fraction, low: int, high: int) -> Fraction:
    """Return the exact probability of fewer than `low` or more than `high` successes."""
    return sum(
        (
            math.comb(n, count) * share**count * (1 - share) ** (n - count)
            for count in range(n + 1)
            if not low <= count <= high
        ),
        Fraction(0),
    )


@pytest.mark.parametrize(
    ("n", "share", "expected"),
    [
        pytest.param(0, 0.5, (0, 0), id="no draw"),
        pytest.param(100, 0.0, (0, 0), id="a share of nothing is exactly nothing"),
        pytest.param(100, 1.0, (100, 100), id="a share of all is exactly all"),
        pytest.param(1, 0.5, (0, 1), id="one draw proves nothing"),
        pytest.param(100, 0.5, (20, 80), id="a hundred fair coins"),
    ],
)
def test_the_interval_of_a_coin(n: int, share: float, expected: tuple[int, int]) -> None:
    assert interval(n, share, 1e-9) == expected


@given(
    n=st.integers(1, 300),
    percent=st.integers(1, 99),
    alarm=st.sampled_from([0.05, 0.001, 1e-6, 1e-9]),
)
def test_a_right_coin_is_outside_at_most_as_often_as_stated(
    n: int, percent: int, alarm: float
) -> None:
    share = Fraction(percent, 100)
    low, high = interval(n, percent / 100, alarm)
    assert outside(n, share, low, high) <= Fraction(alarm)
    # And the interval is no wider than that asks: the next count on each side is too likely.
    half = Fraction(alarm) / 2
    if low < n * share:
        assert outside(n, share, low + 1, n) > half * Fraction(999_998, 1_000_000)
    if high > n * share:
        assert outside(n, share, 0, high - 1) > half * Fraction(999_998, 1_000_000)


def test_ten_million_draws_are_judged_at_once() -> None:
    low, high = interval(10_000_000, 0.3, 1e-9)
    deviation = math.sqrt(10_000_000 * 0.3 * 0.7)
    assert 3_000_000 - 7 * deviation < low < 3_000_000 - 5.5 * deviation
    assert 3_000_000 + 5.5 * deviation < high < 3_000_000 + 7 * deviation
