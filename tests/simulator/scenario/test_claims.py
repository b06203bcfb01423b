"""Claims about latency, Events and logs, and splits by a splitter that nobody knows."""

from __future__ import annotations

import asyncio
import io
from random import Random

import pytest

from simulator.errors import KnaryError
from simulator.load.plan import Answer
from simulator.scenario import checks, model
from simulator.scenario.present import Outcome, PlainPresenter
from simulator.scenario.reading import parse_scenario
from simulator.scenario.runner import Runner
from simulator.scenario.world import Finished
from tests.support.load_server import Reply, load_server
from tests.support.scenario_world import ScriptedWorld, service

ONE, TWO = "hello-00001", "hello-00002"


def answers(*latencies_ms: float, revision: str = ONE, error: str = "") -> list[Answer]:
    return [
        Answer(number, 0, 0, each / 1000, 200, revision, error)
        for number, each in enumerate(latencies_ms)
    ]


@pytest.mark.parametrize(
    ("claim", "holds", "told"),
    [
        ({"p50": "50ms"}, True, "p50 is 50 ms over 100 answers, at most 50ms"),
        ({"p50": "49ms"}, False, "p50 is 50 ms over 100 answers, want 49ms"),
        ({"p99": "99ms"}, True, "p99 is 99 ms"),
        ({"p99": "98ms"}, False, "p99 is 99 ms"),
        ({"max": "100ms"}, True, "max is 100 ms"),
        ({"max": "99ms"}, False, "max is 100 ms"),
        ({"p50": "1s", "revision": ONE}, True, "p50 of hello-00001 is 50 ms"),
        ({"p50": "1s", "revision": TWO}, False, "there is no whole answer of hello-00002"),
    ],
)
def test_a_percentile_is_the_nearest_rank(claim: dict[str, str], holds: bool, told: str) -> None:
    taken = [*answers(*range(1, 101)), *answers(5_000, error="timeout")]
    Random(1).shuffle(taken)
    (verdict,) = checks.judge_latency(model.LatencyClaim(**claim), taken)
    assert verdict.held is holds
    assert verdict.sentence.startswith(told)


EVENTS = [
    {"type": "Normal", "reason": "Created", "message": "Created Pod a"},
    {"type": "Warning", "reason": "Unhealthy", "message": "Readiness probe failed: 503"},
]


@pytest.mark.parametrize(
    ("claim", "holds", "told"),
    [
        ({"reason": "Created"}, True, "hello has the Event Created: Created Pod a"),
        ({"type": "Warning"}, True, "hello has the Event Unhealthy"),
        ({"message": "503"}, True, "hello has the Event Unhealthy"),
        ({"reason": "Created", "type": "Warning"}, False, "no Event Warning Created; it has Cre"),
        ({"reason": "Created", "message": "503"}, False, "no Event Created with “503”"),
    ],
)
def test_an_event_must_fit_in_all_that_is_said(
    claim: dict[str, str], holds: bool, told: str
) -> None:
    verdict = checks.judge_event(EVENTS, model.EventClaim(about="hello", **claim))  # type: ignore[arg-type]
    assert verdict.held is holds
    assert told in verdict.sentence
    assert not checks.judge_event([], model.EventClaim(about="hello")).held


def test_a_log_is_searched_line_by_line() -> None:
    claim = model.LogClaim(of="hello", contains="started")
    assert (
        checks.judge_log("a\nserver started\n", claim).sentence == "hello printed: server started"
    )
    assert "its last line is: b" in checks.judge_log("a\nb\n", claim).sentence
    assert "its last line is: nothing" in checks.judge_log("", claim).sentence


def play(steps: str, *, splitter: str = "stratified", annotation: str = "") -> tuple[Outcome, str]:
    scenario = parse_scenario(f"title: A story\nsteps:\n{steps}", "story.yaml")
    shown = io.StringIO()
    coin = Random(5)
    hello = service("hello", {ONE: 50, TWO: 50})
    if annotation:
        hello["metadata"]["annotations"] = {"knary.dev/splitter": annotation}

    def flip(_number: int) -> Reply:
        return Reply(revision=coin.choice((ONE, TWO)))

    async def main() -> Outcome:
        async with load_server(flip) as server:
            world = ScriptedWorld(
                server.port,
                {"hello": hello},
                {"logs": lambda _: Finished(status=0, output="hello: starting\n")},
            )
            world.splitter = splitter
            world.events = EVENTS
            return await Runner(scenario, world, PlainPresenter(shown)).play()

    return asyncio.run(main()), shown.getvalue()


def halves(requests: int, **more: object) -> str:
    claim = {"split": {ONE: 50, TWO: 50}, **more}
    return f"- load: {{service: hello, requests: {requests}}}\n- expect: {{answers: {claim}}}\n"


def test_a_split_is_judged_by_what_the_service_is_split_by() -> None:
    for_a_coin = halves(400)
    assert not play(for_a_coin)[0].passed  # stratified promises more than a coin keeps
    assert play(for_a_coin, splitter="random")[0].passed
    assert play(for_a_coin, annotation="random")[0].passed
    assert not play(halves(400, splitter="exact"), splitter="random")[0].passed


