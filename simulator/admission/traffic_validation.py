"""The rules of `spec.traffic`.

Whether a named revision exists is no question here: the Route's conditions answer it.
Source: knative/serving `pkg/apis/serving/v1/route_validation.go`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.admission.fielderrors import (
    CURRENT_FIELD,
    NONE,
    Errors,
    disallowed_fields,
    generic,
    invalid_array_value,
    invalid_key_name,
    invalid_value,
    missing_one_of,
    multiple_one_of,
    out_of_bounds,
    via_field,
    via_index,
    warning,
)
from simulator.resources.names import dns_1035_label_problems, qualified_name_problems
from simulator.resources.percents import LATEST, parse_percents, total, why_unfit
from simulator.resources.serving import ANNOTATION_TRAFFIC_PERCENT, TrafficTarget
from simulator.resources.wording import listed, quoted

WHOLE = 100  # percent


def validate_service_traffic(traffic: Sequence[TrafficTarget]) -> Errors:
    """Return what is wrong with a Service's traffic, whose configuration is its own."""
    errors = NONE
    for index, target in enumerate(traffic):
        if target.configuration_name:
            named = disallowed_fields("configurationName")
        elif target.revision_name:
            named = _validate_name(target.revision_name, "revisionName")
        else:
            named = NONE
        errors += via_index(_validate_target(target) + named, index)
    return via_field(errors + _validate_list(traffic), "traffic")


def validate_route_traffic(traffic: Sequence[TrafficTarget]) -> Errors:
    """Return what is wrong with a Route's traffic, where each target names what it is for."""
    errors = NONE
    for index, target in enumerate(traffic):
        if target.revision_name and target.configuration_name:
            named = multiple_one_of("revisionName", "configurationName")
        elif target.revision_name:
            named = _validate_name(target.revision_name, "revisionName")
        elif target.configuration_name:
            named = _validate_name(target.configuration_name, "configurationName")
        else:
            named = missing_one_of("revisionName", "configurationName")
        errors += via_index(_validate_target(target) + named, index)
    return via_field(errors + _validate_list(traffic), "traffic")


def validate_traffic_percent(
    annotations: Mapping[str, str], traffic: Sequence[TrafficTarget]
) -> Errors:
    """Return the refusal of percents in hundredths that are none or do not sum to 100. Ours.

    Where they do not fit the traffic, that is a warning: so a rollback is never refused for them.
    """
    text = annotations.get(ANNOTATION_TRAFFIC_PERCENT)
    if text is None:
        return NONE
    try:
        hundredths = parse_percents(text)
    except ValueError as error:
        return invalid_value(text, ANNOTATION_TRAFFIC_PERCENT, str(error))
    if (summed := total(hundredths)) != str(WHOLE):
        why = f"Traffic targets sum to {summed}, want {WHOLE}"
        return generic(why, ANNOTATION_TRAFFIC_PERCENT)
    percents: dict[str, int] = {}
    for target in traffic:
        if target.percent:
            name = target.revision_name or LATEST
            percents[name] = percents.get(name, 0) + target.percent
    if why := why_unfit(hundredths, percents):
        effect = "the whole percents of spec.traffic are in force"
        return warning(f"{effect}, as {why}", ANNOTATION_TRAFFIC_PERCENT)
    return NONE


def _validate_name(name: str, field: str) -> Errors:
    problems = qualified_name_problems(name)
    return invalid_key_name(name, field, ", ".join(problems)) if problems else NONE


def _validate_target(target: TrafficTarget) -> Errors:
    errors = NONE
    latest = target.latest_revision
    if latest is not None and latest == bool(target.revision_name):
        name, sense = quoted(target.revision_name), "true" if latest else "false"
        errors += generic(
            f"may not set revisionName {name} when latestRevision is {sense}", "latestRevision"
        )
    if target.percent is not None and not 0 <= target.percent <= WHOLE:
        errors += out_of_bounds(target.percent, 0, WHOLE, "percent")
    if target.url:
        errors += disallowed_fields("url")
    return errors


def _validate_list(traffic: Sequence[TrafficTarget]) -> Errors:
    """Return what is wrong with the targets together: their tags and their sum."""
    errors = NONE
    tagged: dict[str, int] = {}
    for index, target in enumerate(traffic):
        if not target.tag:
            continue
        if problems := dns_1035_label_problems(target.tag):
            errors += invalid_array_value(f"not a DNS 1035 label: {listed(problems)}", "tag", index)
        first = tagged.setdefault(target.tag, index)
        if first != index:
            errors += generic(
                f"Multiple definitions for {quoted(target.tag)}",
                f"[{index}].tag",
                f"[{first}].tag",
            )
    total = sum(target.percent or 0 for target in traffic)
    if total != WHOLE:
        errors += generic(f"Traffic targets sum to {total}, want {WHOLE}", CURRENT_FIELD)
    return errors
