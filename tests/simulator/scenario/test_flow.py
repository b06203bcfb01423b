"""Steps that hold steps: repeat, ramp, parallel; and what changes the traffic or waits."""

from __future__ import annotations

import asyncio
import io

import pytest

from simulator.errors import KnaryError
from simulator.scenario import model
from simulator.scenario.present import Outcome, PlainPresenter
from simulator.scenario.reading import parse_scenario
from simulator.scenario.runner import Runner
from simulator.scenario.world import Finished
from tests.support.load_server import Reply, load_server
from tests.support.scenario_world import ScriptedWorld, service

ONE, TWO = "hello-00001", "hello-00002"


class Splitting:
    """A gateway that deals turns by the shares that were set, worst lag first, as `exact` does."""

    def __init__(self) -> None:
        self.shares = {ONE: 100}
        self.owed = {ONE: 0, TWO: 0}

    def answer(self, _number: int) -> Reply:
        for name, share in self.shares.items():
            self.owed[name] += share
        chosen = max(self.shares, key=lambda name: self.owed[name])
        self.owed[chosen] -= 100
        return Reply(revision=chosen)

    def change(self, words: tuple[str, ...]) -> Finished:
        if words[0] == "rollback":
            self.shares = {ONE: 100}
            return Finished(status=0, output="")
        parts = (part.split("=") for part in words[words.index("--traffic") + 1].split(","))
        self.shares = {name: int(share) for name, share in parts}
        return Finished(status=0, output="")


class SplittingWorld(ScriptedWorld):
    def __init__(self, port: int, splitting: Splitting) -> None:
        super().__init__(port, {"hello": service("hello", {ONE: 100})})
        self._splitting = splitting

    async def knary(self, words: object, stdin: bytes = b"") -> Finished:
        given = tuple(words)  # type: ignore[call-overload]
        self.commands.append((given, stdin))
        if given[0] == "fault":
            return Finished(status=0, output="")
        if given[0] == "fail":
            return Finished(status=1, output="no")
        return self._splitting.change(given)


def play(steps: str) -> tuple[Outcome, str, list[tuple[str, ...]]]:
    scenario = parse_scenario(f"title: A story\nsteps:\n{steps}", "story.yaml")
    shown = io.StringIO()
    splitting = Splitting()

    async def main() -> tuple[Outcome, list[tuple[str, ...]]]:
        async with load_server(splitting.answer) as server:
            world = SplittingWorld(server.port, splitting)
            async with asyncio.timeout(30):
                outcome = await Runner(scenario, world, PlainPresenter(shown)).play()
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return outcome, [words for words, _ in world.commands]

    outcome, commands = asyncio.run(main())
    return outcome, shown.getvalue(), commands


def test_traffic_and_rollback_are_the_commands_that_a_user_would_type() -> None:
    outcome, shown, commands = play(
        "- traffic: {service: hello, split: {hello-00001: 75, hello-00002: 25}}\n"
        "- load: {service: hello, requests: 8}\n"
        "- expect: {answers: {split: {hello-00001: 75, hello-00002: 25}, within: 0}}\n"
        "- rollback: hello\n"
        "- load: {service: hello, requests: 8}\n"
        "- expect: {answers: {none_to: [hello-00002]}}\n"
        "- rollback: {service: hello, to: hello-00001}\n"
    )
    assert outcome.passed, shown
    assert commands == [
        ("service", "update", "hello", "--traffic", "hello-00001=75,hello-00002=25"),
        ("rollback", "hello"),
        ("rollback", "hello", "--to", "hello-00001"),
    ]
    assert "$ knary rollback hello --to hello-00001" in shown


def test_faults_are_the_commands_that_a_user_would_type() -> None:
    outcome, shown, commands = play(
        "- fault: {service: hello, type: latency, revision: hello-00002, toxicity: 0.5,"
        " attributes: {latency: 200ms, jitter: 50}}\n"
        "- fault: {service: hello, type: slicer, attributes: {average_size: 100}}\n"
        "- fault: {clear: true, service: hello}\n"
        "- fault: {clear: true}\n"
    )
    assert outcome.finished, shown
    assert [" ".join(words) for words in commands] == [
        "fault add hello latency --latency 200ms --jitter 50 --revision hello-00002 --toxicity 0.5",
        "fault add hello slicer --average-size 100",
        "fault clear hello",
        "fault clear",
    ]


def test_a_ramp_sets_each_percent_and_plays_its_steps_after_it() -> None:
    outcome, shown, commands = play(
        "- ramp:\n"
        "    service: hello\n"
        "    from: hello-00001\n"
        "    to: hello-00002\n"
        "    percents: [10, 50, 100]\n"
        "    steps:\n"
        "    - load: {service: hello, requests: 20}\n"
        "    - expect: {answers: {say: {}}}\n"
        "- load: {service: hello, requests: 5}\n"
        "- expect: {answers: {none_to: [hello-00001]}}\n"
    )
    assert outcome.passed, shown
    assert [words[-1] for words in commands] == [
        f"{ONE}=90,{TWO}=10",
        f"{ONE}=50,{TWO}=50",
        f"{ONE}=0,{TWO}=100",
    ]
    assert outcome.requests == 65


def test_steps_are_repeated_and_each_turn_is_judged() -> None:
    outcome, shown, _ = play(
        "- repeat:\n"
        "    times: 3\n"
        "    steps:\n"
        "    - title: Ask\n"
        "      load: {service: hello, requests: 2}\n"
        "    - expect: {answers: {none_to: [hello-00002]}}\n"
    )
    assert outcome.passed
    assert [chapter.title for chapter in outcome.chapters] == ["A story", "Ask", "Ask", "Ask"]
    assert outcome.requests == 6
    assert "Turn 3 of 3." in shown
    assert shown.count("[1/1] Ask") == 3