def test_what_is_split_in_an_unknown_way_is_judged_by_the_sequential_test() -> None:
    for splitter in ("", "smooth-wrr", "unknown"):
        outcome, shown = play(halves(6_000), splitter=splitter)
        assert outcome.passed, shown
        assert "as asked (false alarm 1e-09, 5 points missed 0.001)" in shown
    outcome, shown = play(halves(300), splitter="unknown")
    assert not outcome.passed
    assert "which does not tell; it needs about" in shown
    assert play(halves(300, detectable=20), splitter="unknown")[0].passed


def test_events_logs_and_latencies_are_claims_of_a_story() -> None:
    outcome, shown = play(
        "- load: {service: hello, requests: 5, headers: {X-User: ann}}\n"
        "- expect: {latency: {p99: 10s, max: 10s}}\n"
        "- expect: {event: {about: hello, reason: Unhealthy}}\n"
        "- expect: {event: {about: hello, reason: Killing, within: 10ms}}\n"
        "- expect: {log: {of: hello, contains: starting}}\n"
        "- expect: {log: {of: hello, contains: stopped, within: 10ms}}\n"
        "- load: {service: hello, rate: 300, arrivals: poisson, background: users}\n"
        "- expect: {answers: {of: users, next: 20}}\n"
        "- expect: {latency: {of: users, p50: 10s}}\n"
        "- expect: {answers: {of: users}}\n"
    )
    assert (outcome.held, outcome.claims) == (7, 9), shown
    assert outcome.finished


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("- expect: {latency: {p99: 1s}}", "no load came before"),
        ("- load: {service: a, requests: 1}\n- expect: {latency: {}}", "give at least one of p50"),
        ("- load: {service: a, requests: 1}\n- expect: {latency: {p99: 5}}", "wants a text"),
        ("- load: {service: a, requests: 1}\n- expect: {latency: {p9: 1s}}", "unknown field `p9`"),
        ("- expect: {event: {about: a, type: Bad}}", "allowed are Normal, Warning"),
        ("- expect: {log: {of: a}}", "`contains` is missing"),
        ("- load: {service: a, requests: 1, headers: {Host: b}}", "'Host' is no header that"),
        ('- load: {service: a, requests: 1, headers: {X: "b\\n"}}', "is printable ASCII"),
        ("- load: {service: a, requests: 1, path: /a, paths: [/b]}", "either `path` or `paths`"),
        ("- load: {service: a, requests: 1, paths: [/b, c]}", "3:47: a path starts with `/`"),
        ("- load: {service: a, requests: 1, arrivals: poisson}", "`arrivals` goes with `rate`"),
    ],
)
def test_what_a_claim_cannot_mean_is_refused(step: str, why: str) -> None:
    with pytest.raises(KnaryError) as raised:
        parse_scenario(f"title: A story\nsteps:\n{step}", "story.yaml")
    assert why in str(raised.value)


def answered(**by_revision: tuple[int, int]) -> list[Answer]:
    """Return so many good and so many failed answers of each revision."""
    return [
        Answer(0, 0, 0, 0.1, 500 if bad else 200, name, "5xx" if bad else "")
        for name, counts in by_revision.items()
        for bad, count in enumerate(counts)
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("answers", "holds"),
    [
        (answered(one=(5, 0), two=(0, 2)), True),
        (answered(one=(5, 0), two=(3, 1)), True),
        (answered(one=(5, 1), two=(0, 2)), False),
        (answered(one=(5, 0), two=(2, 0)), False),
    ],
)
def test_failures_are_of_the_revisions_that_are_to_fail(answers: list[Answer], holds: bool) -> None:
    claim = model.AnswersClaim(failing=("two",))
    (verdict,) = checks.judge_answers(claim, answers)
    assert verdict.held is holds
    assert verdict.sentence.startswith(f"of {len(answers)} requests ")


@pytest.mark.parametrize(
    ("answers", "holds"),
    [
        (answered(one=(5, 0)), True),
        (answered(one=(5, 0), two=(1, 0)), False),
        (answered(), False),
    ],
)
def test_requests_stay_when_one_revision_answers_them_all(
    answers: list[Answer], holds: bool
) -> None:
    verdict = checks.judge_stays(answers)
    assert verdict.held is holds


def test_a_tag_has_a_host_of_its_own() -> None:
    steps = "- load: {service: hello, tag: green, requests: 2}\n- expect: {answers: {}}\n"
    outcome, shown = play(steps)
    assert not outcome.finished
    assert "service hello has no tag green with a URL" in shown


def test_who_fails_and_how_many_may_exclude_each_other() -> None:
    with pytest.raises(KnaryError, match="leave `errors` out"):
        parse_scenario(
            "title: A\nsteps:\n- load: {service: a, requests: 1}\n"
            "- expect: {answers: {errors: 3, failing: [b]}}\n",
            "story.yaml",
        )
