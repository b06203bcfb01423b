"""When requests are due: pure sequences of moments, in seconds since the load began."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from msgspec import Struct


class ConstantRate(Struct, frozen=True, tag="constant"):
    """A request each 1/`rate_per_s`, for `duration_s`, or until stopped when that is None."""

    rate_per_s: float
    duration_s: float | None = None


class AsFastAsPossible(Struct, frozen=True, tag="closed"):
    """`count` requests over `connections` at once: the next one leaves when an answer came.

    A closed loop: its latencies count from the moment of sending, for nothing was planned.
    """

    count: int
    connections: int = 1


Schedule = ConstantRate | AsFastAsPossible


def planned_count(schedule: Schedule) -> int | None:
    """Return how many requests the schedule asks for; None when it goes on until stopped."""
    if isinstance(schedule, AsFastAsPossible):
        return schedule.count
    if schedule.duration_s is None:
        return None
    # 200 per second for 0.1 s are 20 requests, whatever 200 * 0.1 is in binary.
    return math.ceil(round(schedule.rate_per_s * schedule.duration_s, 6))


def moments(schedule: ConstantRate) -> Iterator[float]:
    """Yield the planned moments. Each is computed from its index, so that no error adds up."""
    count = planned_count(schedule)
    indexes = itertools.count() if count is None else range(count)
    return (index / schedule.rate_per_s for index in indexes)
