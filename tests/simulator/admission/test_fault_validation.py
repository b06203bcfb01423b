"""Faults: every type's attributes and bounds, and near names for what is unknown."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.contract import FAULTS
from simulator.admission.fault_validation import validate_fault
from simulator.admission.fielderrors import render
from simulator.resources.faults import ATTRIBUTES, NEEDED, Fault, FaultSpec
from simulator.resources.meta import ObjectMeta


def told(**spec: Any) -> str:
    given = {"service": "hello", "type": "latency", "attributes": {"latency": 1}, **spec}
    return render(validate_fault(Fault(ObjectMeta(name="one"), FaultSpec(**given))))


def test_both_planes_know_the_same_types() -> None:
    assert set(FAULTS) == set(ATTRIBUTES)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_type_with_all_it_needs_is_taken(kind: str) -> None:
    needed = {NEEDED[kind]: ATTRIBUTES[kind][NEEDED[kind]][0]} if kind in NEEDED else {}
    assert told(type=kind, attributes=needed) == ""


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"service": ""}, "missing field(s): spec.service"),
        ({"type": ""}, "missing field(s): spec.type"),
        ({"type": "latenzy"}, 'unknown type "latenzy": did you mean "latency"?: spec.type'),
        ({"attributes": {}}, "missing field(s): spec.attributes.latency"),
        (
            {"attributes": {"latency": 1, "jiter": 1}},
            'unknown attribute of latency "jiter": did you mean "jitter"?: spec.attributes.jiter',
        ),
        (
            {"attributes": {"latency": -1}},
            "expected 0 <= -1 <= 3600000: spec.attributes.latency",
        ),
        ({"toxicity": 1.5}, "expected 0 <= 1.5 <= 1: spec.toxicity"),
        (
            {"stream": "sideways"},
            'unknown stream "sideways": known: downstream, upstream: spec.stream',
        ),
        (
            {"type": "abort", "attributes": {}, "stream": "upstream"},
            "only latency can be upstream: spec.stream",
        ),
        (
            {"type": "abort", "attributes": {"status": 99}},
            "expected 400 <= 99 <= 599: spec.attributes.status",
        ),
    ],
)
def test_what_is_wrong_is_said(spec: dict[str, Any], words: str) -> None:
    assert told(**spec) == words