def test_branches_are_played_at_the_same_time() -> None:
    # The first waits for what the second begins, so one after the other would never end.
    outcome, shown, _ = play(
        "- load: {service: hello, rate: 200, background: users}\n"
        "- parallel:\n"
        "  - name: watching\n"
        "    steps:\n"
        "    - expect: {answers: {of: users, next: 40}}\n"
        "    - expect: {answers: {of: users}}\n"
        "  - name: shifting\n"
        "    steps:\n"
        "    - traffic: {service: hello, split: {hello-00001: 50, hello-00002: 50}}\n"
        "    - load: {service: hello, requests: 10}\n"
        "    - expect: {answers: {}}\n"
    )
    assert outcome.passed, shown
    assert outcome.claims == 3


def test_a_branch_that_cannot_go_on_ends_the_others() -> None:
    outcome, shown, _ = play(
        "- parallel:\n"
        "  - steps:\n"
        "    - wait: 1h\n"
        "  - steps:\n"
        "    - command: knary fail\n"
        "- load: {service: hello, requests: 10}\n"
    )
    assert not outcome.finished
    assert outcome.requests == 0
    assert "the command ended with 1" in shown


@pytest.mark.parametrize(
    ("wait", "goes_on"),
    [("{service: hello}", True), ("{service: gone, within: 10ms}", False), ("1ms", True)],
)
def test_a_wait_stops_the_story_unless_what_it_waits_for_comes(wait: str, goes_on: bool) -> None:
    outcome, shown, _ = play(f"- wait: {wait}\n- expect: {{response: {{service: hello}}}}\n")
    assert outcome.finished is goes_on
    assert ("not within 10ms: gone does not report Ready" in shown) is not goes_on


def test_steps_within_steps_know_their_lines_and_chapters() -> None:
    scenario = parse_scenario(
        "title: A story\n"
        "steps:\n"
        "- title: One\n"
        "  repeat:\n"
        "    times: 2\n"
        "    steps:\n"
        "    - parallel:\n"
        "      - steps:\n"
        "        - title: Two\n"
        "          wait: 1s\n"
        "      - steps: [{rollback: hello}]\n",
        "story.yaml",
    )
    assert [(step.line, step.title) for step in scenario.all_steps] == [
        *((3, "One"), (7, ""), (9, "Two"), (11, "")),
    ]
    assert scenario.chapters == 2
    assert isinstance(scenario.all_steps[2].action, model.Wait)


def nested(depth: int) -> str:
    inner = "{rollback: hello}"
    for _ in range(depth):
        inner = f"{{repeat: {{times: 1, steps: [{inner}]}}}}"
    return f"- {inner}"


USERS = "{load: {service: a, rate: 1, background: u}}"
REFUSED: list[tuple[str, str]] = [
    ("- repeat: {times: 0, steps: [{rollback: a}]}", "3:19: 0 is out of range"),
    ("- repeat: {times: 2, steps: []}", "3:29: no steps"),
    ("- repeat: {times: 2, steps: [{rollbak: a}]}", "unknown field `rollbak`; did you mean"),
    ("- parallel: [{steps: [{rollback: a}]}]", "3:13: 1 is out of range; allowed is 2 to 16"),
    ("- ramp: {service: a, from: b, to: b, percents: [1]}", "3:35: `from` and `to` are the same"),
    ("- ramp: {service: a, from: b, to: c, percents: []}", "3:48: no percents"),
    ("- ramp: {service: a, from: b, to: c, percents: [101]}", "3:49: 101 is out of range"),
    ("- traffic: {service: a, split: {b: 90}}", "the percentages sum to 90, want 100"),
    ("- wait: {service: a, pause: 1s}", "give exactly one of `service`, `revision` and `pause`"),
    ("- fault: {type: abort}", "`service` is missing; or end all faults with `clear: true`"),
    ("- fault: {service: a, type: late}", "3:29: 'late' is no type of fault; there are latency"),
    ("- fault: {service: a, type: latency}", "latency needs `attributes: {latency: …}`"),
    ("- fault: {service: a, type: abort, attributes: {rate: 1}}", "abort has status, no `rate`"),
    ("- fault: {service: a, type: abort, toxicity: 2}", "2 is out of range; allowed is 0 to 1"),
    ("- fault: {clear: true, type: abort}", "`clear` ends faults; leave `type`"),
    ("- wait: soon", "'soon' is no duration"),
    ("- wait: {}", "give exactly one of"),
    (nested(4), "steps within steps within steps; the deepest are 4"),
    (
        f"- repeat: {{times: 2, steps: [{USERS}]}}",
        "the background load 'u' begins here and goes on; the steps are played again",
    ),
    (
        f"- parallel: [{{steps: [{USERS}]}}, {{steps: [{USERS}]}}]",
        "another branch has a load named 'u'",
    ),
    (
        "- parallel: [{steps: [{expect: {answers: {}}}]}, {steps: [{rollback: a}]}]",
        "no load came before",
    ),
]


@pytest.mark.parametrize(("steps", "why"), REFUSED, ids=[why[-40:] for _, why in REFUSED])
def test_flaws_within_steps_are_named(steps: str, why: str) -> None:
    with pytest.raises(KnaryError) as raised:
        parse_scenario(f"title: A story\nsteps:\n{steps}", "story.yaml")
    assert why in str(raised.value)
