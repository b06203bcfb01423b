"""Go's durations: the syntax of Knative's rollout-duration, progress-deadline and windows.

Source: Go `time.ParseDuration` and `Duration.String`. A duration is an int of nanoseconds.
"""

from __future__ import annotations

import re

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_NANOSECONDS = {
    "ns": 1,
    "us": MICROSECOND,
    "µs": MICROSECOND,
    "μs": MICROSECOND,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
_DIGITS_MAX = 40  # an int64 of nanoseconds has 19; more than this is no number anyone meant
_LARGEST = 2**63 - 1

_part = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def parse_duration(text: str) -> int:
    """Return the nanoseconds of "1h30m", "1.5s", "-2s" or "0". Raise ValueError otherwise."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    total, position = 0, 0
    while position < len(body):
        match = _part.match(body, position)
        if match is None or not (match[1] or match[2]):
            raise ValueError(f"invalid duration: {text}")
        whole, fraction = match[1], match[2] or ""
        if len(whole) + len(fraction) > _DIGITS_MAX:
            raise ValueError(f"invalid duration: {text}")
        unit = _NANOSECONDS[match[3]]
        total += int(whole or 0) * unit
        total += int(fraction or 0) * unit // 10 ** len(fraction)
        position = match.end()
    if not body or total > _LARGEST:
        raise ValueError(f"invalid duration: {text}")
    return -total if text[0] == "-" else total


def format_duration(nanoseconds: int) -> str:
    """Return the duration as Go prints it: "1h0m0s", "6s", "1.5s", "20ms", "0s"."""
    if nanoseconds == 0:
        return "0s"
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    for unit, size in (("ns", 1), ("µs", MICROSECOND), ("ms", MILLISECOND)):
        if rest < size * 1000:
            return f"{sign}{_decimal(rest, size)}{unit}"
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{_decimal(rest, SECOND)}s"


def is_whole_seconds(nanoseconds: int) -> bool:
    """Tell whether nothing is lost at second precision."""
    return nanoseconds % SECOND == 0


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    return f"{whole}.{str(rest).zfill(len(str(unit)) - 1).rstrip('0')}"
