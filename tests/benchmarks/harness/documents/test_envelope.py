"""Documents: what they share, their published schemas, and what a run leaves in them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from benchmarks.harness.documents import gateway, provenance, schemas
from benchmarks.harness.documents.envelope import Document, measure
from benchmarks.harness.documents.gateway import Gateway, GatewayResult, Sample
from benchmarks.harness.documents.measures import gateway_measures

PUBLISHED = Path(__file__).parents[4] / "docs" / "schemas"


@pytest.mark.parametrize("schema", sorted(schemas.PUBLISHED))
def test_the_published_schema_is_the_one_in_force(schema: str) -> None:
    made = schemas.json_schema(schema)
    file = PUBLISHED / schemas.file_name(schema)
    if os.environ.get("KNARY_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    published = json.loads(file.read_text(encoding="utf-8"))
    assert published == made, "KNARY_GOLDEN=write make test ARGS=tests/benchmarks writes it anew"


def turn(pair: int, name: str, p99: float, void: str = "") -> Sample:
    revisions = {"hello-00002": {"requests": 1.0}}
    return Sample(pair, name, pair * 2.0, {"p99_us": p99}, revisions, void=void)


def test_a_document_says_where_its_numbers_come_from_and_is_read_back_as_it_was() -> None:
    result = GatewayResult((Gateway("knary"),), (turn(0, "knary", 5),))
    begun = provenance.begin()
    made = provenance.document(
        gateway.SCHEMA,
        begun,
        result,
        gateway_measures(result),
        parameters={"rate": 200},
        peers={"nginx": "1.22.1"},
    )
    assert made.kind == "gateway"
    assert made.build == "interpreted"
    assert made.when.endswith("Z")
    assert made.machine.cores >= 1
    assert made.machine.load_1m[0] == begun.load_1m
    read = msgspec.json.decode(msgspec.json.encode(made), type=Document[GatewayResult])
    assert read == made


def test_a_gateways_measures_are_its_turns_by_gateway_and_revision_but_for_void_ones() -> None:
    samples = (
        *(turn(0, "knary", 10), turn(0, "nginx", 8)),
        *(turn(1, "knary", 30), turn(1, "nginx", 9, void="behind")),
        turn(2, "knary", 20),
    )
    result = GatewayResult((Gateway("knary"), Gateway("nginx")), samples)
    assert gateway_measures(result) == (
        measure("p99_us", (10, 30, 20), "lower", {"gateway": "knary"}),
        measure("requests", (1, 1, 1), "", {"gateway": "knary", "revision": "hello-00002"}),
        measure("p99_us", (8,), "lower", {"gateway": "nginx"}),
        measure("requests", (1,), "", {"gateway": "nginx", "revision": "hello-00002"}),
    )


@pytest.mark.parametrize(
    ("samples", "value", "noise"),
    [
        pytest.param([4.0], 4.0, None, id="of one there is no noise"),
        pytest.param([4.0, 5.0, 3.0], 4.0, 50.0, id="greatest less least, by the median"),
        pytest.param([0.0, 0.0, 1.0], 0.0, None, id="of a median 0 there is no share"),
    ],
)
def test_noise_is_how_far_samples_lie_apart(
    samples: list[float], value: float, noise: float | None
) -> None:
    made = measure("p99_us", samples, "lower")
    assert (made.value, made.noise_percent) == (value, noise)
