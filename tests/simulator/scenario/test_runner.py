from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import pytest

from simulator.scenario.present import Outcome, PlainPresenter
from simulator.scenario.reading import parse_scenario
from simulator.scenario.runner import Runner
from simulator.scenario.world import Finished
from tests.support.load_server import Answering, Reply, load_server
from tests.support.scenario_world import ScriptedWorld, service

ONE, TWO = "hello-00001", "hello-00002"


def only_one(_number: int) -> Reply:
    return Reply(revision=ONE)


def in_turns(number: int) -> Reply:
    return Reply(revision=(ONE, TWO)[number % 2])


def play(
    steps: str,
    *,
    answering: Answering = only_one,
    commands: dict[str, Callable] | None = None,
    objects: dict | None = None,
    workers: int = 1,
) -> tuple[Outcome, str, ScriptedWorld]:
    scenario = parse_scenario(f"title: A story\nsteps:\n{steps}", "story.yaml")
    shown = io.StringIO()

    async def main() -> tuple[Outcome, ScriptedWorld]:
        async with load_server(answering) as server:
            there = {"hello": service("hello", {ONE: 100})} if objects is None else objects
            world = ScriptedWorld(server.port, there, commands, workers)
            async with asyncio.timeout(30):
                outcome = await Runner(scenario, world, PlainPresenter(shown)).play()
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return outcome, world

    outcome, world = asyncio.run(main())
    return outcome, shown.getvalue(), world


def ended(status: int, output: str = "") -> Callable:
    return lambda _objects: Finished(status=status, output=output)


def test_a_story_whose_claims_hold_passes_and_is_told_chapter_by_chapter() -> None:
    outcome, shown, world = play(
        "- title: First\n  why: To begin.\n  command: knary service list -n  default\n"
        "- title: Second\n  load: {service: hello, requests: 10}\n"
        "- expect: {answers: {none_to: [hello-00002], say: {hello-00001: Hello World!}}}\n"
        "- expect: {response: {service: hello, body: Hello World!}}\n",
        commands={"service": ended(0, "one\ntwo\nthree\n")},
    )
    assert outcome.passed
    assert (outcome.claims, outcome.requests) == (4, 11)
    assert [chapter.title for chapter in outcome.chapters] == ["First", "Second"]
    assert world.commands == [(("service", "list", "-n", "default"), b"")]
    lines = [line.rstrip() for line in shown.splitlines()]
    assert "[1/2] First" in lines
    assert "  $ knary service list -n default" in lines
    assert "    two" in lines
    assert "    one" not in lines  # the last two lines of a command are enough
    assert "  ok   of 10 requests, not one reached hello-00002" in lines
    assert lines[-1].startswith("All 4 claims held (11 real requests, ")


def test_a_claim_that_fails_fails_the_story_which_goes_on() -> None:
    outcome, shown, _ = play(
        "- load: {service: hello, requests: 10}\n"
        "- expect: {answers: {split: {hello-00001: 50, hello-00002: 50}}}\n"
        "- expect: {response: {service: hello, status: 404}}\n"
        "- expect: {response: {service: hello}}\n"
    )
    assert not outcome.passed
    assert outcome.finished
    assert (outcome.held, outcome.claims) == (2, 4)
    assert "  FAIL 10 requests split 10 : 0: hello-00001 got 10, want 5" in shown
    assert "(story.yaml:4)" in shown
    assert "2 of 4 claims failed" in shown


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        pytest.param(
            "- command: knary service list", "ended with 3, want 0: boom", id="a command fails"
        ),
        pytest.param(
            "- command: {run: knary service list, exit: 1}",
            "ended with 3, want 1",
            id="a command fails in another way",
        ),
        pytest.param("- apply: {file: none.yaml}", "cannot read none.yaml", id="no such file"),
        pytest.param(
            "- apply: {manifest: {kind: Service, metadata: {name: x}}}",
            "ended with 1, want 0: refused",
            id="a manifest is refused",
        ),
        pytest.param(
            "- apply: {refused: x, manifest: {kind: Tree, apiVersion: v9, metadata: {name: x}}}",
            "line 1: no known kind",
            id="a manifest of no known kind",
        ),
        pytest.param(
            "- load: {service: other, requests: 1}",
            "there is no service other in namespace default",
            id="no such service",
        ),
    ],
)
def test_a_step_that_others_build_upon_stops_the_story(steps: str, why: str) -> None:
    outcome, shown, _ = play(
        f"{steps}\n- expect: {{response: {{service: hello}}}}\n",
        commands={"service": ended(3, "boom"), "apply": ended(1, "refused")},
    )
    assert not outcome.passed
    assert not outcome.finished
    assert outcome.claims == 1
    assert why in shown
    assert "It stopped early." in shown


def test_a_refusal_must_say_why_and_change_nothing() -> None:
    step = (
        "- apply:\n    manifest: {kind: Service, apiVersion: serving.knative.dev/v1,"
        " metadata: {name: hello}}\n    refused: want 100\n"
    )
    outcome, _, world = play(step, commands={"apply": ended(1, "sum to 90, want 100")})
    assert outcome.passed
    assert outcome.claims == 2
    ((words, stdin),) = world.commands
    assert words == ("apply", "-n", "default", "-f", "-")
    assert b"name: hello" in stdin

    def change(objects: dict) -> Finished:
        objects["hello"]["metadata"]["generation"] = 2
        return Finished(status=1, output="sum to 90, want 100")

    outcome, shown, _ = play(step, commands={"apply": change})
    assert not outcome.passed
    assert "it was changed all the same" in shown


