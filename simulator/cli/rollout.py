"""How far a gradual rollout has come, in words. Pure: time is an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.cli.conditions import conditions_of

if TYPE_CHECKING:
    from simulator.traffic.rollout import ConfigurationRollout

_ANNOTATION = "networking.internal.knative.dev/rollout"
_MILLISECOND, _SECOND = 10**6, 10**9

Document = dict[str, Any]


def is_in_progress(found: Document) -> bool:
    """Tell whether a Service or a Route says that it moves its traffic gradually."""
    return any(each.get("reason") == "RolloutInProgress" for each in conditions_of(found))


def progress_lines(ingress: Document, now: int) -> list[str]:
    """Return a line per rollout that an Ingress notes; `now` is nanoseconds since 1970."""
    from simulator.traffic.rollout import deserialize  # here: a rollout is seldom under way

    annotations = ingress["metadata"].get("annotations") or {}
    state = deserialize(annotations.get(_ANNOTATION, ""))
    return (
        [_line(one, now) for one in state.configurations if len(one.revisions) > 1] if state else []
    )


def traffic_cell(found: Document) -> str:
    """Return who gets a Service's or Route's requests: "shop-00001=63,shop-00002=37"."""
    targets = (found.get("status") or {}).get("traffic") or ()
    return ",".join(
        f"{target.get('revisionName', '')}{'#' + target['tag'] if target.get('tag') else ''}"
        f"={target['percent']}"
        for target in targets
        if target.get("percent")
    )


def _line(one: ConfigurationRollout, now: int) -> str:
    newest, pace = one.revisions[-1], one.step_params
    of = f"#{one.tag}" if one.tag else f"{one.percent}%"
    head = f"{newest.revision_name} has {newest.percent}% of {of}"
    if not pace.step_size:
        return f"{head}; the gateway does not serve it yet"
    steps = -(-(one.percent - newest.percent) // pace.step_size)
    left = max(0, pace.next_step_time - now) + (steps - 1) * pace.step_duration
    every = _duration(pace.step_duration, 100 * _MILLISECOND)
    return f"{head}; {pace.step_size}% more every {every}, about {_duration(left, _SECOND)} to go"


def _duration(nanoseconds: int, unit: int) -> str:
    from simulator.resources.durations import format_duration

    return format_duration((nanoseconds + unit // 2) // unit * unit)
