from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.load.schedule import AsFastAsPossible, ConstantRate, moments, planned_count


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
