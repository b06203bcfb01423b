"""Which queries of a list or a watch contradict themselves. Pure.

Source: apimachinery `apis/meta/internalversion/validation/validation.go`, with its words.
"""

from __future__ import annotations

from simulator.api.queries import Query
from simulator.errors import Invalid
from simulator.resources.wording import quoted

EXACT, NOT_OLDER_THAN = "Exact", "NotOlderThan"

_Cause = tuple[str, str, str]
_MATCH = "resourceVersionMatch"
_SHOWN_CHARACTERS_MAX = 40


def require_sound_list(query: Query) -> None:
    """Raise Invalid when a list's options do not go together."""
    causes: list[_Cause] = []
    if match := query.text(_MATCH):
        if not query.text("resourceVersion"):
            causes.append(_forbidden(f"{_MATCH} is forbidden unless resourceVersion is provided"))
        if query.text("continue"):
            causes.append(_forbidden(f"{_MATCH} is forbidden when continue is provided"))
        if match not in (EXACT, NOT_OLDER_THAN):
            causes.append(_unsupported(match, EXACT, NOT_OLDER_THAN, ""))
        if match == EXACT and query.text("resourceVersion") == "0":
            why = f'{_MATCH} "exact" is forbidden for resourceVersion "0"'
            causes.append(_forbidden(why))
    if "sendInitialEvents" in query.values:
        why = "sendInitialEvents is forbidden for list"
        causes.append(("sendInitialEvents", "FieldValueForbidden", f"Forbidden: {why}"))
    _refuse(causes)


def require_sound_watch(query: Query) -> None:
    """Raise Invalid when a watch's options do not go together."""
    causes: list[_Cause] = []
    match, asks_initial = query.text(_MATCH), "sendInitialEvents" in query.values
    if asks_initial and match != NOT_OLDER_THAN:
        causes.append(
            _forbidden(f"sendInitialEvents requires setting {_MATCH} to {NOT_OLDER_THAN}")
        )
    if match:
        if not asks_initial:
            why = f"{_MATCH} is forbidden for watch unless sendInitialEvents is provided"
            causes.append(_forbidden(why))
        if match != NOT_OLDER_THAN:
            causes.append(_unsupported(match, NOT_OLDER_THAN))
        if query.text("continue"):
            causes.append(_forbidden(f"{_MATCH} is forbidden when continue is provided"))
    _refuse(causes)


def _forbidden(why: str) -> _Cause:
    return _MATCH, "FieldValueForbidden", f"Forbidden: {why}"


def _unsupported(match: str, *supported: str) -> _Cause:
    listed = ", ".join(map(quoted, supported))
    shown = quoted(match[:_SHOWN_CHARACTERS_MAX])
    message = f"Unsupported value: {shown}: supported values: {listed}"
    return _MATCH, "FieldValueNotSupported", message


def _refuse(causes: list[_Cause]) -> None:
    if causes:
        raise Invalid.of("meta.k8s.io", "ListOptions", "", causes)
