"""Bounds and known flaws of the tournament's own entrants."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.harness.splitters.algorithms.entrant import Weights, client_key, picked
from benchmarks.harness.splitters.algorithms.roster import ENTRANTS, entrant_named
from benchmarks.harness.splitters.families import lag, three_way, two_way
from benchmarks.harness.splitters.measures import lags
from gateway.splitting.credit import FULL

BOUNDED = [entrant for entrant in ENTRANTS if entrant.bound(3, 100) is not None]
OWN = ["edf", "edf-random", "golden-ratio", "van-der-corput"]


def test_there_are_833_splits_into_three() -> None:
    assert len(list(three_way())) == 833
    assert all(sum(weights) == FULL for weights in (*two_way(), *three_way()))


@pytest.mark.parametrize("name", OWN)
def test_every_split_into_three_whole_percents_keeps_its_bound(name: str) -> None:
    entrant = entrant_named(name)
    bound = entrant.bound(3, 100)
    assert bound is not None
    found = [(float(lag(picked(entrant, w, 7, 100), w)), w) for w in three_way()]
    assert [each for each in found if each[0] > bound.requests + 1e-9] == []


@st.composite
def up_to_twenty(draw: st.DrawFn) -> Weights:
    spread = draw(st.lists(st.integers(1, 1_000), min_size=2, max_size=20))
    found = [1 + (FULL - len(spread)) * each // sum(spread) for each in spread]
    found[0] += FULL - sum(found)
    return tuple(found)


@pytest.mark.parametrize("entrant", BOUNDED, ids=lambda entrant: entrant.name)
def test_up_to_twenty_targets_keep_their_bound(entrant) -> None:
    @settings(max_examples=12, deadline=None)
    @given(weights=up_to_twenty(), seed=st.integers(0, 2**32))
    def each(weights: Weights, seed: int) -> None:
        bound = entrant.bound(len(weights), 400)
        found = lags(entrant.deal(weights, [seed], 400), weights).lag
        assert bound is not None
        assert found <= bound.requests + 1e-9

    each()


@settings(max_examples=40, deadline=None)
@given(ramp=st.lists(st.tuples(st.integers(1, 99), st.integers(1, 40)), min_size=2, max_size=12))
@pytest.mark.parametrize("name", ["golden-ratio", "van-der-corput"])
def test_through_a_ramp_a_counter_stays_near_its_due(
    name: str, ramp: list[tuple[int, int]]
) -> None:
    """Each step's turns are a window, the difference of two prefixes: twice the bound at most."""
    entrant = entrant_named(name)
    random, picker, due, got, turn = Random(1), None, 0.0, 0, 0
    for percent, turns in ramp:
        weights = (FULL - 100 * percent, 100 * percent)
        picker = (
            entrant.change(picker, weights, random) if picker else entrant.make(weights, random)
        )
        for _ in range(turns):
            got += picker.pick_for(client_key(1, turn))
            due += percent / 100
            turn += 1
    bound = entrant.bound(2, max(turn, 2))
    assert bound is not None
    assert abs(got - due) <= 2 * bound.requests * len(ramp)


@pytest.mark.parametrize(
    ("name", "weights", "expected"),
    [
        pytest.param("ipvs-wrr", (9_000, 1_000), "0000000001", id="ipvs: nine, then the canary"),
        pytest.param("iwrr", (9_000, 1_000), "0100000000", id="iwrr: the canary, then eight"),
        pytest.param("edf", (9_000, 1_000), "0000000010", id="edf: the canary last but one"),
        pytest.param("exact", (9_000, 1_000), "0000010000", id="exact: in the middle"),
    ],
)
def test_a_known_pattern(name: str, weights: Weights, expected: str) -> None:
    found = picked(entrant_named(name), weights, 1, len(expected))
    assert "".join(map(str, found)) == expected


def test_equal_weights_beside_a_heavy_one_put_edf_far_from_its_due() -> None:
    """One heavy target, 19 small ones: ahead of its due by what all small ones wait for."""
    weights = (8_100, *[100] * 19)
    edf = lags(entrant_named("edf").deal(weights, [1], 100), weights).lag
    assert 13 < edf < 19
    assert lags(entrant_named("exact").deal(weights, [1], 100), weights).lag < 1


@pytest.mark.parametrize("name", ["ipvs-wrr", "iwrr"])
def test_rounds_leave_a_solid_run_of_the_heavy_target(name: str) -> None:
    weights = (7_300, 1_100, 700, 500, 300, 100)
    assert lags(entrant_named(name).deal(weights, [1], 100), weights).lag > 16


def test_a_ring_gives_a_small_share_wrongly_and_maglev_does_not() -> None:
    def percent(name: str) -> float:
        dealt = entrant_named(name).deal((9_000, 1_000), range(20), 10_000)
        return 100 * float((dealt == 1).mean())

    assert abs(percent("maglev") - 10) < 0.3  # 5 spreads of a coin's 0.067, and the table's 0.002
    assert abs(percent("rendezvous") - 10) < 0.35
    assert abs(percent("ring-hash") - 10) > 0.4
