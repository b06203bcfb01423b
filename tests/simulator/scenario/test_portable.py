"""A scenario on a cluster: what it cannot play is skipped with its reason, the rest is judged."""

from __future__ import annotations

import asyncio
import io
from random import Random

import pytest

from simulator.scenario import model, portable
from simulator.scenario.present import Outcome, PlainPresenter
from simulator.scenario.reading import parse_scenario
from simulator.scenario.runner import Runner
from simulator.scenario.world import Finished
from tests.support.load_server import Reply, load_server
from tests.support.scenario_world import ScriptedWorld, service

ONE, TWO = "hello-00001", "hello-00002"
SAYS = f"say: {{{ONE}: Hello World!, {TWO}: Hello Knative!}}"


def play(steps: str, share: float = 0.5) -> tuple[Outcome, str]:
    """Play on a cluster whose gateway flips a coin and says of nobody who answered."""
    scenario = parse_scenario(f"title: A story\nsteps:\n{steps}", "story.yaml")
    shown = io.StringIO()
    coin = Random(2)

    def flip(_number: int) -> Reply:
        text = "Hello World!" if coin.random() < share else "Hello Knative!"
        return Reply(revision="", body=f"{text}\n")

    async def main() -> Outcome:
        async with load_server(flip) as server:
            world = ScriptedWorld(
                server.port,
                {"hello": service("hello", {ONE: 50, TWO: 50})},
                {"service": lambda _: Finished(status=0, output="")},
            )
            world.is_cluster = True
            return await Runner(scenario, world, PlainPresenter(shown)).play()

    return asyncio.run(main()), shown.getvalue()


def claim(requests: int, more: str = "") -> str:
    split = f"split: {{{ONE}: 50, {TWO}: 50}}"
    return (
        f"- load: {{service: hello, requests: {requests}}}\n"
        f"- expect: {{answers: {{{split}, {SAYS}{more}}}}}\n"
    )


def test_who_answered_is_told_by_what_was_said() -> None:
    outcome, shown = play(claim(6_000))
    assert outcome.passed, shown
    assert "hello-00001 " in shown
    assert "as asked (false alarm 1e-09" in shown
    assert outcome.skipped == 0


def test_a_wrong_split_fails_there_too() -> None:
    outcome, shown = play(claim(6_000), share=0.4)
    assert not outcome.passed
    assert "want 50 %" in shown


def test_what_only_knary_promises_is_skipped_and_too_few_requests_are() -> None:
    outcome, shown = play(claim(100, ", order: unpredictable, within: 0"))
    assert outcome.passed, shown
    assert outcome.skipped == 3
    assert "  skip the order of turns is knary's to promise" in shown
    assert "  skip an exact count is knary's to promise" in shown
    assert "which does not tell; it needs about" in shown
    assert "3 skipped; 100 real requests" in shown


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("- command: knary service list", ""),
        ("- command: knary status", "`knary status` asks knary itself"),
        ("- command: knary -v restart-workers", "`knary restart-workers` asks knary itself"),
        ("- expect: {log: {of: hello, contains: a}}", "logs are read from knary's files"),
        ("- expect: {response: {service: hello}}", ""),
        ("- rollback: hello", ""),
        ("- fault: {clear: true}", "faults are done by knary's gateway"),
    ],
)
def test_what_asks_knary_itself_is_known(step: str, why: str) -> None:
    (found,) = parse_scenario(f"title: A\nsteps:\n{step}", "a.yaml").steps
    assert portable.why_not(found.action) == why


def test_a_step_that_is_skipped_is_no_failure() -> None:
    outcome, shown = play("- command: knary status\n- command: knary service list\n")
    assert outcome.passed, shown
    assert (outcome.claims, outcome.skipped) == (0, 1)


def test_a_text_that_two_revisions_say_tells_nothing() -> None:
    scenario = parse_scenario(
        "title: A\nsteps:\n- load: {service: hello, requests: 1}\n"
        f"- repeat: {{times: 2, steps: [{{load: {{service: hello, requests: 1}}}},"
        f" {{expect: {{answers: {{{SAYS}}}}}}}]}}\n"
        "- expect: {answers: {say: {hello-00003: Hello Knative!}}}\n",
        "a.yaml",
    )
    assert portable.sayings(scenario) == {"Hello World!": ONE}
    assert isinstance(scenario.steps[1].action, model.Repeat)
