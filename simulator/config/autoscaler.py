"""`config-autoscaler`: how many replicas, as far as there is no autoscaler; and its own numbers.

Source: knative/serving `pkg/autoscaler/config/config.go`; stock values of 1.23.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from simulator.config.parsing import (
    INT32,
    ConfigError,
    boolean_of,
    duration_of,
    float_of,
    integer_of,
    shown,
    text_of,
)
from simulator.resources.durations import HOUR, SECOND, format_duration

_TARGET_MIN = 0.01
_WINDOW_MIN, _WINDOW_MAX = 6 * SECOND, HOUR
_PERCENTS = (1.0, 100.0)


class AutoscalerConfig(Struct, frozen=True):
    """What has an effect, here or at admission. Names are the map's keys; 0 is no limit."""

    pod_autoscaler_class: str = "kpa.autoscaling.knative.dev"
    allow_zero_initial_scale: bool = False
    initial_scale: int = 1
    min_scale: int = 0
    max_scale: int = 0
    max_scale_limit: int = 0


def read_autoscaler(data: Mapping[str, str]) -> AutoscalerConfig:
    """Return what the map says. Raise ConfigError."""
    try:
        found = _parse(data)
        numbers = _numbers(data)
        durations = _durations(data)
    except ConfigError as error:
        raise ConfigError(f"failed to parse data: {error}") from error
    _check_durations(durations)
    _check_numbers(numbers)
    _check_window(durations["stable-window"], numbers["panic-window-percentage"])
    _check_scales(found)
    return found


def _parse(data: Mapping[str, str]) -> AutoscalerConfig:
    stock = AutoscalerConfig()

    def scale(key: str, default: int) -> int:
        return integer_of(data, key, default, INT32)

    boolean_of(data, "enable-scale-to-zero", default=True)
    return AutoscalerConfig(
        pod_autoscaler_class=text_of(data, "pod-autoscaler-class", stock.pod_autoscaler_class),
        allow_zero_initial_scale=boolean_of(
            data, "allow-zero-initial-scale", default=stock.allow_zero_initial_scale
        ),
        initial_scale=scale("initial-scale", stock.initial_scale),
        min_scale=scale("min-scale", stock.min_scale),
        max_scale=scale("max-scale", stock.max_scale),
        max_scale_limit=scale("max-scale-limit", stock.max_scale_limit),
    )


def _numbers(data: Mapping[str, str]) -> dict[str, float]:
    stock = {
        "max-scale-up-rate": 1000.0,
        "max-scale-down-rate": 2.0,
        "container-concurrency-target-percentage": 0.7,
        "container-concurrency-target-default": 100.0,
        "requests-per-second-target-default": 200.0,
        "target-burst-capacity": 211.0,
        "panic-window-percentage": 10.0,
        "activator-capacity": 100.0,
        "panic-threshold-percentage": 200.0,
    }
    return {key: float_of(data, key, default) for key, default in stock.items()}


def _durations(data: Mapping[str, str]) -> dict[str, int]:
    stock = {
        "stable-window": 60 * SECOND,
        "scale-down-delay": 0,
        "scale-to-zero-grace-period": 30 * SECOND,
        "scale-to-zero-pod-retention-period": 0,
    }
    return {key: duration_of(data, key, default) for key, default in stock.items()}


def _check_durations(durations: Mapping[str, int]) -> None:
    said = {key: format_duration(value) for key, value in durations.items()}
    grace, delay, retention = (
        "scale-to-zero-grace-period",
        "scale-down-delay",
        "scale-to-zero-pod-retention-period",
    )
    if durations[grace] <= 0:
        raise ConfigError(f"{grace} must be positive, was: {said[grace]}")
    if durations[delay] < 0:
        raise ConfigError(f"{delay} cannot be negative, was: {said[delay]}")
    if durations[delay] % SECOND:
        raise ConfigError(
            f"{delay} = {said[delay]}, must be specified with at most second precision"
        )
    if durations[retention] < 0:
        raise ConfigError(f"{retention} cannot be negative, was: {said[retention]}")


def _check_numbers(numbers: Mapping[str, float]) -> None:
    burst = numbers["target-burst-capacity"]
    if burst < 0 and burst != -1:
        raise ConfigError(
            "target-burst-capacity must be either non-negative or -1 (for unlimited),"
            f" was: {burst:f}"
        )
    # A percentage; of one in (0, 1] it was a fraction once, and may be still.
    fraction = numbers["container-concurrency-target-percentage"]
    fraction = fraction / 100.0 if fraction > 1.0 else fraction
    if not 0 < fraction <= 1:
        raise ConfigError(
            f"container-concurrency-target-percentage = {fraction:f}"
            " is outside of valid range of (0, 100]"
        )
    if (target := fraction * numbers["container-concurrency-target-default"]) < _TARGET_MIN:
        raise ConfigError(
            "container-concurrency-target-percentage and container-concurrency-target-default"
            f" yield target concurrency of {shown(target)}, can't be less than {_TARGET_MIN}"
        )
    if (rate := numbers["requests-per-second-target-default"]) < _TARGET_MIN:
        raise ConfigError(
            f"requests-per-second-target-default must be at least {_TARGET_MIN}, was: {shown(rate)}"
        )
    if (capacity := numbers["activator-capacity"]) < 1:
        raise ConfigError(f"activator-capacity = {shown(capacity)}, must be at least 1")
    for key in ("max-scale-up-rate", "max-scale-down-rate"):
        if numbers[key] <= 1.0:
            raise ConfigError(f"{key} = {shown(numbers[key])}, must be greater than 1.0")


def _check_window(window_ns: int, panic_percent: float) -> None:
    said = format_duration(window_ns)
    if not _WINDOW_MIN <= window_ns <= _WINDOW_MAX:
        bounds = f"[{format_duration(_WINDOW_MIN)}; {format_duration(_WINDOW_MAX)}]"
        raise ConfigError(f"stable-window = {said}, must be in {bounds} range")
    if window_ns % SECOND:
        raise ConfigError(
            f"stable-window = {said}, must be specified with at most second precision"
        )
    least, most = _PERCENTS
    if not least <= panic_percent <= most:
        raise ConfigError(
            f"panic-window-percentage = {shown(panic_percent)}, must be in"
            f" [{shown(least)}, {shown(most)}] interval"
        )


def _check_scales(found: AutoscalerConfig) -> None:
    initial, limit = found.initial_scale, found.max_scale_limit
    if initial < 0 or (initial == 0 and not found.allow_zero_initial_scale):
        raise ConfigError(
            f"initial-scale = {initial}, must be at least 0"
            " (or at least 1 when allow-zero-initial-scale is false)"
        )
    if found.min_scale < 0:
        raise ConfigError(f"min-scale = {found.min_scale}, must be at least 0")
    least = 1 if limit > 0 else 0  # with a limit, no limit is no choice
    if found.max_scale < least or (limit > 0 and found.max_scale > limit):
        raise ConfigError(
            f"max-scale = {found.max_scale}, must be in [{least}, max-scale-limit({limit})] range"
        )
    if limit < 0:
        raise ConfigError(f"max-scale-limit = {limit}, must be at least 0")
    if 0 < found.max_scale < found.min_scale:
        raise ConfigError(
            f"min-scale ({found.min_scale}) must be less than max-scale ({found.max_scale})"
        )
