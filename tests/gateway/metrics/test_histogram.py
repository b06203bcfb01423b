"""Durations and their buckets: no gap, no overlap, and never further off than promised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.metrics.cell import Cell
from gateway.metrics.histogram import (
    BUCKETS,
    HIGHEST_US,
    bucket_of,
    lower_edge_us,
    merged,
    quantile_us,
    upper_edge_us,
)

durations = st.integers(0, HIGHEST_US) | st.integers(0, 5000)


@given(durations)
def test_a_duration_is_above_its_buckets_lower_edge_and_at_most_its_upper_one(us: int) -> None:
    bucket = bucket_of(us)
    assert lower_edge_us(bucket) < us <= upper_edge_us(bucket) or (us == 0 and bucket == 0)


@given(durations.filter(bool))
def test_the_middle_of_a_bucket_is_off_by_at_most_an_eighth(us: int) -> None:
    counts = [0] * BUCKETS
    counts[bucket_of(us)] = 1
    assert abs(quantile_us(counts, 0.5) - us) <= us / 8 + 0.5


def test_buckets_follow_one_another_without_a_gap() -> None:
    edges = [upper_edge_us(bucket) for bucket in range(BUCKETS - 1)]
    assert edges == sorted(set(edges))
    assert [bucket_of(edge) for edge in edges] == list(range(BUCKETS - 1))
    assert [bucket_of(edge + 1) for edge in edges] == list(range(1, BUCKETS))
    assert edges[-1] == HIGHEST_US


@pytest.mark.parametrize(
    ("us", "bucket"),
    [
        pytest.param(-5, 0, id="a clock that went back"),
        pytest.param(0, 0, id="nothing"),
        pytest.param(1, 0, id="the shortest"),
        pytest.param(8, 7, id="the last exact one"),
        pytest.param(HIGHEST_US, BUCKETS - 2, id="the longest of its own"),
        pytest.param(HIGHEST_US + 1, BUCKETS - 1, id="beyond"),
        pytest.param(1 << 60, BUCKETS - 1, id="absurd"),
    ],
)
def test_the_ends_of_the_range(us: int, bucket: int) -> None:
    assert bucket_of(us) == bucket


@given(st.integers(-3, 1 << 40), st.integers(100, 599))
def test_a_cell_writes_the_same_rule_out(us: int, status: int) -> None:
    cell = Cell("a/b", "a/c", "")
    cell.done(status, us, 0, 0)
    assert cell.latency.index(1) == (status // 100 - 1) * BUCKETS + bucket_of(us)


@given(st.lists(durations), st.lists(durations))
def test_merging_is_counting_together(one: list[int], other: list[int]) -> None:
    def counts(values: list[int]) -> list[int]:
        found = [0] * BUCKETS
        for value in values:
            found[bucket_of(value)] += 1
        return found

    assert merged(counts(one), counts(other)) == counts(one + other)


@given(st.lists(durations.filter(bool), min_size=1), st.floats(0.0, 1.0))
def test_a_quantile_is_near_the_value_of_its_rank(values: list[int], fraction: float) -> None:
    counts = [0] * BUCKETS
    for value in values:
        counts[bucket_of(value)] += 1
    rank = min(len(values), max(1, -int(-fraction * len(values) // 1)))
    exact = sorted(values)[rank - 1]
    assert abs(quantile_us(counts, fraction) - exact) <= exact / 8 + 0.5


def test_a_quantile_of_nothing_is_nothing() -> None:
    assert quantile_us([0] * BUCKETS, 0.99) == 0
