"""How often the sequential test errs: its chances computed exactly, and runs simulated on top."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knary.sequential import DETECTABLE, FALSE_ALARM, MISS, Finding, SequentialSplitTest

ROOT = Path(__file__).resolve().parent.parent.parent


def chances(test: SequentialSplitTest, share: float, requests: int) -> tuple[float, float]:
    """Return the chances that a splitter of two is called wrong, and right, within `requests`.

    It gives the first revision `share`. The law of that one's count, by what is excluded already,
    is carried from request to request, and what is decided leaves it: nothing is drawn.
    """
    ways = test.alternatives
    everything = (1 << len(ways)) - 1
    alive = {0: np.ones(1)}  # by mask of what is excluded; of counts from `least` on
    least, wrong, right = 0, 0.0, 0.0
    for n in range(1, requests + 1):
        alive = {mask: np.convolve(law, [1 - share, share]) for mask, law in alive.items()}
        hits = np.arange(least, least + len(alive[0]))
        evidence = [way.evidence(1, 1) * hits + way.evidence(0, 1) * (n - hits) for way in ways]
        blamed = np.logical_or.reduce([one >= test.blaming for one in evidence])
        wrong += sum(law[blamed].sum() for law in alive.values())
        moved: dict[int, np.ndarray] = {}
        for mask, law in alive.items():
            excluded = np.full(len(hits), mask)
            for bit, one in enumerate(evidence):
                excluded[one <= test.excluding] |= 1 << bit
            for now in range(everything + 1):
                kept = np.where((excluded == now) & ~blamed, law, 0)
                moved[now] = moved.get(now, 0) + kept
        right += moved.pop(everything).sum()
        (open_counts,) = np.nonzero(sum(moved.values()))
        if not len(open_counts):
            break
        first, last = open_counts[0], open_counts[-1] + 1
        alive = {mask: law[first:last] for mask, law in moved.items()}
        least += int(first)
    return float(wrong), float(right)


def two(share: float, **rates: float) -> SequentialSplitTest:
    return SequentialSplitTest({"a": share, "b": 1 - share}, **rates)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.1, 0.37])
def test_a_right_splitter_is_blamed_no_more_often_than_promised(share: float) -> None:
    wrong, right = chances(two(share, detectable=0.08, false_alarm=1e-9), share, 3000)
    assert wrong <= FALSE_ALARM
    assert right > 0.99


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_promise_is_kept_where_it_can_be_seen(share: float) -> None:
    # With a rate this high a broken bound would show: the chance found is near it, and below.
    wrong, _ = chances(two(share, detectable=0.08, false_alarm=0.05, miss=0.01), share, 3000)
    assert 0.005 < wrong <= 0.05


@pytest.mark.parametrize(("share", "off"), [(0.5, 0.08), (0.9, -0.08), (0.5, -0.05), (0.9, 0.05)])
def test_a_wrong_splitter_passes_no_more_often_than_promised(share: float, off: float) -> None:
    wrong, right = chances(
        two(share, detectable=abs(off)), share + off, 12_000 if abs(off) < 0.08 else 5_000
    )
    assert right <= MISS
    assert wrong > 0.99


@pytest.mark.parametrize(
    ("points", "requests"), [(1, 300_000), (2, 60_000), (5, 12_000), (8, 5_000)]
)
def test_routers_that_are_wrong_by_points_are_caught(points: int, requests: int) -> None:
    """Each of 50 routers, on either side and for three revisions, drawn in steps of 20 requests."""
    draws = np.random.default_rng(points)
    for side in (1, -1):
        shares = np.array([0.6, 0.3, 0.1]) + np.array([side, -side, 0]) * points / 100
        for _ in range(25):
            test = SequentialSplitTest(
                {"a": 0.6, "b": 0.3, "c": 0.1}, detectable=points / 100, miss=1e-7
            )
            for counts in draws.multinomial(20, shares, size=requests // 20):
                for name, times in zip("abc", counts.tolist(), strict=True):
                    test.count(name, times)
                if test.finding() is not Finding.UNDECIDED:
                    break
            assert test.finding() is Finding.WRONG


def test_a_million_runs_of_right_splitters_blame_none() -> None:
    """All runs at once, looked at after every 25 requests until far beyond the usual end."""
    test = SequentialSplitTest({"a": 0.9, "b": 0.1})
    draws = np.random.default_rng(7)
    hits = np.zeros(1_000_000, dtype=np.int64)
    for n in range(25, 2_001, 25):
        hits += draws.binomial(25, 0.9, size=hits.size)
        for way in test.alternatives:
            evidence = way.evidence(1, 1) * hits + way.evidence(0, 1) * (n - hits)
            assert evidence.max() < test.blaming


def documented() -> list[tuple[str, ...]]:
    text = (ROOT / "docs" / "assert-split.md").read_text(encoding="utf-8")
    return re.findall(r"^\| (\d+)/\d+ \| (\d+) \| ([\d,]+) \| ([\d,]+) \|$", text, re.MULTILINE)


@pytest.mark.parametrize("row", documented(), ids="-".join)
def test_it_takes_about_as_many_requests_as_is_documented(row: tuple[str, ...]) -> None:
    share, off = int(row[0]) / 100, int(row[1]) / 100
    draws = np.random.default_rng(3)
    step = max(10, int(row[2].replace(",", "")) // 100)
    for true, wanted in ((share, row[2]), (share + off, row[3])):
        taken = []
        for _ in range(200):
            test = two(share, detectable=off)
            while test.finding() is Finding.UNDECIDED:
                hits = int(draws.binomial(step, true))
                test.count("a", hits)
                test.count("b", step - hits)
            taken.append(test.requests)
        assert np.mean(taken) == pytest.approx(int(wanted.replace(",", "")), rel=0.15)


def test_what_gets_none_is_wrong_with_its_first_request() -> None:
    test = SequentialSplitTest({"a": 1.0, "b": 0.0})
    test.count("a", 50)
    assert test.finding() is Finding.UNDECIDED
    test.count("b")
    assert test.finding() is Finding.WRONG
    assert test.strays == ["b"]


def test_all_to_one_is_known_once_a_leak_of_the_detectable_size_would_have_shown() -> None:
    test = SequentialSplitTest({"a": 1.0})
    needed = test.needed()
    assert (1 - DETECTABLE) ** needed <= MISS < (1 - DETECTABLE) ** (needed - 1)
    test.count("a", needed - 1)
    assert test.finding() is Finding.UNDECIDED
    test.count("a")
    assert test.finding() is Finding.RIGHT


def test_a_canary_that_gets_nothing_is_caught_although_its_share_is_smaller_than_the_error() -> (
    None
):
    test = SequentialSplitTest({"old": 0.99, "new": 0.01})
    test.count("old", 3_000)
    assert test.finding() is Finding.WRONG


@given(st.lists(st.integers(1, 20), min_size=2, max_size=6), st.integers(0, 2**32))
def test_it_ends_and_needs_less_and_less(weights: list[int], seed: int) -> None:
    shares = {str(i): weight / sum(weights) for i, weight in enumerate(weights)}
    test = SequentialSplitTest(shares, detectable=0.1)
    assert test.needed() > 0
    draws = Random(seed)
    for _ in range(40):
        for name in draws.choices(list(shares), list(shares.values()), k=100):
            test.count(name)
        if test.finding() is not Finding.UNDECIDED:
            break
    assert test.finding() is Finding.RIGHT
    assert test.needed() == 0


@pytest.mark.parametrize(
    ("shares", "rates", "message"),
    [
        ({"a": 0.5, "b": 0.4}, {}, "sum to 1"),
        ({"a": 1.5, "b": -0.5}, {}, "sum to 1"),
        ({"a": 1.0}, {"detectable": 0}, "detectable"),
        ({"a": 1.0}, {"false_alarm": 1}, "false_alarm"),
        ({"a": 1.0}, {"miss": 0}, "miss"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shares: dict[str, float], rates: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SequentialSplitTest(shares, **rates)
