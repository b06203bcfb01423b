"""assert_split: bounds where they are known, the sequential test elsewhere, and its sentences."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, cycle, islice, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.splitting.splitter import make_splitter
from knary.splits import SplitError, TooFewRequests, assert_split, bound_of

HALVES = {"old": 50, "new": 50}


def turns(splitter: str, weights: dict[str, int], seed: int = 1) -> Iterator[str]:
    split = make_splitter(splitter, weights, {}, Random(seed))
    names = list(weights)
    return (names[split.pick()] for _ in count())


@given(
    st.sampled_from(["stratified", "exact"]),
    st.lists(st.integers(1, 99), min_size=1, max_size=7, unique=True).map(sorted),
    st.integers(0, 2**32),
    st.integers(0, 200),
)
def test_the_gateways_own_splitters_hold_their_bounds(
    splitter: str, cuts: list[int], seed: int, skipped: int
) -> None:
    percents = {str(i): high - low for i, (low, high) in enumerate(pairwise([0, *cuts, 100]))}
    order = turns(splitter, percents, seed)
    assert_split(islice(order, 150), percents, splitter=splitter, from_first_turn=True)
    list(islice(order, skipped))
    later = assert_split(islice(order, 150), percents, splitter=splitter)
    assert later.requests == 150


@pytest.mark.parametrize(("targets", "bound"), [(2, 0.5), (3, 0.75), (4, 5 / 6)])
def test_the_bound_of_exact_is_tijdemans(targets: int, bound: float) -> None:
    assert float(bound_of("exact", targets) or 0) == pytest.approx(bound)


def test_one_request_beyond_the_bound_is_told_with_what_is_due() -> None:
    with pytest.raises(SplitError, match=r"^of 2 requests old got 2, want 1 and less than 1 off"):
        assert_split(["old", "old"], HALVES, splitter="stratified", from_first_turn=True)
    assert_split(["old", "old"], HALVES, splitter="stratified")  # a window, which may
    with pytest.raises(SplitError, match="less than 2 off"):
        assert_split(["old"] * 4, HALVES, splitter="stratified")
    assert_split(["old"] * 4, HALVES, splitter="stratified", workers=2)


def test_a_prefix_that_was_off_counts_though_the_end_is_right() -> None:
    order = ["old"] * 3 + ["new"] * 3
    with pytest.raises(SplitError):
        assert_split(order, HALVES, splitter="stratified", from_first_turn=True)
    assert_split({"old": 3, "new": 3}, HALVES, splitter="stratified", from_first_turn=True)


def test_what_is_to_get_none_gets_none_by_any_splitter() -> None:
    for splitter in ("stratified", "exact", "random"):
        with pytest.raises(SplitError, match="new"):
            assert_split(["old"] * 9 + ["new"], {"old": 100, "new": 0}, splitter=splitter)
    with pytest.raises(SplitError, match="stranger"):
        assert_split(["stranger"], HALVES, splitter="stratified")


def test_a_coin_is_read_until_it_is_known_and_no_further() -> None:
    order = turns("random", {"old": 50, "new": 50})
    report = assert_split(order, HALVES)
    assert report.method == "sequential test"
    assert 500 < report.requests < 20_000
    assert report.sentence == (
        f"{report.requests} requests split new {report.counts['new']}, old {report.counts['old']},"
        " as asked (false alarm 1e-09, 5 points missed 0.001)"
    )


@pytest.mark.parametrize("splitter", ["stratified", "exact", "smooth-wrr", "edf", "static-stride"])
def test_what_is_more_even_than_chance_is_never_blamed(splitter: str) -> None:
    order = turns(splitter, {"old": 90, "new": 10})
    assert assert_split(order, {"old": 90, "new": 10}).method == "sequential test"


@pytest.mark.parametrize(
    "given", [list, lambda order: {"old": order.count("old"), "new": order.count("new")}]
)
def test_too_few_requests_say_how_many_more(given: object) -> None:
    order = list(islice(cycle(["old", "new"]), 100))
    with pytest.raises(TooFewRequests, match=r"it needs about \d+ more") as raised:
        assert_split(given(order), HALVES)  # type: ignore[operator]
    assert raised.value.needed > 500
    assert_split(list(islice(cycle(["old", "new"]), 150 + raised.value.needed)), HALVES)


def test_a_wrong_router_is_told_with_its_share() -> None:
    order = turns("random", {"old": 42, "new": 58})
    with pytest.raises(SplitError, match=r"old got \d[\d.]* %, want 50 %") as raised:
        assert_split(order, HALVES, detectable=8)
    assert not isinstance(raised.value, TooFewRequests)


@pytest.mark.parametrize("splitter", ["stratified", "random"])
def test_no_request_tells_nothing(splitter: str) -> None:
    with pytest.raises(TooFewRequests):
        assert_split([], HALVES, splitter=splitter)


def test_percents_sum_to_100() -> None:
    with pytest.raises(ValueError, match="sum to 90, want 100"):
        assert_split(["old"], {"old": 50, "new": 40})
