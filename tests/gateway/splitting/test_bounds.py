"""How far a splitter may be from its due, at every prefix, and that it cannot be guessed."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.splitting.splitter import make_splitter

KNATIVES_OWN = [1, 2, 4, 8, 16, 32, 37]  # networking's conformance test, dispatch/percentage


def worst_lag(name: str, weights: list[int], turns: int, seed: int = 1) -> float:
    """Return max |picked - due| over targets and prefixes, in requests."""
    shares = {str(i): weight for i, weight in enumerate(weights)}
    splitter = make_splitter(name, shares, {}, Random(seed))
    total, picked, worst = sum(weights), [0] * len(weights), 0.0
    for turn in range(1, turns + 1):
        picked[splitter.pick()] += 1
        for i, weight in enumerate(weights):
            worst = max(worst, abs(picked[i] - weight * turn / total))
    return worst


WEIGHTS = [[50, 50], [90, 10], [99, 1], [63, 37], [34, 33, 33], [70, 20, 10], KNATIVES_OWN]


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_stratified_stays_within_one_request_at_every_prefix(weights: list[int]) -> None:
    assert all(worst_lag("stratified", weights, 1000, seed) < 1 for seed in range(5))


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_exact_keeps_tijdemans_bound(weights: list[int]) -> None:
    bound = 1 - 1 / (2 * len(weights) - 2)
    assert worst_lag("exact", weights, 1000) <= bound + 1e-9


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.integers(1, 100), min_size=2, max_size=12).filter(
        lambda weights: 10_000 % sum(weights) == 0 or sum(weights) == 100
    )
    | st.tuples(st.integers(1, 98), st.integers(1, 50))
    .map(lambda pair: [pair[0], pair[1], max(1, 100 - sum(pair))])
    .filter(lambda weights: sum(weights) == 100),
    seed=st.integers(0, 2**32),
)
def test_the_bound_of_stratified_holds_for_any_shares(weights: list[int], seed: int) -> None:
    assert worst_lag("stratified", weights, 400, seed) < 1


@settings(max_examples=50, deadline=None)
@given(
    ramp=st.lists(st.tuples(st.integers(1, 99), st.integers(1, 40)), min_size=2, max_size=12),
    seed=st.integers(0, 2**32),
)
@pytest.mark.parametrize(("name", "bound"), [("stratified", 1.0), ("exact", 0.5)])
def test_two_revisions_keep_their_bound_through_any_ramp(
    name: str, bound: float, ramp: list[tuple[int, int]], seed: int
) -> None:
    random, owed = Random(seed), dict[str, int]()
    due, picked = 0.0, 0
    for percent, turns in ramp:
        splitter = make_splitter(name, {"old": 100 - percent, "new": percent}, owed, random)
        for _ in range(turns):
            picked += splitter.pick()
            due += percent / 100
            assert abs(picked - due) <= bound + 1e-9
        owed = dict(zip(["old", "new"], splitter.credit, strict=True))


@settings(max_examples=50, deadline=None)
@given(
    ramp=st.lists(
        st.tuples(st.lists(st.integers(1, 100), min_size=4, max_size=4), st.integers(1, 40)),
        min_size=2,
        max_size=12,
    ),
    seed=st.integers(0, 2**32),
)
def test_more_revisions_stay_close_through_any_ramp(
    ramp: list[tuple[list[int], int]], seed: int
) -> None:
    """Below 1 is promised to nobody online (field research); 2 was never reached."""
    random, owed, names = Random(seed), dict[str, int](), list("abcd")
    due, picked = [0.0] * 4, [0] * 4
    for weights, turns in ramp:
        shares = dict(zip(names, weights, strict=True))
        splitter = make_splitter("stratified", shares, owed, random)
        for _ in range(turns):
            picked[splitter.pick()] += 1
            for i, weight in enumerate(weights):
                due[i] += weight / sum(weights)
                assert abs(picked[i] - due[i]) < 2
        owed = dict(zip(names, splitter.credit, strict=True))


def test_a_client_that_alternates_get_and_post_meets_both_revisions_with_both() -> None:
    splitter = make_splitter("stratified", {"old": 50, "new": 50}, {}, Random(3))
    turns = [splitter.pick() for _ in range(4000)]
    assert 900 < sum(turns[1::2]) < 1100  # alternation would give 0 or 2,000


def test_exact_is_the_same_sequence_every_time() -> None:
    def sequence(seed: int) -> list[int]:
        splitter = make_splitter("exact", {"old": 80, "new": 20}, {}, Random(seed))
        return [splitter.pick() for _ in range(10)]

    assert sequence(1) == sequence(2) == [0, 0, 1, 0, 0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize("name", ["stratified", "random"])
def test_a_seed_repeats_its_sequence_and_another_does_not(name: str) -> None:
    def sequence(seed: int) -> list[int]:
        splitter = make_splitter(name, {"a": 40, "b": 40, "c": 20}, {}, Random(seed))
        return [splitter.pick() for _ in range(100)]

    assert sequence(1) == sequence(1) != sequence(2)


def test_random_is_a_fair_coin_and_nothing_better() -> None:
    lag = worst_lag("random", [50, 50], 20_000)
    assert 5 < lag < 500  # sqrt(n p (1-p)) is 71; below 5 it would not be random


def test_one_target_gets_everything() -> None:
    splitter = make_splitter("stratified", {"only": 100}, {}, Random(1))
    assert {splitter.pick() for _ in range(100)} == {0}


@pytest.mark.parametrize(
    ("name", "shares", "what"),
    [
        pytest.param("zigzag", {"a": 1}, "unknown splitter 'zigzag'", id="unknown name"),
        pytest.param("exact", {}, "not all zero", id="no share at all"),
        pytest.param("exact", {"a": 5, "b": -1}, "weights must be positive", id="negative"),
    ],
)
def test_what_cannot_be_split_is_refused(name: str, shares: dict[str, int], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        make_splitter(name, shares, {}, Random(1))
