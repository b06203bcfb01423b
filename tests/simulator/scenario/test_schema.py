"""The JSON Schema is published as it is."""

from __future__ import annotations

import json
from pathlib import Path

from simulator.scenario.reading import scenario_schema

PUBLISHED = Path(__file__).parents[3] / "docs" / "scenario.schema.json"


def test_the_published_schema_is_the_one_in_force() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    in_force = json.loads(json.dumps(scenario_schema()))
    assert published == in_force, "knary run --schema > docs/scenario.schema.json"


def test_no_part_of_a_scenario_lets_an_unknown_field_pass() -> None:
    structs = scenario_schema()["$defs"]
    assert {"ScenarioDocument", "StepDocument", "RampDocument", "AnswersClaim"} <= set(structs)
    assert all(struct["additionalProperties"] is False for struct in structs.values())
