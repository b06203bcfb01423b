"""`config-leader-election` and `config-logging`: about Knative's own components, of which there are
none here. They are checked as Knative checks them, and change nothing.

Source: knative/pkg `leaderelection/config.go`, `logging/config.go`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from simulator.config.parsing import UINT32, ConfigError, duration_of, first_of, integer_of

BUCKETS_MAX = 10

# zap's levels; it takes their names in small or in capital letters.
_LEVELS = ("debug", "info", "warn", "warning", "error", "dpanic", "panic", "fatal")
_LEVEL_PREFIX = "loglevel."


class NoConfig(Struct, frozen=True):
    """Nothing that anybody reads."""


def check_leader_election(data: Mapping[str, str]) -> NoConfig:
    """Return nothing. Raise ConfigError when Knative would refuse the map."""
    for old, key in (
        ("leaseDuration", "lease-duration"),
        ("renewDeadline", "renew-deadline"),
        ("retryPeriod", "retry-period"),
    ):
        duration_of(first_of(data, old, key), key, 0)
    buckets = integer_of(data, "buckets", 1, UINT32)
    if not 1 <= buckets <= BUCKETS_MAX:
        raise ConfigError(f"buckets: value must be between 1 <= {buckets} <= {BUCKETS_MAX}")
    return NoConfig()


def check_logging(data: Mapping[str, str]) -> NoConfig:
    """Return nothing. Raise ConfigError when Knative would refuse the map."""
    for key, level in data.items():
        if not key.startswith(_LEVEL_PREFIX) or key == _LEVEL_PREFIX or not level:
            continue
        if level not in (*_LEVELS, *(one.upper() for one in _LEVELS)):
            raise ConfigError(f"invalid logging level: {level}")
    return NoConfig()
