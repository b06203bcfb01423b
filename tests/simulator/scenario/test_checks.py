from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.splitting.splitter import make_splitter
from simulator.load.plan import Answer
from simulator.scenario import checks
from simulator.scenario.model import AnswersClaim, ConditionClaim

ONE, TWO = "hello-00001", "hello-00002"
HALVES = {ONE: 50, TWO: 50}


def answers_of(revisions: list[str], error: str = "") -> list[Answer]:
    return [
        Answer(
            sequence=index,
            planned_s=index / 100,
            sent_s=index / 100,
            done_s=index / 100 + 0.001,
            status=200,
            revision=revision,
            error=error,
            text=f"I am {revision}",
        )
        for index, revision in enumerate(revisions)
    ]


def broken(claim: AnswersClaim, answers: list[Answer], overlap: int = 0, workers: int = 1):
    verdicts = checks.judge_answers(claim, answers, overlap, workers)
    return [verdict.sentence for verdict in verdicts if not verdict.held]


def mixed(ones: int, twos: int) -> list[Answer]:
    return answers_of([ONE] * ones + [TWO] * twos)


@pytest.mark.parametrize(
    ("claim", "ones", "twos", "holds"),
    [
        pytest.param(AnswersClaim(split=HALVES, within=0), 50, 50, True, id="exactly half"),
        pytest.param(
            AnswersClaim(split=HALVES, within=0), 51, 49, False, id="one off, none allowed"
        ),
        pytest.param(AnswersClaim(split=HALVES, within=1), 51, 49, True, id="one off, one allowed"),
        pytest.param(
            AnswersClaim(split=HALVES, within=1), 52, 48, False, id="two off, one allowed"
        ),
        pytest.param(AnswersClaim(split=HALVES), 51, 49, True, id="a window is within two"),
        pytest.param(AnswersClaim(split=HALVES), 53, 47, False, id="a window is not three off"),
        pytest.param(
            AnswersClaim(split={ONE: 67, TWO: 33}), 7, 4, True, id="a due with a fraction"
        ),
        pytest.param(AnswersClaim(split={ONE: 100}), 100, 0, True, id="all to one"),
        pytest.param(AnswersClaim(split={ONE: 100}), 99, 1, False, id="zero percent is none"),
        pytest.param(
            AnswersClaim(split={ONE: 100, TWO: 0}, within=5), 99, 1, False, id="at any bound"
        ),
        pytest.param(AnswersClaim(none_to=(TWO,)), 10, 0, True, id="none to a revision"),
        pytest.param(AnswersClaim(none_to=(TWO,)), 999, 1, False, id="one is not none"),
        pytest.param(AnswersClaim(split=HALVES, splitter="random"), 20, 80, True, id="a coin"),
        pytest.param(AnswersClaim(split=HALVES, splitter="random"), 19, 81, False, id="no coin"),
        pytest.param(
            AnswersClaim(split={ONE: 100}, splitter="random"), 99, 1, False, id="a sure coin"
        ),
    ],
)
def test_a_split_is_judged_by_what_its_splitter_promises(claim, ones, twos, holds) -> None:
    assert (broken(claim, mixed(ones, twos)) == []) is holds


@pytest.mark.parametrize(
    ("ones", "overlap", "workers", "holds"),
    [
        pytest.param(52, 0, 1, False, id="two off is too much for one worker"),
        pytest.param(52, 1, 1, True, id="a request in between may have taken a turn"),
        pytest.param(53, 1, 1, False, id="but not more than its own"),
        pytest.param(53, 0, 2, True, id="two workers add up"),
        pytest.param(54, 0, 2, False, id="to twice the bound"),
    ],
)
def test_the_bound_of_a_window_is_stated(ones, overlap, workers, holds) -> None:
    claim = AnswersClaim(split=HALVES)
    assert (broken(claim, mixed(ones, 100 - ones), overlap, workers) == []) is holds


