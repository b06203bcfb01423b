"""`config-gc`: which revisions that get no traffic are kept.

Source: knative/serving `pkg/gc/config.go`; stock values of 1.23.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from simulator.config.parsing import (
    INT64,
    ConfigError,
    integer_of,
    text_of,
    why_no_duration,
)
from simulator.resources.durations import SECOND, parse_duration
from simulator.resources.wording import quoted

DISABLED = "disabled"

_MIN, _MAX = "min-non-active-revisions", "max-non-active-revisions"


class RevisionGcConfig(Struct, frozen=True):
    """Names are the map's keys, times in seconds; None is `disabled`."""

    retain_since_create_time_s: float | None = 48 * 3600.0
    retain_since_last_active_time_s: float | None = 15 * 3600.0
    min_non_active_revisions: int = 20
    max_non_active_revisions: int | None = 1000

    @property
    def is_disabled(self) -> bool:
        """Tell whether nothing is ever deleted."""
        return self.max_non_active_revisions is None and not self.knows_staleness

    @property
    def knows_staleness(self) -> bool:
        """Tell whether a revision can be too old at all."""
        times = (self.retain_since_create_time_s, self.retain_since_last_active_time_s)
        return times != (None, None)


def read_revision_gc(data: Mapping[str, str]) -> RevisionGcConfig:
    """Return what the map says. Raise ConfigError."""
    stock = RevisionGcConfig()
    try:
        least = integer_of(data, _MIN, stock.min_non_active_revisions)
    except ConfigError as error:
        raise ConfigError(f"failed to parse data: {error}") from error
    most = _count(data, stock.max_non_active_revisions)
    found = RevisionGcConfig(
        retain_since_create_time_s=_seconds(
            data, "retain-since-create-time", stock.retain_since_create_time_s
        ),
        retain_since_last_active_time_s=_seconds(
            data, "retain-since-last-active-time", stock.retain_since_last_active_time_s
        ),
        min_non_active_revisions=least,
        max_non_active_revisions=most,
    )
    if least < 0:
        raise ConfigError(f"{_MIN} must be non-negative, was: {least}")
    if most is not None and least > most:
        raise ConfigError(f"{_MIN}({least}) must be <= {_MAX}({most})")
    return found


def _seconds(data: Mapping[str, str], key: str, stock: float | None) -> float | None:
    text = text_of(data, key, "")
    if not text:
        return stock
    if text.lower() == DISABLED:
        return None
    try:
        duration_ns = parse_duration(text)
    except ValueError as error:
        raise ConfigError(f"failed to parse {key}: {why_no_duration(text)}") from error
    if duration_ns < 0:
        raise ConfigError(f"failed to parse {key}: must be non-negative")
    return duration_ns / SECOND


def _count(data: Mapping[str, str], stock: int | None) -> int | None:
    text = text_of(data, _MAX, "")
    if not text:
        return stock
    if text.lower() == DISABLED:
        return None
    if not (text.isascii() and text.isdigit()):
        parsing = f"strconv.ParseUint: parsing {quoted(text)}: invalid syntax"
        raise ConfigError(f"failed to parse {_MAX}: {parsing}")
    if (number := int(text)) not in INT64:
        raise ConfigError(f"failed to parse {_MAX}: value should be lower than {INT64.stop - 1}")
    return number
