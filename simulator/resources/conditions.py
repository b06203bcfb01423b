"""Knative's condition: its shape, and how a set of them decides Ready.

Source: knative/pkg `apis/condition_types.go`, `apis/condition_set.go`.
"""

from __future__ import annotations

from msgspec import Struct, field

READY = "Ready"
TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"
SEVERITY_INFO = "Info"


class Condition(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """One named fact about an object. `severity` "" is Error, the kind that decides Ready."""

    type: str
    # A factory, so that it is written even when it is Unknown: clients demand a status.
    status: str = field(default_factory=lambda: UNKNOWN)
    severity: str = ""
    last_transition_time: str | None = None
    reason: str = ""
    message: str = ""


def find(conditions: tuple[Condition, ...], type_: str) -> Condition | None:
    """Return the condition of that type, or None."""
    for condition in conditions:
        if condition.type == type_:
            return condition
    return None


def is_true(conditions: tuple[Condition, ...], type_: str = READY) -> bool:
    """Tell whether the condition of that type is True."""
    condition = find(conditions, type_)
    return condition is not None and condition.status == TRUE