def test_a_command_must_print_what_is_expected() -> None:
    step = "- command: {run: knary service list, output: [two three, absent]}"
    outcome, shown, _ = play(step, commands={"service": ended(0, "one\ntwo\nthree\nfour\n")})
    assert (outcome.held, outcome.claims) == (1, 2)
    assert "did not print “absent” but “one two three four”" in shown


def test_a_background_load_goes_on_until_it_is_judged() -> None:
    outcome, shown, _ = play(
        "- load: {service: hello, rate: 500, background: users}\n"
        "- command: knary service list\n"
        "- expect: {answers: {of: users, next: 20, split: {hello-00001: 50, hello-00002: 50}}}\n"
        "- expect: {answers: {of: users, next: 20, none_to: [hello-00003]}}\n"
        "- expect: {answers: {of: users}}\n"
        "- expect: {response: {service: hello}}\n",
        answering=in_turns,
        commands={"service": ended(0)},
    )
    assert outcome.passed, shown
    assert outcome.requests >= 41
    assert "of the next 20 requests, not one reached hello-00003" in shown


def test_the_next_requests_are_those_after_the_command_came_back() -> None:
    """What was sent before the change does not count, what is sent after it does, at once."""
    changed = False

    def answering(_number: int) -> Reply:
        return Reply(revision=TWO if changed else ONE)

    def change(_objects: dict) -> Finished:
        nonlocal changed
        changed = True
        return Finished(status=0, output="")

    outcome, shown, _ = play(
        "- load: {service: hello, rate: 1000, background: users}\n"
        "- expect: {answers: {of: users, next: 30, none_to: [hello-00002]}}\n"
        "- command: knary service update\n"
        "- expect: {answers: {of: users, next: 30, none_to: [hello-00001]}}\n"
        "- expect: {answers: {of: users}}\n",
        answering=answering,
        commands={"service": change},
    )
    assert outcome.passed, shown


def test_a_load_that_ends_before_the_next_requests_fails_its_claim() -> None:
    outcome, shown, _ = play(
        "- load: {service: hello, rate: 100, duration: 50ms, background: users}\n"
        "- expect: {answers: {of: users, next: 50}}\n"
        "- expect: {answers: {of: users}}\n"
    )
    assert not outcome.passed
    assert "of 50 requests were sent" in shown


def test_a_story_that_stops_early_ends_its_background_loads() -> None:
    outcome, _, _ = play(
        "- load: {service: hello, rate: 100, background: users}\n"
        "- command: knary service list\n"
        "- expect: {answers: {of: users}}\n",
        commands={"service": ended(1)},
    )
    assert not outcome.finished


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        pytest.param("{service: hello}", True, id="ready"),
        pytest.param('{service: bad, status: "False", reason: RevisionFailed}', True, id="failed"),
        pytest.param("{service: bad}", False, id="not ready"),
        pytest.param("{service: old}", False, id="of another generation"),
        pytest.param("{service: old, type: RoutesReady}", False, id="any condition of another"),
        pytest.param("{revision: gone}", False, id="not there"),
    ],
)
def test_a_condition_is_awaited_and_judged(claim: str, holds: bool) -> None:
    old = service("old")
    old["metadata"]["generation"] = 2
    old["status"]["conditions"].append({"type": "RoutesReady", "status": "True"})
    objects = {
        "hello": service("hello"),
        "bad": service("bad", status="False", reason="RevisionFailed", message="no image"),
        "old": old,
    }
    outcome, _, _ = play(f"- expect: {{condition: {claim}}}", objects=objects)
    assert outcome.passed is holds


def test_reported_traffic_is_summed_per_revision() -> None:
    hello = service("hello", {ONE: 60})
    hello["status"]["traffic"] += [
        {"revisionName": ONE, "percent": 20, "tag": "old"},
        {"revisionName": TWO, "percent": 20},
    ]
    claim = "- expect: {traffic: {service: hello, split: {hello-00001: 80, hello-00002: 20}}}"
    outcome, _, _ = play(claim, objects={"hello": hello})
    assert outcome.passed


def test_two_workers_may_be_off_twice_as_far() -> None:
    steps = (
        "- load: {service: hello, requests: 12}\n"
        "- expect: {answers: {split: {hello-00001: 75, hello-00002: 25}}}\n"
    )
    assert not play(steps)[0].passed
    assert play(steps, workers=2)[0].passed


def test_a_cancelled_story_leaves_nothing_behind() -> None:
    scenario = parse_scenario(
        "title: A story\nsteps:\n- load: {service: hello, rate: 100, background: users}\n"
        "- expect: {answers: {of: users}}\n- load: {service: hello, requests: 5}\n",
        "story.yaml",
    )

    async def main() -> None:
        async with load_server(lambda _: Reply(silent=True)) as server:
            world = ScriptedWorld(server.port, {"hello": service("hello")})
            runner = Runner(scenario, world, PlainPresenter(io.StringIO()))
            task = asyncio.create_task(runner.play())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
