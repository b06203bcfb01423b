from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import KnaryError
from simulator.scenario import model
from simulator.scenario.flaws import seconds
from simulator.scenario.reading import ScenarioError, parse_scenario

SCENARIOS = sorted((Path(__file__).parents[3] / "scenarios").glob("*.yaml"))


def steps(text: str) -> str:
    return f"title: A story\nsteps:\n{text}"


def read(text: str) -> model.Scenario:
    return parse_scenario(text, "story.yaml")


def refusal(text: str) -> str:
    """Return why the text is no scenario; its source when it is one."""
    try:
        return read(text).source
    except KnaryError as error:
        return str(error)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_every_scenario_that_knary_brings_is_one(path: Path) -> None:
    scenario = parse_scenario(path.read_text(encoding="utf-8"), str(path))
    assert scenario.title
    assert scenario.steps


def test_the_canary_story_has_seven_chapters() -> None:
    (path,) = [path for path in SCENARIOS if path.name == "canary-release.yaml"]
    assert parse_scenario(path.read_text(encoding="utf-8"), str(path)).chapters == 7


def test_each_verb_becomes_its_action_with_its_line() -> None:
    scenario = read(
        steps(
            "- title: First\n"
            "  why: Because.\n"
            "  command: knary service list\n"
            "- command: {run: knary get ksvc x, exit: 1, output: [not found]}\n"
            "- apply: {manifest: {kind: Service, metadata: {name: x}}, refused: nope}\n"
            "- apply: {file: service.yaml}\n"
            "- load: {service: x, rate: 10, duration: 1s}\n"
            "- expect: {response: {service: x, body: hi}}\n"
        )
    )
    assert [step.line for step in scenario.steps] == [3, 6, 7, 8, 9, 10]
    assert [type(step.action) for step in scenario.steps] == [
        *(model.Command, model.Command, model.Apply, model.Apply, model.Load, model.Expect)
    ]
    first, second = scenario.steps[:2]
    assert (first.title, first.why) == ("First", "Because.")
    assert first.action == model.Command(run="knary service list")
    assert second.action == model.Command("knary get ksvc x", 1, ("not found",))
    assert scenario.chapters == 1
    assert scenario.namespace == "default"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("title: [", "story.yaml:2:1: did not find", id="no YAML"),
        pytest.param("", "story.yaml: want one YAML document", id="nothing"),
        pytest.param("title: a\n---\ntitle: b\n", "story.yaml: want one YAML", id="two documents"),
        pytest.param("[]", "story.yaml:1:1: a scenario wants a map, got a list", id="a list"),
        pytest.param("steps: []", "story.yaml:1:1: `title` is missing", id="no title"),
        pytest.param("title: a\nsteps: []", "story.yaml:2:8: no steps", id="no steps"),
        pytest.param("title: &a x\nsteps: [*a]", "story.yaml:2:9: the alias *a", id="an alias"),
        pytest.param("title: a\ntitle: b\nsteps: []", "story.yaml:2:1: the key", id="twice"),
        pytest.param(
            steps("- lod: {service: x}"),
            "story.yaml:3:3: unknown field `lod`; did you mean `load`?",
            id="a verb misspelt",
        ),
        pytest.param(
            steps("- load:\n    service: x\n    speed: 3"),
            "story.yaml:5:5: unknown field `speed`; known are service, requests",
            id="a field nobody knows",
        ),
        pytest.param(
            steps("- {}"), "story.yaml:3:3: a step does exactly one of apply", id="no verb"
        ),
        pytest.param(
            steps("- command: knary get ksvc\n  load: {service: x, requests: 1}"),
            "story.yaml:3:3: a step does exactly one of apply, command, load, traffic, rollback,"
            " fault, wait, expect, repeat, ramp, parallel;"
            " got command and load",
            id="two verbs",
        ),
        pytest.param(
            steps("- 7"),
            "story.yaml:3:3: each entry of `steps` wants a map, got a whole number",
            id="no step",
        ),
        pytest.param(
            steps("- command: rm -rf /"),
            "story.yaml:3:12: a command begins with `knary`",
            id="another program",
        ),
        pytest.param(
            steps("- command: {run: knary get 'ksvc}"),
            "story.yaml:3:18: the quotes do not match",
            id="a quote too few",
        ),
        pytest.param(
            steps("- apply: {}"), "story.yaml:3:10: give either `manifest`", id="nothing to apply"
        ),
        pytest.param(
            steps("- apply: {manifest: {kind: Service}}"),
            "story.yaml:3:21: a manifest needs `kind` and `metadata.name`",
            id="a manifest without a name",
        ),
        pytest.param(
            steps("- load: {service: x, rate: fast}"),
            "story.yaml:3:28: `rate` wants a number, got a text",
            id="a rate in words",
        ),
        pytest.param(
            steps("- load: {service: x}"),
            "story.yaml:3:9: give either `requests` or `rate`",
            id="a load of nothing",
        ),
        pytest.param(
            steps("- load: {service: x, rate: 5}"),
            "story.yaml:3:9: a `rate` needs a `duration` such as 10s, or `background: NAME`",
            id="a rate without an end",
        ),
        pytest.param(
            steps("- load: {service: x, rate: 5, duration: ten}"),
            "story.yaml:3:41: 'ten' is no duration; write 500ms, 10s or 1m30s",
            id="no duration",
        ),
        pytest.param(
            steps("- load: {service: x, rate: 5, duration: 0s}"),
            "story.yaml:3:41: 0s is not positive",
            id="a duration of nothing",
        ),
        pytest.param(
            steps("- load: {service: x, requests: 0}"),
            "story.yaml:3:32: 0 is out of range; allowed is 1 to 1e+06",
            id="too few",
        ),
        pytest.param(
            steps("- load: {service: x, rate: 100000, duration: 1h}"),
            "story.yaml:3:9: 100000 per second for 3600 s are more than",
            id="more than can be kept",
        ),
        pytest.param(
            steps("- load: {service: x, requests: 5, background: b}"),
            "story.yaml:3:47: `background` goes with `rate`",
            id="a count in the background",
        ),
        pytest.param(
            steps("- load: {service: x, requests: 5, path: a b}"),
            "story.yaml:3:41: a path starts with `/`",
            id="no path",
        ),
        pytest.param(
            steps("- load: {service: x, rate: 5, background: b}"),
            "story.yaml:3:43: nobody judges this load",
            id="a load that nobody judges",
        ),
        pytest.param(
            steps("- expect: {}"),
            "story.yaml:3:11: an expect holds exactly one of answers",
            id="nothing to expect",
        ),
        pytest.param(
            steps("- expect: {answers: {errors: 0}}"),
            "story.yaml:3:21: no load came before",
            id="answers without a load",
        ),
        pytest.param(
            steps("- expect: {answers: {of: users}}"),
            "story.yaml:3:26: no background load is named 'users'; none is running",
            id="a load with another name",
        ),
        pytest.param(
            steps(
                "- load: {service: x, requests: 9}\n- expect: {answers: {split: {a: 60, b: 30}}}"
            ),
            "story.yaml:4:29: the percentages sum to 90, want 100",
            id="ninety percent",
        ),
        pytest.param(
            steps("- load: {service: x, requests: 9}\n- expect: {answers: {split: {a: x, b: 9}}}"),
            "story.yaml:4:29: each value of `split` wants a whole number, got a text",
            id="a percentage in words",
        ),
        pytest.param(
            steps("- load: {service: x, requests: 9}\n- expect: {answers: {within: 2}}"),
            "story.yaml:4:30: `within` is the bound of a `split`",
            id="a bound of nothing",
        ),
        pytest.param(
            steps(
                "- load: {service: x, requests: 9}\n"
                "- expect: {answers: {split: {a: 50, b: 50}, splitter: random, within: 2}}"
            ),
            "story.yaml:4:71: `random` promises no bound",
            id="a bound for a coin",
        ),
        pytest.param(
            steps("- load: {service: x, requests: 9}\n- expect: {answers: {next: 5}}"),
            "story.yaml:4:28: `next` looks at a background load",
            id="the next of what is over",
        ),
        pytest.param(
            steps("- expect: {condition: {service: x, status: True}}"),
            "story.yaml:3:44: `status` wants a text, got true or false; quote it",
            id="a status that YAML reads as a truth",
        ),
        pytest.param(
            steps("- expect: {condition: {service: x, status: Maybe}}"),
            "story.yaml:3:44: 'Maybe' is not allowed here; allowed are False, True, Unknown",
            id="a status that is none",
        ),
        pytest.param(
            steps("- expect: {condition: {}}"),
            "story.yaml:3:23: give either `service` or `revision`",
            id="a condition of nobody",
        ),
    ],
)
def test_a_flaw_is_named_with_line_column_and_the_way_out(text: str, error: str) -> None:
    with pytest.raises(KnaryError) as raised:
        read(text)
    assert str(raised.value).startswith(error)


def test_all_flaws_are_told_at_once() -> None:
    with pytest.raises(ScenarioError) as raised:
        read(
            steps(
                "- load: {service: x}\n- command: ls\n- expect: {traffic: {service: x, split: {}}}"
            )
        )
    assert len(str(raised.value).splitlines()) == 3


def test_a_file_that_is_far_too_large_is_refused() -> None:
    with pytest.raises(ScenarioError, match="larger than"):
        read("#" * 2_000_000)


@given(st.text(max_size=200))
def test_any_text_is_a_scenario_or_refused_in_words(text: str) -> None:
    assert refusal(text).startswith("story.yaml")


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["title", "steps", "load", "expect", "answers", "split", "rate", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.lists(st.dictionaries(st.sampled_from(["load", "expect", "apply", "why"]), _values)))
def test_any_structure_is_a_scenario_or_refused_in_words(value: list) -> None:
    import yaml

    assert refusal(yaml.safe_dump({"title": "a", "steps": value})).startswith("story.yaml")


@pytest.mark.parametrize(
    ("text", "length"), [("500ms", 0.5), ("10s", 10.0), ("1m30s", 90.0), ("1.5s", 1.5)]
)
def test_durations_are_gos(text: str, length: float) -> None:
    assert seconds(text) == length