def test_a_request_without_an_answer_may_have_taken_a_turn() -> None:
    lost = answers_of([""] * 2, error="reset")
    assert broken(AnswersClaim(split=HALVES, errors=2), [*mixed(51, 49), *lost]) == []


@pytest.mark.parametrize(
    ("claim", "answers", "sentence"),
    [
        pytest.param(AnswersClaim(), [], "not one request was sent", id="nothing to judge"),
        pytest.param(
            AnswersClaim(of="users", next=5),
            mixed(3, 0),
            "only 3 of 5 requests were sent",
            id="the load ended too early",
        ),
        pytest.param(
            AnswersClaim(),
            answers_of([ONE, TWO], error="5xx"),
            "2 of 2 requests failed (2 × 5xx; the first at 0.00 s: I am hello-00001)",
            id="errors by kind, with the first",
        ),
        pytest.param(
            AnswersClaim(split=HALVES, errors=2),
            answers_of([""] * 2, error="reset"),
            "no revision answered one request",
            id="a split of nothing",
        ),
        pytest.param(
            AnswersClaim(split=HALVES, within=0),
            mixed(52, 48),
            "100 requests split 52 : 48: hello-00001 got 52, want 50 and at most 0 off",
            id="the split, its due and its bound",
        ),
        pytest.param(
            AnswersClaim(none_to=(TWO,)),
            mixed(1, 2),
            "2 of 3 requests reached hello-00002, want none",
            id="who reached what it should not",
        ),
        pytest.param(
            AnswersClaim(say={ONE: "Hello"}),
            mixed(1, 0),
            "hello-00001 said 'I am hello-00001', want 'Hello'",
            id="the wrong words",
        ),
        pytest.param(
            AnswersClaim(split=HALVES, order="unpredictable"),
            answers_of([ONE, TWO] * 50),
            "the order repeats itself every 2 requests",
            id="strict alternation is a pattern",
        ),
    ],
)
def test_a_claim_that_fails_says_what_was_and_what_should_be(claim, answers, sentence) -> None:
    assert sentence in broken(claim, answers)


def test_an_order_needs_enough_requests_to_be_judged() -> None:
    verdict = checks.judge_order(mixed(40, 40))
    assert not verdict.held
    assert "100 requests are needed" in verdict.sentence


@given(
    percents=st.lists(st.integers(1, 97), min_size=1, max_size=4).filter(lambda p: sum(p) < 100),
    skipped=st.integers(0, 250),
    n=st.integers(1, 400),
    seed=st.integers(0, 2**32),
    name=st.sampled_from(["stratified", "exact"]),
)
def test_a_right_splitter_never_fails_in_any_window(percents, skipped, n, seed, name) -> None:
    """The gateway's own splitters, from any turn on: the claim is their proven bound."""
    shares = [*percents, 100 - sum(percents)]
    split = {f"r{index}": share for index, share in enumerate(shares)}
    names = list(split)
    splitter = make_splitter(
        name, {key: share * 100 for key, share in split.items()}, {}, random.Random(seed)
    )
    turns = [names[splitter.pick()] for _ in range(skipped + n)]
    assert broken(AnswersClaim(split=split), answers_of(turns[skipped:])) == []


@given(
    percent=st.integers(1, 99),
    order=st.randoms(use_true_random=False),
    lost=st.integers(0, 6),
    n=st.integers(20, 200),
)
def test_requests_in_between_never_make_a_right_splitter_fail(percent, order, lost, n) -> None:
    """Of n turns in a row some belong to requests that are not judged."""
    split = {ONE: percent, TWO: 100 - percent}
    splitter = make_splitter(
        "stratified",
        {ONE: percent * 100, TWO: 10_000 - percent * 100},
        {},
        random.Random(order.random()),
    )
    turns = [(ONE, TWO)[splitter.pick()] for _ in range(n)]
    for _ in range(lost):
        turns.pop(order.randrange(len(turns)))
    assert broken(AnswersClaim(split=split), answers_of(turns), overlap=lost) == []


