"""Ratios and their intervals: known tables, and how often they hold the truth."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.comparing.ratios import (
    Ratio,
    ratio_of_counts,
    ratio_of_intervals,
    ratio_of_samples,
)

SAMPLES = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("old", "new", "cut"),
    [  # the greatest c with P(U < c) <= 2.5 %: Mann and Whitney's table for two sides at 5 %
        pytest.param(3, 3, None, id="3 and 3 tell nothing"),
        pytest.param(4, 4, 0, id="4 and 4: the extremes"),
        pytest.param(5, 5, 2, id="5 and 5"),
        pytest.param(5, 8, 6, id="5 and 8"),
        pytest.param(10, 10, 23, id="10 and 10"),
        pytest.param(20, 20, 127, id="20 and 20"),
    ],
)
def test_the_interval_ends_where_mann_and_whitneys_table_says(
    old: int, new: int, cut: int | None
) -> None:
    olds = [10.0**each for each in range(old)]
    news = [10.0 ** (each / (new + 1)) for each in range(new)]
    ordered = sorted(b / a for a in olds for b in news)
    found = ratio_of_samples(olds, news)
    if cut is None:
        assert (found.low, found.high) == (None, None)
    else:
        assert found.low == pytest.approx(ordered[cut])
        assert found.high == pytest.approx(ordered[-1 - cut])


def test_the_chance_of_each_rank_sum_is_what_counting_all_arrangements_gives() -> None:
    """Of all orders of 4 old and 5 new samples of the same kind, 95 % or more hold the ratio 1."""
    held = total = 0
    for places in combinations(range(9), 4):
        old = [float(2**place) for place in places]
        new = [float(2**place) for place in range(9) if place not in places]
        found = ratio_of_samples(old, new)
        assert found.low is not None
        assert found.high is not None
        # Values are never equal: the ratio 1 is within, or beyond an end.
        held += found.low < 1 < found.high
        total += 1
    assert held / total >= 0.95
    assert held / total < 0.98


@pytest.mark.parametrize(
    ("old", "new"), [pytest.param(5, 5, id="5 and 5"), pytest.param(60, 60, id="60 and 60")]
)
def test_at_least_95_percent_of_intervals_hold_the_true_factor(old: int, new: int) -> None:
    """Heavy-tailed samples of the same shape, 1.3 times as great: 2,000 seeded trials."""
    chance = np.random.default_rng(20261130)
    trials, factor, held = 2_000, 1.3, 0
    for _ in range(trials):
        a = chance.lognormal(sigma=1.5, size=old)
        b = factor * chance.lognormal(sigma=1.5, size=new)
        found = ratio_of_samples(a.tolist(), b.tolist())
        held += (found.low or 0) <= factor <= (found.high or math.inf)
    assert held / trials >= 0.94


def test_at_least_95_percent_of_intervals_hold_the_true_ratio_of_rates() -> None:
    chance = np.random.default_rng(7)
    trials, held = 1_000, 0
    for _ in range(trials):
        old, new = chance.binomial(5_000, 0.002), chance.binomial(2_000, 0.006)
        found = ratio_of_counts((int(old), 5_000), (int(new), 2_000))
        held += (found.low or 0) <= 3 <= (found.high or math.inf)
    assert held / trials >= 0.95


@given(old=SAMPLES, new=SAMPLES)
def test_exchanging_old_and_new_turns_the_ratio_round(old: list[float], new: list[float]) -> None:
    there, back = ratio_of_samples(old, new), ratio_of_samples(new, old)
    assert there.value * back.value == pytest.approx(1)
    if there.low is not None and there.high is not None:
        assert back.high is not None
        assert there.low <= there.value * (1 + 1e-9)
        assert there.low * back.high == pytest.approx(1)


@pytest.mark.parametrize(
    ("found", "ratio"),
    [
        pytest.param(
            ratio_of_samples([0] * 5, [0] * 5), Ratio(1, 1, 1), id="nothing beside nothing"
        ),
        pytest.param(
            ratio_of_samples([0] * 5, [2] * 5),
            Ratio(math.inf, math.inf, math.inf),
            id="something beside nothing",
        ),
        pytest.param(ratio_of_samples([2], [3]), Ratio(1.5, None, None), id="one of each"),
        pytest.param(
            ratio_of_intervals(10, 20, (8, 12.5), (16, 25)),
            Ratio(2, 1.28, 3.125),
            id="the farthest ends of two intervals",
        ),
        pytest.param(
            ratio_of_intervals(10, 20, (8, None), (None, 25)),
            Ratio(2, None, 3.125),
            id="an end that is open",
        ),
        pytest.param(ratio_of_counts((0, 100), (0, 50)), Ratio(1, None, None), id="no event"),
    ],
)
def test_what_too_little_tells(found: Ratio, ratio: Ratio) -> None:
    assert found == pytest.approx(ratio)


def test_events_in_one_run_only_have_no_upper_end() -> None:
    appeared = ratio_of_counts((0, 1000), (10, 1000))
    assert (appeared.value, appeared.high) == (math.inf, None)
    assert appeared.low is not None
    assert appeared.low > 1
    gone = ratio_of_counts((10, 1000), (0, 1000))
    assert (gone.value, gone.low) == (0, 0)
    assert gone.high is not None
    assert gone.high < 1
