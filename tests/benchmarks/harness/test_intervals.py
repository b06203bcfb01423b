"""What is said of ratios: an interval that holds its promise, and honest words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.intervals import (
    PAIRS_MIN,
    Interval,
    median_interval,
    verdict,
)

RATIOS = st.lists(st.floats(0.1, 10), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("count", "ranks", "confidence"),
    [
        pytest.param(6, (0, 5), 0.96875, id="six: the least and the greatest"),
        pytest.param(9, (1, 7), 0.9609, id="nine: without the outermost"),
        pytest.param(20, (5, 14), 0.9586, id="twenty"),
        pytest.param(25, (7, 17), 0.9567, id="twenty-five"),
    ],
)
def test_the_interval_is_that_of_the_tables(count: int, ranks, confidence: float) -> None:
    """Conover, Practical Nonparametric Statistics, table A3."""
    found = median_interval([float(value) for value in range(count)])
    assert found is not None
    assert (found.low, found.high) == ranks
    assert found.confidence == pytest.approx(confidence, abs=1e-4)


@pytest.mark.parametrize("count", range(PAIRS_MIN))
def test_too_few_pairs_have_no_interval_and_tell_nothing(count: int) -> None:
    assert median_interval([0.5] * count) is None
    assert verdict(None) == "cannot tell"


DRAWS = {
    "normal": lambda rng, shape: rng.normal(1.0, 0.2, shape),
    "skewed, as latencies": lambda rng, shape: rng.lognormal(0.0, 1.0, shape),
    "heavy tails": lambda rng, shape: rng.standard_cauchy(shape),
}
MEDIANS = {"normal": 1.0, "skewed, as latencies": 1.0, "heavy tails": 0.0}


@pytest.mark.parametrize("count", [6, 7, 9, 15, 30])
@pytest.mark.parametrize("kind", DRAWS)
def test_the_interval_holds_the_true_median_as_often_as_it_says(kind: str, count: int) -> None:
    """4,000 runs of each: 5 standard errors of a chance of 0.95 are 1.7 points. Seeded."""
    runs = DRAWS[kind](np.random.default_rng(11), (4000, count))
    found = [median_interval(run) for run in runs]
    held = np.mean([each.low <= MEDIANS[kind] <= each.high for each in found])
    assert found[0].confidence >= 0.95
    assert held == pytest.approx(found[0].confidence, abs=0.017)


@given(RATIOS)
def test_the_interval_is_made_of_measured_values_around_the_median(ratios) -> None:
    found = median_interval(ratios)
    if found is not None:
        assert {found.low, found.high} <= set(ratios)
        assert found.low <= np.median(ratios) <= found.high


@given(st.lists(st.floats(0.5, 2), min_size=PAIRS_MIN, max_size=30))
def test_seen_from_the_other_side_the_word_is_the_other_one(ratios) -> None:
    opposite = {"faster": "slower", "slower": "faster", "cannot tell": "cannot tell"}
    ours = verdict(median_interval(ratios))
    theirs = verdict(median_interval([1 / ratio for ratio in ratios]))
    assert theirs == opposite[ours]


@pytest.mark.parametrize(
    ("low", "high", "less", "more"),
    [
        pytest.param(0.7, 0.9, "faster", "slower", id="below one"),
        pytest.param(1.1, 1.3, "slower", "faster", id="above one"),
        pytest.param(0.9, 1.1, "cannot tell", "cannot tell", id="across one"),
        pytest.param(0.9, 1.0, "cannot tell", "cannot tell", id="up to one"),
        pytest.param(1.0, 1.2, "cannot tell", "cannot tell", id="from one on"),
    ],
)
def test_a_word_is_only_said_when_one_is_outside(low, high, less: str, more: str) -> None:
    interval = Interval(low, high, 0.97)
    assert verdict(interval) == less
    assert verdict(interval, less_is_better=False) == more
