"""Conditions as kn prints them. Pure. Source: knative/client `pkg/commands/`
`human_readable_flags.go` and `describe.go`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulator.resources.ages import short_age

_SEVERITIES = {"": 0, "Error": 0, "Warning": 1, "Info": 2}
_SIGNS = {"": "!!", "Error": "!!", "Warning": " W", "Info": " I"}

Document = dict[str, Any]


def conditions_of(found: Document) -> list[Document]:
    """Return the object's conditions, [] when it has none yet."""
    conditions: list[Document] = (found.get("status") or {}).get("conditions") or []
    return conditions


def ready_condition(found: Document) -> Document | None:
    """Return the Ready condition, of whatever generation it speaks."""
    return next((each for each in conditions_of(found) if each.get("type") == "Ready"), None)


def is_ready(found: Document) -> bool:
    """Tell whether Ready is True."""
    condition = ready_condition(found)
    return condition is not None and condition.get("status") == "True"


def ok_of_all(found: Document) -> str:
    """Return "3 OK / 3"."""
    conditions = conditions_of(found)
    ok = sum(condition.get("status") == "True" for condition in conditions)
    return f"{ok} OK / {len(conditions)}"


def ready_of(found: Document) -> str:
    """Return Ready's status."""
    condition = ready_condition(found)
    return str(condition["status"]) if condition else "<unknown>"


def reason_of(found: Document) -> str:
    """Return "REASON : MESSAGE" of a Ready that is not True, "" of one that is."""
    condition = ready_condition(found)
    if condition is None:
        return "<unknown>"
    if condition.get("status") == "True":
        return ""
    reason, message = condition.get("reason", ""), condition.get("message", "")
    return f"{reason} : {message}" if message else reason


def condition_lines(found: Document, now: datetime, *, with_messages: bool) -> list[str]:
    """Return kn's table of conditions: Ready first, then by severity and name."""
    conditions = sorted(conditions_of(found), key=_order)
    width = max((len(condition["type"]) for condition in conditions), default=4)
    rows = [("OK", "TYPE", "AGE", "REASON")]
    for condition in conditions:
        reason = condition.get("reason", "")
        if with_messages and reason:
            reason = f"{reason} ({condition.get('message', '')})"
        since = short_age(condition.get("lastTransitionTime"), now)
        rows.append((_sign(condition), condition["type"], since, reason))
    return [f"{ok:<2} {name:<{width}} {since:>6} {why}".rstrip() for ok, name, since, why in rows]


def _order(condition: Document) -> tuple[bool, int, str]:
    severity = _SEVERITIES.get(condition.get("severity", ""), 0)
    return condition["type"] != "Ready", severity, condition["type"]


def _sign(condition: Document) -> str:
    if condition.get("status") == "True":
        return "++"
    if condition.get("status") == "False":
        return _SIGNS.get(condition.get("severity", ""), " !")
    return "??"
