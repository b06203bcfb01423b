"""The rules of the `autoscaling.knative.dev/` annotations.

Knary does not scale by itself yet, but takes and refuses what a cluster does.
Source: knative/serving `pkg/apis/autoscaling/{annotation_validation,register}.go`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulator.admission.fielderrors import (
    CURRENT_FIELD,
    NONE,
    Errors,
    generic,
    invalid_key_name,
    invalid_value,
    out_of_bounds,
)
from simulator.admission.settings import Defaults
from simulator.resources.durations import (
    HOUR,
    SECOND,
    format_duration,
    is_whole_seconds,
    parse_duration,
)

GROUP = "autoscaling.knative.dev"
KPA, HPA = f"kpa.{GROUP}", f"hpa.{GROUP}"
INT32_MAX = 2**31 - 1
WINDOW_MIN, WINDOW_MAX = 6 * SECOND, HOUR
TARGET_MIN = 0.01
INTEGER_DIGITS_MAX = 64

_NO_FINER = "must be specified with at most second precision"
_MISPLACED = (
    'autoscaling annotations must be put under "spec.template.metadata.annotations" to work'
)

_integer = re.compile(r"[+-]?[0-9]+", re.ASCII)
# What Go's ParseFloat takes; Python's float also takes blanks, other digits and "infinity".
_number = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?inf(inity)?|nan",
    re.ASCII | re.IGNORECASE,
)

Annotations = Mapping[str, str]


def validate_no_autoscaling(annotations: Annotations) -> Errors:
    """Return the refusal of autoscaling annotations where they have no effect."""
    errors = NONE
    for key in annotations:
        if key.startswith(GROUP):
            errors += invalid_key_name(key, CURRENT_FIELD, _MISPLACED)
    return errors


def validate_autoscaling(annotations: Annotations, defaults: Defaults) -> Errors:
    """Return what is wrong with a revision's autoscaling annotations; paths are their keys."""
    return (
        _validate_class(annotations)
        + _validate_scale_bounds(annotations, defaults)
        + _validate_numbers(annotations)
        + _validate_durations(annotations)
        + _validate_metric(annotations, defaults)
        + _validate_algorithm(annotations)
        + _validate_initial_scale(annotations, defaults)
    )


def find_annotation(annotations: Annotations, *keys: str) -> tuple[str, str] | None:
    """Return the first of the keys that is set, with its value: newer spellings come first."""
    for key in keys:
        if key in annotations:
            return key, annotations[key]
    return None


def _find(annotations: Annotations, name: str) -> tuple[str, str] | None:
    """Return the annotation by its name in dashes, or by its older camelCase alias."""
    head, *rest = name.split("-")
    alias = head + "".join(word.capitalize() for word in rest)
    return find_annotation(annotations, f"{GROUP}/{name}", f"{GROUP}/{alias}")


def _int32(text: str) -> int | None:
    """Return the number, or None when it is none or has more than 32 bits."""
    if not _integer.fullmatch(text) or len(text) > INTEGER_DIGITS_MAX:
        return None
    number = int(text)
    return number if -INT32_MAX - 1 <= number <= INT32_MAX else None


def _float(text: str) -> float | None:
    return float(text) if _number.fullmatch(text) else None


def _validate_class(annotations: Annotations) -> Errors:
    found = _find(annotations, "class")
    if found and found[1].endswith(".knative.dev") and found[1] not in (KPA, HPA):
        return invalid_value(found[1], found[0])
    return NONE


def _scale(annotations: Annotations, name: str) -> tuple[int, Errors]:
    """Return the bound, 0 when it is absent or wrong, and what is wrong with it."""
    found = _find(annotations, name)
    if found is None:
        return 0, NONE
    key, text = found
    number = _int32(text)
    if number is not None and number >= 0:
        return number, NONE
    if number is None and not _integer.fullmatch(text):
        return 0, invalid_value(text, key)
    return 0, out_of_bounds(text, 0, INT32_MAX, key)


def _validate_scale_bounds(annotations: Annotations, defaults: Defaults) -> Errors:
    least, errors = _scale(annotations, "min-scale")
    most, more = _scale(annotations, "max-scale")
    errors += more
    if most != 0 and most < least:
        errors += generic(
            f"max-scale={most} is less than min-scale={least}",
            f"{GROUP}/max-scale",
            f"{GROUP}/min-scale",
        )
    found = _find(annotations, "max-scale")
    limit = defaults.max_scale_limit
    if found and limit and most > limit:
        errors += out_of_bounds(most, 1, limit, found[0])
    if found and limit and most == 0:
        errors += generic(f"max-scale=0 (unlimited), must be less than {limit}", found[0])
    return errors + _validate_activation_scale(annotations, least, most)


