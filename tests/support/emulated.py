"""What tests put into a `knary.Emulator`: a service, and two revisions with their shares."""

from __future__ import annotations

from typing import Any

import knary
from tests.support.instance import HELLO


def service(target: str, name: str = "hello", **annotations: str) -> dict[str, Any]:
    container = {"image": HELLO, "env": [{"name": "TARGET", "value": target}]}
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def two_revisions(emulator: knary.Emulator, **percents: int) -> None:
    emulator.apply(service("one"))
    emulator.apply(service("two"))
    emulator.traffic("hello", {name.strip("r"): percent for name, percent in percents.items()})
