"""Faults as objects of an instance: docs/faults.md has their types and attributes. Pure."""

from __future__ import annotations

from typing import Any

_OF_THE_SPEC = ("revision", "tag", "stream", "toxicity")


def fault_of(service: str, type_: str, wishes: dict[str, Any]) -> dict[str, Any]:
    """Return the Fault: `wishes` are fields of its spec, its `name`, and else attributes."""
    wishes = dict(wishes)
    name = wishes.pop("name", f"{service}-{type_}".replace("_", "-"))
    spec = {key: wishes.pop(key) for key in _OF_THE_SPEC if key in wishes}
    return {
        "apiVersion": "knary.dev/v1",
        "kind": "Fault",
        "metadata": {"name": name},
        "spec": {"service": service, "type": type_, **spec, "attributes": wishes},
    }