def test_a_half_and_half_splitter_from_its_first_turn_is_exact_and_has_no_pattern() -> None:
    claim = AnswersClaim(split=HALVES, within=0, order="unpredictable")
    for seed in range(200):
        splitter = make_splitter("stratified", {ONE: 5000, TWO: 5000}, {}, random.Random(seed))
        turns = [(ONE, TWO)[splitter.pick()] for _ in range(100)]
        assert broken(claim, answers_of(turns)) == []


@pytest.mark.parametrize("wrong", [2, 5, 8])
def test_a_router_that_is_wrong_by_points_is_caught_in_a_window(wrong: int) -> None:
    """Over 200 requests, 2 points are 4 requests: more than any window may be off."""
    splitter = make_splitter(
        "stratified", {ONE: 5000 + wrong * 100, TWO: 5000 - wrong * 100}, {}, random.Random(1)
    )
    turns = [(ONE, TWO)[splitter.pick()] for _ in range(200)]
    assert broken(AnswersClaim(split=HALVES), answers_of(turns))


@pytest.mark.parametrize(
    ("condition", "claim", "holds"),
    [
        pytest.param(
            {"type": "Ready", "status": "True"}, ConditionClaim(service="s"), True, id="ready"
        ),
        pytest.param(None, ConditionClaim(service="s"), False, id="not reported"),
        pytest.param(
            {"type": "Ready", "status": "Unknown"}, ConditionClaim(service="s"), False, id="not yet"
        ),
        pytest.param(
            {"status": "False", "reason": "RevisionFailed", "message": "no such image: x"},
            ConditionClaim(
                service="s", status="False", reason="RevisionFailed", message="no such image"
            ),
            True,
            id="failed as told",
        ),
        pytest.param(
            {"status": "False", "reason": "Other", "message": "no such image"},
            ConditionClaim(service="s", status="False", reason="RevisionFailed"),
            False,
            id="failed for another reason",
        ),
        pytest.param(
            {"status": "False", "message": "something else"},
            ConditionClaim(service="s", status="False", message="no such image"),
            False,
            id="failed with other words",
        ),
    ],
)
def test_a_condition_is_judged_by_status_reason_and_words(condition, claim, holds) -> None:
    assert checks.judge_condition(condition, claim).held is holds


@pytest.mark.parametrize(
    ("status", "body", "want", "holds"),
    [
        pytest.param(200, "Hello World!", "Hello World!", True, id="as told"),
        pytest.param(200, "Hello World!\n", "Hello World!", True, id="white space around"),
        pytest.param(200, "Hello Knative!", "Hello World!", False, id="other words"),
        pytest.param(200, "anything", None, True, id="any words"),
        pytest.param(503, "Hello World!", "Hello World!", False, id="another status"),
        pytest.param(0, "connect", "Hello World!", False, id="no answer"),
    ],
)
def test_a_response_is_judged_by_status_and_body(status, body, want, holds) -> None:
    assert checks.judge_response(status, body, 200, want).held is holds


@pytest.mark.parametrize(
    ("status", "output", "holds"),
    [
        pytest.param(1, "Error: … sum to\n90, want 100: spec.traffic", True, id="over two lines"),
        pytest.param(1, "Error: not found", False, id="refused for another reason"),
        pytest.param(0, "sum to 90, want 100", False, id="accepted"),
    ],
)
def test_a_refusal_is_judged_by_exit_status_and_message(status, output, holds) -> None:
    assert checks.judge_refusal(status, output, "sum to 90, want 100").held is holds


def test_traffic_of_no_percent_does_not_count() -> None:
    assert checks.judge_traffic({ONE: 100, TWO: 0}, {ONE: 100}, "hello").held
    assert not checks.judge_traffic({ONE: 90, TWO: 10}, {ONE: 100}, "hello").held


def test_nothing_changed_means_not_one_field() -> None:
    assert checks.judge_unchanged([{"a": 1}, None], [{"a": 1}, None]).held
    assert not checks.judge_unchanged([{"a": 1}], [{"a": 2}]).held
