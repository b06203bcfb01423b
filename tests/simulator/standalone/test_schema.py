"""The JSON Schema is published as it is, and is about the same fields as the reader."""

from __future__ import annotations

import json
from pathlib import Path

from simulator.standalone.schema import json_schema

PUBLISHED = Path(__file__).parents[3] / "docs" / "gateway.schema.json"


def test_the_published_schema_is_the_one_in_force() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert published == json_schema(), "knary gateway --schema > docs/gateway.schema.json"


def test_it_knows_every_field_and_lets_no_other_pass() -> None:
    structs = json_schema()["$defs"]
    assert set(structs) == {"GatewayDocument", "RouteDocument", "RuleDocument", "TargetDocument"}
    assert all(struct["additionalProperties"] is False for struct in structs.values())
    assert set(structs["TargetDocument"]["properties"]) == {
        *("name", "to", "percent", "headers", "protocol", "timeoutSeconds"),
        *("responseStartTimeoutSeconds", "idleTimeoutSeconds", "containerConcurrency"),
    }
