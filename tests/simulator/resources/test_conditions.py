"""A condition on the wire."""

from __future__ import annotations

import msgspec
import pytest

from simulator.resources.conditions import FALSE, TRUE, UNKNOWN, Condition


@pytest.mark.parametrize("status", [TRUE, FALSE, UNKNOWN])
def test_a_condition_always_says_its_status(status: str) -> None:
    # Kubernetes requires the field: `kubectl wait` and kn read it without asking.
    written = msgspec.json.encode(Condition("Ready", status))
    assert msgspec.json.decode(written) == {"type": "Ready", "status": status}


def test_one_that_was_stored_without_a_status_is_unknown() -> None:
    assert msgspec.json.decode(b'{"type":"Ready"}', type=Condition).status == UNKNOWN
