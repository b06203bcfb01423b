"""How far a split strays over time, beside what it may: with the gateway's own splitters."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.gateway.deviation import Deviation, Due, SplitTrack, error_percent
from gateway.splitting.splitter import make_splitter
from simulator.load.timeline import Slice


def slice_of(revisions: dict[str, int], failed: int = 0, under_way: int = 0) -> Slice:
    made = Slice()
    made.revisions, made.failed, made.under_way = revisions, failed, under_way
    made.requests = sum(revisions.values()) + failed
    return made


EVEN = {"a": 0.5, "b": 0.5}


@pytest.mark.parametrize(
    ("due", "bound"),
    [
        pytest.param(Due(EVEN, "stratified", 1, True), 1, id="from its first turn: below 1"),
        pytest.param(Due(EVEN, "stratified", 1), 2, id="from any turn on: the difference of two"),
        pytest.param(Due(EVEN, "stratified", 3, True), 3, id="each worker deals its own"),
        pytest.param(Due(EVEN, "exact", 1, True), 0.5, id="exact: 1 - 1/(2k - 2)"),
        pytest.param(Due(EVEN, "stratified", 0), None, id="nobody knows how many workers"),
        pytest.param(Due(EVEN, "edf", 1, True), None, id="nothing is proven"),
        pytest.param(Due(EVEN), None, id="nobody knows how it is split"),
    ],
)
def test_the_bound_is_that_of_the_splitter(due: Due, bound: float | None) -> None:
    assert due.bound() == bound


def test_the_lag_counts_from_the_beginning_and_not_from_the_slice() -> None:
    track = SplitTrack(Due(EVEN, "stratified", 1, True))
    found = track.follow([slice_of({"a": 3, "b": 1}), slice_of({"a": 0, "b": 2})])
    assert found == [Deviation(1.0, 1.0), Deviation(0.0, 1.0)]


def test_whatever_is_under_way_or_unanswered_widens_the_bound() -> None:
    track = SplitTrack(Due(EVEN, "stratified", 1, True))
    (one, two) = track.follow([slice_of({"a": 2}, failed=1, under_way=3), slice_of({"b": 1})])
    assert one.bound_requests == 1 + 1 + 3
    assert two.bound_requests == 1 + 1  # what failed stays unknown, what was under way is over


def test_a_warm_up_has_turns_too_and_strangers_are_nobodys() -> None:
    track = SplitTrack(Due(EVEN, "stratified", 1, True))
    track.warm({"a": 1, "(unknown)": 2})
    (found,) = track.follow([slice_of({"b": 1})])
    assert found == Deviation(1.0, 3.0)  # |1 - 4/2| and 1 + 2 unknown


def test_a_coin_has_an_envelope_that_grows_as_the_root_of_what_was_sent() -> None:
    few, many = SplitTrack(Due(EVEN, "random")), SplitTrack(Due(EVEN, "random"))
    (narrow,) = few.follow([slice_of({"a": 60, "b": 40})])
    (wide,) = many.follow([slice_of({"a": 6000, "b": 4000})])
    assert not narrow.is_broken
    assert wide.is_broken
    assert narrow.bound_requests is not None
    assert wide.bound_requests is not None
    assert wide.bound_requests / narrow.bound_requests == pytest.approx(10, rel=0.2)


@given(
    percents=st.sampled_from([(50, 50), (90, 10), (34, 33, 33), (99, 1), (1, 2, 97)]),
    splitter=st.sampled_from(["stratified", "exact"]),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    skipped=st.integers(0, 30),
    data=st.data(),
)
def test_the_gateways_splitters_keep_the_bound_whatever_is_cut(
    percents, splitter, cuts, skipped, data
) -> None:
    """Slices are cut anywhere, with answers that come in another order than turns were dealt."""
    weights = {str(index): percent for index, percent in enumerate(percents)}
    picks = make_splitter(splitter, weights, {}, Random(1))
    turns = [picks.pick() for _ in range(skipped + sum(cuts))][skipped:]
    shares = {str(index): percent / 100 for index, percent in enumerate(percents)}
    track = SplitTrack(Due(shares, splitter, 1, from_first_turn=skipped == 0))
    order = list(range(len(turns)))
    for index in range(len(order) - 1):  # neighbours change places: they were under way at once
        if data.draw(st.booleans(), label="swap"):
            order[index], order[index + 1] = order[index + 1], order[index]
    slices, at = [], 0
    for size in cuts:
        planned = range(at, at + size)
        at += size
        counts: dict[str, int] = {}
        for position in planned:
            name = str(turns[order[position]])
            counts[name] = counts.get(name, 0) + 1
        ahead = sum(order[position] >= at for position in range(at))
        slices.append(slice_of(counts, under_way=ahead))
    assert not any(found.is_broken for found in track.follow(slices))


def test_one_who_gets_what_is_anothers_is_found() -> None:
    rng = Random(5)
    wrong = [rng.choices("ab", (60, 40))[0] for _ in range(2000)]
    track = SplitTrack(Due(EVEN, "stratified", 1, True))
    counts = {name: wrong.count(name) for name in "ab"}
    assert track.follow([slice_of(counts)])[0].is_broken


@pytest.mark.parametrize(
    ("counts", "points"),
    [
        pytest.param({"a": 50, "b": 50}, 0.0, id="even"),
        pytest.param({"a": 51, "b": 49}, 1.0, id="one point"),
        pytest.param({"a": 10}, 50.0, id="one gets all"),
        pytest.param({}, 0.0, id="nobody asked"),
    ],
)
def test_the_error_is_in_points_of_the_share(counts: dict[str, int], points: float) -> None:
    assert error_percent(counts, EVEN) == pytest.approx(points)
