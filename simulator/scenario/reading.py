"""From a scenario's YAML to its steps, strictly: every flaw with line, column and the way out."""

from __future__ import annotations

from simulator.errors import KnaryError
from simulator.resources.strictyaml import Form, Place
from simulator.scenario import model
from simulator.scenario.flaws import flaws_of
from simulator.scenario.model import ScenarioDocument, StepDocument

SCENARIO_BYTES_MAX = 1024 * 1024


class ScenarioError(KnaryError):
    """The file is no scenario. Each line names file, line, column, what is wrong, the way out."""


_FORM = Form(
    ScenarioDocument,
    # Where each struct stands in a file, to name the fields that it knows.
    {
        "$": ScenarioDocument,
        "$.steps[]": StepDocument,
        "$.steps[].apply": model.Apply,
        "$.steps[].command": model.Command,
        "$.steps[].load": model.Load,
        "$.steps[].expect": model.Expect,
        "$.steps[].expect.answers": model.AnswersClaim,
        "$.steps[].expect.response": model.ResponseClaim,
        "$.steps[].expect.condition": model.ConditionClaim,
        "$.steps[].expect.traffic": model.TrafficClaim,
    },
    noun="a scenario",
    wanted="`title` and `steps`",
    bytes_max=SCENARIO_BYTES_MAX,
    flaws_of=flaws_of,
    error=ScenarioError,
)


def parse_scenario(text: str, source: str) -> model.Scenario:
    """Return the scenario. Raise ScenarioError."""
    document, places = _FORM.read(text, source)
    steps = tuple(
        model.Step(
            action=_action(step),
            line=places.get(f"$.steps[{index}]", Place(1, 1)).line,
            title=step.title,
            why=step.why,
            show=step.show,
        )
        for index, step in enumerate(document.steps)
    )
    return model.Scenario(
        title=document.title,
        why=document.why,
        namespace=document.namespace,
        steps=steps,
        source=source,
    )


def _action(step: StepDocument) -> model.Action:
    if isinstance(step.command, str):
        return model.Command(run=step.command)
    action = step.apply or step.command or step.load or step.expect
    assert action is not None  # noqa: S101 (`flaws_of` made sure)
    return action
