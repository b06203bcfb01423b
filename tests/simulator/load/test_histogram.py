from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.load.histogram import HIGHEST_US, Latencies


def recorded(*durations_s: float) -> Latencies:
    latencies = Latencies()
    for duration in durations_s:
        latencies.record(duration)
    return latencies


def test_without_a_record_only_the_count_is_told() -> None:
    assert Latencies().to_dict() == {"count": 0}
    assert Latencies().at(99) == 0


def test_the_summary_has_every_percentile_in_microseconds() -> None:
    summary = recorded(*(index / 1000 for index in range(1, 101))).to_dict()
    assert list(summary) == [
        *("count", "min", "mean", "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "max")
    ]
    assert summary["p50"] == pytest.approx(50_000, rel=0.001)
    assert summary["p99"] == pytest.approx(99_000, rel=0.001)
    assert summary["max"] == pytest.approx(100_000, rel=0.001)


@pytest.mark.parametrize(
    ("duration_s", "kept_us"),
    [
        pytest.param(0.0, 1, id="nothing is at least a microsecond"),
        pytest.param(-0.5, 1, id="a clock that went back"),
        pytest.param(3600.0, HIGHEST_US, id="an hour counts as two minutes"),
    ],
)
def test_what_is_out_of_range_counts_as_its_end(duration_s: float, kept_us: int) -> None:
    latencies = recorded(duration_s)
    assert latencies.count == 1
    assert latencies.at(50) == pytest.approx(kept_us, rel=0.001)


def test_histograms_add_up() -> None:
    one, other = recorded(0.001), recorded(0.002, 0.003)
    one.add(other)
    assert one.count == 3
    assert one.at(100) == pytest.approx(3000, rel=0.001)


@given(st.lists(st.floats(1e-6, 100), min_size=1, max_size=200), st.floats(1, 100))
def test_a_percentile_is_within_three_digits_of_the_true_one(
    durations: list[float], percentile: float
) -> None:
    exact = sorted(durations)
    rank = max(1, int(percentile / 100 * len(exact) + 0.5))
    got = recorded(*durations).at(percentile) / 1e6
    near = exact[max(0, rank - 2) : rank + 1]
    assert min(near) * 0.998 - 2e-6 <= got <= max(near) * 1.002 + 2e-6