def _validate_activation_scale(annotations: Annotations, least: int, most: int) -> Errors:
    found = find_annotation(annotations, f"{GROUP}/activation-scale")
    if found is None:
        return NONE
    key, text = found
    number = _int32(text)
    if number is None:
        return invalid_value(text, key)
    if least > number:
        return generic(f"min-scale={least} is greater than activation-scale={number}", key)
    if most != 0 and most < number:
        return generic(f"max-scale={most} is less than activation-scale={number}", key)
    if number < 2:
        return generic(f"activation-scale={number} must be greater than 1", key)
    return NONE


def _validate_percentage(annotations: Annotations, name: str, lower: int, upper: int) -> Errors:
    found = _find(annotations, name)
    if found is None:
        return NONE
    key, text = found
    number = _float(text)
    if number is None:
        return invalid_value(text, key)
    # A NaN is not outside the bounds either: Knative lets it pass, and so do we.
    if number < lower or number > upper:
        return out_of_bounds(text, lower, upper, key)
    return NONE


def _validate_numbers(annotations: Annotations) -> Errors:
    errors = _validate_percentage(annotations, "panic-window-percentage", 1, 100)
    errors += _validate_percentage(annotations, "panic-threshold-percentage", 110, 1000)
    if found := _find(annotations, "target"):
        number = _float(found[1])
        if number is None:
            errors += invalid_value(found[1], found[0])
        elif number < TARGET_MIN:
            errors += generic(f"target {found[1]} should be at least {TARGET_MIN}", found[0])
    errors += _validate_percentage(annotations, "target-utilization-percentage", 1, 100)
    if found := _find(annotations, "target-burst-capacity"):
        number = _float(found[1])
        if number is None or (number < 0 and number != -1):
            errors += invalid_value(found[1], found[0])
    return errors


def _validate_durations(annotations: Annotations) -> Errors:
    errors = _validate_duration(_find(annotations, "window"), WINDOW_MIN)
    retention = _find(annotations, "scale-to-zero-pod-retention-period")
    errors += tuple(
        error for error in _validate_duration(retention, 0) if error.message != _NO_FINER
    )
    return errors + _validate_duration(_find(annotations, "scale-down-delay"), 0)


def _validate_duration(found: tuple[str, str] | None, lower: int) -> Errors:
    if found is None:
        return NONE
    key, text = found
    try:
        duration = parse_duration(text)
    except ValueError:
        return invalid_value(text, key)
    if not lower <= duration <= WINDOW_MAX:
        return out_of_bounds(text, format_duration(lower), format_duration(WINDOW_MAX), key)
    return NONE if is_whole_seconds(duration) else generic(_NO_FINER, key)


def _validate_metric(annotations: Annotations, defaults: Defaults) -> Errors:
    found = _find(annotations, "metric")
    if found is None:
        return NONE
    class_ = _find(annotations, "class")
    autoscaler = class_[1] if class_ else defaults.pod_autoscaler_class
    known = {KPA: found[1] in ("concurrency", "rps"), HPA: found[1] != ""}
    return NONE if known.get(autoscaler, True) else invalid_value(found[1], found[0])


def _validate_algorithm(annotations: Annotations) -> Errors:
    class_ = _find(annotations, "class")
    found = _find(annotations, "metric-aggregation-algorithm")
    if class_ is None or class_[1] != KPA or found is None:
        return NONE
    known = ("", "linear", "weighted-exponential", "weightedExponential")
    return NONE if found[1] in known else invalid_value(found[1], found[0])


def _validate_initial_scale(annotations: Annotations, defaults: Defaults) -> Errors:
    found = _find(annotations, "initial-scale")
    if found is None:
        return NONE
    key, text = found
    if not _integer.fullmatch(text) or len(text) > INTEGER_DIGITS_MAX:
        return invalid_value(text, key)
    number = int(text)
    if number < 0:
        return invalid_value(text, f"{key} must be greater than 0")
    if number == 0 and not defaults.allow_zero_initial_scale:
        return invalid_value(text, f"{key}=0 not allowed by cluster")
    return NONE
