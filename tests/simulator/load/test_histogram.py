from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.load.histogram import HIGHEST_US, Latencies, bucket_of, highest_in


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
    exact = sorted(int(duration * 1e6 + 0.5) for duration in durations)
    true = exact[max(1, math.ceil(percentile / 100 * len(exact))) - 1]
    assert true <= recorded(*durations).at(percentile) <= true * (1 + 1 / 1024)


@given(st.integers(1, HIGHEST_US))
def test_a_bucket_counts_the_values_up_to_its_highest(microseconds: int) -> None:
    bucket = bucket_of(microseconds)
    assert microseconds <= highest_in(bucket)
    assert bucket_of(highest_in(bucket)) == bucket
    assert bucket_of(highest_in(bucket) + 1) == bucket + 1


DURATIONS = st.lists(st.floats(0, 200), max_size=60)


@given(DURATIONS, DURATIONS)
def test_histograms_of_several_processes_merge_exactly(one, other) -> None:
    merged = Latencies.from_counts(recorded(*one).to_counts())
    merged.add(Latencies.from_counts(recorded(*other).to_counts()))
    assert merged.to_counts() == recorded(*one, *other).to_counts()
    assert merged.to_dict() == recorded(*one, *other).to_dict()
