"""What a driver counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """What a driver counted. `cpu_s` is what the driver itself used."""

    requests: int
    elapsed_s: float
    p50_us: float = 0.0
    p99_us: float = 0.0
    cpu_s: float = 0.0


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile: a value that was measured, never one in between."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
