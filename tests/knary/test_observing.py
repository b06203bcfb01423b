"""By what a service's requests are judged: the bound where it holds, the test elsewhere."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import pytest

from knary.observing import Rates, Split, first_turns, judge, requests_for
from knary.requesting import Answer, explanation_of
from knary.splits import SplitError, TooFewRequests

EVEN = {"a": 50.0, "b": 50.0}


def answers(revisions: str, turns: Iterable[int]) -> Iterator[Answer]:
    for revision, turn in zip(revisions, turns, strict=False):
        yield Answer(200, {}, b"", {"revision": revision, "turn": str(turn)})


@pytest.mark.parametrize(
    ("turns", "firsts"),
    [
        pytest.param([1, 2, 3], [1], id="one worker from its first turn on"),
        pytest.param([41, 42, 43], [41], id="from a later one on"),
        pytest.param([1, 1, 2, 3, 2], [1, 1], id="two workers"),
        pytest.param([1, 3, 4], [1, 3], id="somebody else took a turn"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_runs_of_turns(turns: list[int], firsts: list[int]) -> None:
    assert first_turns(turns) == firsts


@pytest.mark.parametrize(
    ("percents", "splitter", "workers", "expected"),
    [
        ({"a": 50, "b": 50}, "stratified", 1, 100),
        ({"a": 99, "b": 1}, "stratified", 1, 200),
        ({"a": 99, "b": 1}, "exact", 4, 800),
        ({"a": 99.99, "b": 0.01}, "stratified", 1, 2_000),
        ({"a": 50, "b": 50}, "random", 1, 50_000),
    ],
)
def test_how_many_requests_are_sent(
    percents: dict[str, float], splitter: str, workers: int, expected: int
) -> None:
    assert requests_for(Split(percents, splitter, workers)) == expected


def test_a_split_that_keeps_its_bound_from_the_first_turn_on_is_right() -> None:
    report = judge(answers("ab" * 20, range(1, 41)), Split(EVEN, "stratified", 1), Rates())
    assert report.method == "bound"
    assert "less than 1" in report.sentence


def test_after_the_first_turn_twice_the_bound_is_allowed() -> None:
    seen = "aabbab" + "ab" * 10
    report = judge(answers(seen, range(9, 99)), Split(EVEN, "stratified", 1), Rates())
    assert "less than 2" in report.sentence
    with pytest.raises(SplitError, match="less than 1"):
        judge(answers(seen, range(1, 99)), Split(EVEN, "stratified", 1), Rates())


def test_two_workers_have_two_bounds() -> None:
    turns = sorted([*range(1, 21), *range(1, 21)])
    seen = "aabb" * 10  # each worker alternates
    report = judge(answers(seen, turns), Split(EVEN, "stratified", 2), Rates())
    assert "less than 2" in report.sentence


def test_where_others_took_turns_too_the_test_decides() -> None:
    dice = random.Random(7)
    seen = "".join(dice.choice("ab") for _ in range(20_000))
    report = judge(answers(seen, range(1, 40_000, 2)), Split(EVEN, "stratified", 1), Rates())
    assert report.method == "sequential test"
    with pytest.raises(TooFewRequests, match="others took turns in between"):
        judge(answers(seen[:10], range(1, 40, 2)), Split(EVEN, "stratified", 1), Rates())


def test_an_answer_of_no_revision_is_told_as_it_came() -> None:
    failed = iter([Answer(404, {}, b"no such route\n", {})])
    with pytest.raises(SplitError, match="no revision answered request 1: 404 no such route"):
        judge(failed, Split(EVEN, "random", 1), Rates())


def test_the_parameters_of_an_explanation() -> None:
    header = 'route="default/hello"; tag=blue; rule=host; revision=hello-00001; share=0.5; turn=3'
    assert explanation_of(header) == {
        "route": "default/hello",
        "tag": "blue",
        "rule": "host",
        "revision": "hello-00001",
        "share": "0.5",
        "turn": "3",
    }
    assert explanation_of("") == {}
