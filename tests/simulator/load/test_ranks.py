"""Ranks that hold a percentile, and chances that fit a count: against exact sums of fractions."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.load.ranks import CONFIDENCE, chance_interval, percentile_ranks


def at_most(successes: int, count: int, chance: Fraction) -> Fraction:
    """Sum it up as the textbook has it."""
    terms = (comb(count, k) * chance**k * (1 - chance) ** (count - k) for k in range(successes + 1))
    return sum(terms, Fraction(0))


@given(count=st.integers(1, 120), percent=st.sampled_from([1, 25, 50, 90, 99]))
def test_the_ranks_hold_the_percentile_as_often_as_promised_and_no_narrower_ones_do(
    count: int, percent: int
) -> None:
    low, high = percentile_ranks(count, percent)
    tail = (1 - CONFIDENCE) / 2
    chance = Fraction(percent, 100)
    below = at_most((low or 0) - 1, count, chance)
    above = 1 - at_most((high or count + 1) - 1, count, chance)
    assert max(below, above) <= tail + 1e-12
    assert at_most(low or 0, count, chance) > tail - 1e-12
    if high is not None:
        assert 1 - at_most(high - 2, count, chance) > tail - 1e-12
    else:
        assert 1 - at_most(count - 1, count, chance) > tail - 1e-12


@pytest.mark.parametrize(
    ("count", "percent", "ranks"),
    [
        pytest.param(0, 50, (None, None), id="of nothing nothing is known"),
        pytest.param(5, 50, (None, None), id="of five not even the median"),
        pytest.param(100, 99.9, (99, None), id="of a hundred p99.9 has no end above"),
        pytest.param(10_000_000, 50, (4_996_464, 5_003_537), id="of ten million, at once"),
    ],
)
def test_too_few_values_bound_nothing(
    count: int, percent: float, ranks: tuple[int | None, int | None]
) -> None:
    assert percentile_ranks(count, percent) == ranks


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [
        pytest.param(0, 10, 0.0, 0.30850, id="none"),
        pytest.param(10, 10, 0.69150, 1.0, id="all"),
        pytest.param(1, 10, 0.00253, 0.44502, id="one of ten"),
        pytest.param(81, 263, 0.2527, 0.3676, id="81 of 263"),
    ],
)
def test_a_count_bounds_its_chance_as_published_tables_say(
    successes: int, count: int, low: float, high: float
) -> None:
    assert chance_interval(successes, count, 0.95) == pytest.approx((low, high), abs=5e-5)
