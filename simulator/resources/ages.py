"""How long ago, in kubectl's words. Source: apimachinery pkg/util/duration/duration.go."""

from __future__ import annotations

from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_YEAR = 365 * _DAY


def age(timestamp: str | None, now: datetime) -> str:
    """Return the age of an RFC 3339 time: "5m30s"; "<unknown>" when there is none."""
    seconds = _seconds_since(timestamp, now)
    return "<unknown>" if seconds is None else human_duration(seconds)


def short_age(timestamp: str | None, now: datetime) -> str:
    """Return the age in one unit: "5m"; "" when there is none."""
    seconds = _seconds_since(timestamp, now)
    return "" if seconds is None else short_duration(seconds)


def human_duration(seconds: int) -> str:
    """Return the duration in one or two units, fewer the longer it is (HumanDuration)."""
    if seconds < -1:
        return "<invalid>"
    if seconds < 2 * _MINUTE:
        return f"{max(0, seconds)}s"
    minutes = seconds // _MINUTE
    if minutes < 10:
        return _two(minutes, "m", seconds % _MINUTE, "s")
    if minutes < 180:
        return f"{minutes}m"
    hours = seconds // _HOUR
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = seconds // _DAY
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    years = seconds // _YEAR
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def short_duration(seconds: int) -> str:
    """Return the duration in its largest unit (ShortHumanDuration)."""
    if seconds < -1:
        return "<invalid>"
    for size, unit in ((_YEAR, "y"), (_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(0, seconds)}s"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}" + (f"{small}{small_unit}" if small else "")


def _seconds_since(timestamp: str | None, now: datetime) -> int | None:
    if not timestamp:
        return None
    try:
        then = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    except ValueError:
        return None
    return int((now - then).total_seconds())
