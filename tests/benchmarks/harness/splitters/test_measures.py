"""What is measured, by sequences whose numbers one can count."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.harness.splitters import measures, theory
from benchmarks.harness.splitters.algorithms.roster import entrant_named
from benchmarks.harness.splitters.weights import canary_of, in_words, parse_weights


def dealt(*runs: str):
    return np.array([[int(pick) for pick in run] for run in runs], dtype=np.int16)


@pytest.mark.parametrize(
    ("runs", "weights", "lag", "window"),
    [
        pytest.param(["0101"], (1, 1), 0.5, 0.5, id="taking turns"),
        pytest.param(["0110"], (1, 1), 0.5, 1.0, id="two of one in the middle"),
        pytest.param(["0011"], (1, 1), 1.0, 1.0, id="two and two"),
        pytest.param(["0101", "0000"], (1, 1), 2.0, 2.0, id="the worse run counts"),
        pytest.param(["0001"], (3, 1), 0.75, 0.75, id="the rare one last"),
    ],
)
def test_the_lag_and_the_worst_window(runs, weights, lag, window) -> None:
    found = measures.lags(dealt(*runs), weights)
    assert (found.lag, found.window) == (lag, window)
    assert found.by_turns[1] <= found.by_turns[2] <= lag


def test_runs_gaps_and_firsts_do_not_reach_from_one_run_into_the_next() -> None:
    picks = dealt("00100", "00010", "00000")
    assert measures.longest_run(picks) == 5
    assert measures.longest_gap(picks, 1) == 0
    assert measures.first_turns(picks, 1).tolist() == [3, 4, 6]
    assert measures.longest_gap(dealt("1000101"), 1) == 4


def test_a_canary_in_step_with_a_client_gets_one_request_alone() -> None:
    picks = dealt("0001" * 50)
    found = measures.aliasing(picks, 0.25, 1, [2, 3, 4], laid_over=False)
    assert found[2] == 2.0
    assert found[4] == 4.0
    assert found[3] == pytest.approx(1.0, abs=0.1)


def test_runs_laid_over_each_other_show_what_they_have_in_common() -> None:
    picks = dealt("01" * 10, "10" * 10)
    assert measures.aliasing(picks, 0.5, 1, [2], laid_over=True)[2] == 1.0
    assert measures.aliasing(picks, 0.5, 1, [2], laid_over=False)[2] == 2.0


@pytest.mark.parametrize("weights", [(9_000, 1_000), (6_300, 3_700), (9_900, 100)], ids=str)
def test_of_two_targets_exact_has_the_least_error_there_is(weights) -> None:
    share = weights[1] / 10_000
    found = measures.error_percent(entrant_named("exact").deal(weights, [1], 20_000), weights, 1)
    for n, error in found.items():
        assert error == pytest.approx(theory.least_error_percent(share, n), rel=0.03, abs=1e-9)


def test_a_coin_has_the_binomials_error() -> None:
    weights = (9_000, 1_000)
    found = measures.error_percent(
        entrant_named("random").deal(weights, range(100), 10_000), weights, 1
    )
    for n, error in found.items():
        if n <= 1_000:
            assert error == pytest.approx(theory.coin_error_percent(0.1, n), rel=0.05)


def test_nothing_has_less_error_than_the_least() -> None:
    assert theory.least_error_percent(0.1, 10) == 0
    assert theory.least_error_percent(0.1, 5) == pytest.approx(10)
    assert theory.coin_error_percent(0.5, 100) == pytest.approx(5)
    assert math.isclose(theory.least_error_percent(0.3, 1), theory.coin_error_percent(0.3, 1))


@pytest.mark.parametrize(
    ("text", "weights", "canary"),
    [
        ("90/10", (9_000, 1_000), 1),
        ("99.9/0.1", (9_990, 10), 1),
        ("1/1", (5_000, 5_000), 1),
        ("10/45/45", (1_000, 4_500, 4_500), 0),
        ("33.34/33.33/33.33", (3_334, 3_333, 3_333), 2),
    ],
)
def test_weights_are_read_in_steps_of_a_hundredth(text, weights, canary) -> None:
    assert parse_weights(text) == weights
    assert canary_of(weights) == canary
    assert parse_weights(in_words(weights)) == weights


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("90", "want 2 to 36 targets"),
        ("/".join(["1"] * 40), "want 2 to 36 targets"),
        ("90/x", "want numbers and slashes"),
        ("1/0/", "want numbers and slashes"),
        ("100/0", "each weight must be above 0"),
        ("1/1/1", "no steps of 0.01 %"),
        ("nan/1", "want numbers and slashes"),
        ("1e999999999/1", "want numbers and slashes"),
    ],
)
def test_weights_that_cannot_be_split_are_refused(text, what) -> None:
    with pytest.raises(ValueError, match=what):
        parse_weights(text)
