from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.load.plan import Part
from simulator.load.schedule import (
    AsFastAsPossible,
    ConstantRate,
    PoissonRate,
    Step,
    StepRates,
    duration_of,
    moments,
    paced,
    parse_rates,
    planned_count,
)


@pytest.mark.parametrize(
    ("schedule", "count"),
    [
        pytest.param(ConstantRate(200, 10), 2000, id="rate times duration"),
        pytest.param(ConstantRate(200, 0.1), 20, id="not 21 by binary fractions"),
        pytest.param(ConstantRate(0.3, 10), 3, id="less than one a second"),
        pytest.param(ConstantRate(1, 0.5), 1, id="the first request leaves at once"),
        pytest.param(ConstantRate(3, 1.5), 5, id="the last one leaves before the end"),
        pytest.param(ConstantRate(50), None, id="without an end"),
        pytest.param(AsFastAsPossible(7, 3), 7, id="a closed loop has its count"),
        pytest.param(AsFastAsPossible(None, 3, 1.0), None, id="or ends with its time"),
        pytest.param(StepRates((Step(10, 2), Step(30, 1))), 50, id="steps add up"),
        pytest.param(PoissonRate(10, 2), None, id="chance decides"),
    ],
)
def test_a_schedule_knows_how_many_requests_it_asks_for(schedule, count) -> None:
    assert planned_count(schedule) == count


def test_without_an_end_moments_go_on() -> None:
    first = list(itertools.islice(moments(ConstantRate(4)), 5))
    assert first == [0.0, 0.25, 0.5, 0.75, 1.0]


@given(rate=st.floats(0.01, 10_000, allow_nan=False), duration=st.floats(0.001, 5, allow_nan=False))
def test_moments_are_even_and_inside_the_duration(rate: float, duration: float) -> None:
    schedule = ConstantRate(rate, duration)
    count = planned_count(schedule)
    planned = list(itertools.islice(moments(schedule), 10_000))
    assert len(planned) == min(count, 10_000)
    assert all(abs(moment - index / rate) < 1e-9 for index, moment in enumerate(planned))
    assert planned[-1] < duration + 1e-6 / rate


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        pytest.param("200", (200,), id="one rate"),
        pytest.param("0.5", (0.5,), id="less than one a second"),
        pytest.param("100,500,200", (100, 500, 200), id="steps in any order"),
        pytest.param("100..1000/4", (100, 400, 700, 1000), id="a ramp has both ends"),
        pytest.param("10..1/2", (10, 1), id="a ramp down"),
    ],
)
def test_rates_are_written_as_one_as_steps_or_as_a_ramp(text: str, rates) -> None:
    assert parse_rates(text) == pytest.approx(rates)


def test_a_ramp_has_ten_steps_unless_told() -> None:
    assert len(parse_rates("100..1000")) == 10


@pytest.mark.parametrize(
    "text", ["", "fast", "0", "-1", "nan", "inf", "1,", "1..", "1..5/1", "1..2/x"]
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (float's own words, or ours)
        parse_rates(text)


def test_steps_of_a_constant_rate_are_even_within_each_step() -> None:
    planned = list(moments(StepRates((Step(2, 1), Step(4, 1), Step(1, 2)))))
    assert planned == pytest.approx([0, 0.5, 1, 1.25, 1.5, 1.75, 2, 3])


def test_the_warm_up_comes_before_the_first_step() -> None:
    schedule = paced((2.0, 4.0), 2.0, warm_s=1.0)
    assert duration_of(schedule) == 3.0
    assert sum(moment < 1 for moment in moments(schedule)) == 2
    assert planned_count(schedule) == 2 + 2 + 4


POISSON = (
    pytest.param(PoissonRate(500.0, 20.0, seed=1), id="one rate"),
    pytest.param(StepRates((Step(500.0, 10.0), Step(500.0, 10.0)), "poisson", 2), id="steps"),
)


@pytest.mark.parametrize("schedule", POISSON)
def test_poisson_arrivals_are_poisson(schedule) -> None:
    """Counts of a second have equal mean and variance; gaps are exponential, and memoryless.

    Of 10,000 arrivals a mean is off by 1 in 100, so 5 in 100 are five deviations; seeds are fixed.
    """
    planned = list(moments(schedule))
    gaps = [after - before for before, after in itertools.pairwise(planned)]
    mean = sum(gaps) / len(gaps)
    assert len(planned) == pytest.approx(10_000, rel=0.05)
    assert mean == pytest.approx(1 / 500, rel=0.05)
    # Exponential: a third of the gaps, e**-1, is longer than the mean ...
    longer = [gap for gap in gaps if gap > mean]
    assert len(longer) / len(gaps) == pytest.approx(math.exp(-1), rel=0.06)
    # ... and memoryless: who has waited for it has as long to wait as who has just begun.
    assert sum(gap - mean for gap in longer) / len(longer) == pytest.approx(mean, rel=0.08)
    # Independent: a long gap says nothing of the next one.
    after_long = [b for a, b in itertools.pairwise(gaps) if a > mean]
    assert sum(after_long) / len(after_long) == pytest.approx(mean, rel=0.08)


def test_poisson_steps_follow_their_rates() -> None:
    schedule = StepRates((Step(100.0, 20.0), Step(900.0, 20.0)), "poisson", 3)
    planned = list(moments(schedule))
    first = sum(moment < 20 for moment in planned)
    assert first == pytest.approx(2_000, rel=0.1)
    assert len(planned) - first == pytest.approx(18_000, rel=0.05)
    assert planned == sorted(planned)
    assert planned[-1] < 40


def test_a_seed_plans_the_same_moments_again() -> None:
    once, again, other = (list(moments(PoissonRate(100, 1, seed))) for seed in (7, 7, 8))
    assert once == again != other


@given(of=st.integers(1, 7), seed=st.integers(0, 1000))
def test_the_parts_of_a_plan_are_together_the_plan(of: int, seed: int) -> None:
    schedule = PoissonRate(50, 1, seed)
    parts = [
        list(itertools.islice(moments(schedule), part.index, None, part.of))
        for part in (Part(index, of) for index in range(of))
    ]
    assert sorted(itertools.chain(*parts)) == list(moments(schedule))


@given(count=st.integers(0, 100), of=st.integers(1, 9))
def test_the_parts_share_out_every_connection(count: int, of: int) -> None:
    assert sum(Part(index, of).share_of(count) for index in range(of)) == count
