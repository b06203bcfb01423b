"""From a scenario's YAML to its steps, strictly: every flaw with line, column and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from simulator.errors import KnaryError
from simulator.resources.strictyaml import Form, Place
from simulator.scenario import documents, model
from simulator.scenario.documents import ScenarioDocument, StepDocument
from simulator.scenario.flaws import flaws_of

SCENARIO_BYTES_MAX = 1024 * 1024


class ScenarioError(KnaryError):
    """The file is no scenario. Each line names file, line, column, what is wrong, the way out."""


_WITHIN = ("repeat.steps[]", "ramp.steps[]", "parallel[].steps[]")


def _structs() -> dict[str, type[Struct]]:
    """Return where each struct stands in a file, to name the fields that it knows."""
    found: dict[str, type[Struct]] = {"$": ScenarioDocument}
    prefixes = ["$.steps[]"]
    for _ in range(documents.DEPTH_MAX):
        for prefix in prefixes:
            found |= {
                prefix: StepDocument,
                f"{prefix}.apply": model.Apply,
                f"{prefix}.command": model.Command,
                f"{prefix}.load": model.Load,
                f"{prefix}.traffic": model.Traffic,
                f"{prefix}.rollback": model.Rollback,
                f"{prefix}.fault": model.Fault,
                f"{prefix}.wait": model.Wait,
                f"{prefix}.expect": model.Expect,
                f"{prefix}.expect.answers": model.AnswersClaim,
                f"{prefix}.expect.response": model.ResponseClaim,
                f"{prefix}.expect.condition": model.ConditionClaim,
                f"{prefix}.expect.traffic": model.TrafficClaim,
                f"{prefix}.expect.latency": model.LatencyClaim,
                f"{prefix}.expect.event": model.EventClaim,
                f"{prefix}.expect.log": model.LogClaim,
                f"{prefix}.repeat": documents.RepeatDocument,
                f"{prefix}.ramp": documents.RampDocument,
                f"{prefix}.parallel[]": documents.BranchDocument,
            }
        prefixes = [f"{prefix}.{within}" for prefix in prefixes for within in _WITHIN]
    return found


_FORM = Form(
    ScenarioDocument,
    _structs(),
    noun="a scenario",
    wanted="`title` and `steps`",
    bytes_max=SCENARIO_BYTES_MAX,
    flaws_of=flaws_of,
    error=ScenarioError,
)


def parse_scenario(text: str, source: str) -> model.Scenario:
    """Return the scenario. Raise ScenarioError."""
    document, places = _FORM.read(text, source)
    return model.Scenario(
        title=document.title,
        why=document.why,
        namespace=document.namespace,
        steps=_steps(document.steps, "$.steps", places),
        source=source,
    )


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario's file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "knary scenario",
        **msgspec.json.schema(ScenarioDocument),
    }


def _steps(
    steps: tuple[StepDocument, ...], path: str, places: Mapping[str, Place]
) -> tuple[model.Step, ...]:
    return tuple(
        model.Step(
            action=_action(step, f"{path}[{index}]", places),
            line=places.get(f"{path}[{index}]", Place(1, 1)).line,
            title=step.title,
            why=step.why,
            show=step.show,
        )
        for index, step in enumerate(steps)
    )


def _action(step: StepDocument, path: str, places: Mapping[str, Place]) -> model.Action:
    if isinstance(step.command, str):
        return model.Command(run=step.command)
    if isinstance(step.rollback, str):
        return model.Rollback(service=step.rollback)
    if isinstance(step.wait, str):
        return model.Wait(pause=step.wait)
    if (repeat := step.repeat) is not None:
        return model.Repeat(repeat.times, _steps(repeat.steps, f"{path}.repeat.steps", places))
    if (ramp := step.ramp) is not None:
        steps = _steps(ramp.steps, f"{path}.ramp.steps", places)
        return model.Ramp(ramp.service, ramp.old, ramp.new, ramp.percents, steps)
    if step.parallel is not None:
        branches = (
            model.Branch(
                branch.name or str(index + 1),
                _steps(branch.steps, f"{path}.parallel[{index}].steps", places),
            )
            for index, branch in enumerate(step.parallel)
        )
        return model.Parallel(tuple(branches))
    action = (
        step.apply
        or step.command
        or step.load
        or step.traffic
        or step.rollback
        or step.fault
        or step.wait
        or step.expect
    )
    assert action is not None  # noqa: S101 (`flaws_of` made sure)
    return action
