"""Latencies in microseconds to three digits, from 1 µs to 2 minutes, in memory that never grows.

The buckets are HdrHistogram's (hdrhistogram.org): exact up to 2,048, then 1,024 for each power of
two, so that no value is off by more than one in 1,024. Its Python package has no wheel for Linux on
ARM, and knary must install without a compiler.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from simulator.load.ranks import percentile_ranks

LOWEST_US, HIGHEST_US = 1, 120_000_000
PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)

EXACT_BITS = 11  # values below 2 ** 11 have a bucket each
_HALF = 1 << (EXACT_BITS - 1)


def bucket_of(microseconds: int) -> int:
    """Return the index of the bucket that counts this value."""
    shift = max(0, microseconds.bit_length() - EXACT_BITS)
    return shift * _HALF + (microseconds >> shift)


def highest_in(bucket: int) -> int:
    """Return the greatest value that this bucket counts, as HdrHistogram reports it."""
    shift = max(0, bucket // _HALF - 1)
    return ((bucket - shift * _HALF + 1) << shift) - 1


BUCKETS = bucket_of(HIGHEST_US) + 1


class Counts(Struct, frozen=True):
    """All that a histogram knows, small enough for a pipe: buckets that counted, and how often."""

    buckets: list[int]
    counts: list[int]
    sum_us: int
    least_us: int
    most_us: int


class Latencies:
    """Counts durations; a value out of range counts as the range's end and is never dropped."""

    def __init__(self) -> None:
        self._counts = [0] * BUCKETS
        self._sum_us = 0
        self._least_us = HIGHEST_US
        self._most_us = LOWEST_US
        self.count = 0

    def record(self, duration_s: float) -> None:
        """Count one duration, given in seconds."""
        microseconds = min(max(int(duration_s * 1e6 + 0.5), LOWEST_US), HIGHEST_US)
        self._counts[bucket_of(microseconds)] += 1
        self._sum_us += microseconds
        self._least_us = min(self._least_us, microseconds)
        self._most_us = max(self._most_us, microseconds)
        self.count += 1

    def add(self, other: Latencies) -> None:
        """Count everything that `other` counted as well."""
        self._counts = np.add(self._counts, other._counts).tolist()
        self._sum_us += other._sum_us
        self._least_us = min(self._least_us, other._least_us)
        self._most_us = max(self._most_us, other._most_us)
        self.count += other.count

    def to_counts(self) -> Counts:
        """Return everything that was counted; `from_counts` makes an equal histogram of it."""
        used = np.flatnonzero(np.array(self._counts)).tolist()
        counts = [self._counts[bucket] for bucket in used]
        return Counts(used, counts, self._sum_us, self._least_us, self._most_us)

    @classmethod
    def from_counts(cls, told: Counts) -> Latencies:
        """Return the histogram that `to_counts` told of."""
        latencies = cls()
        for bucket, count in zip(told.buckets, told.counts, strict=True):
            latencies._counts[bucket] = count
        latencies._sum_us, latencies.count = told.sum_us, sum(told.counts)
        latencies._least_us, latencies._most_us = told.least_us, told.most_us
        return latencies

    def at(self, percentile: float) -> int:
        """Return the microseconds that this percentage of durations is within; 0 when empty."""
        return self._at([percentile])[0]

    def intervals(self) -> dict[str, tuple[int | None, int | None]]:
        """Return, for p50 … p99.99, what holds the percentile of what the values were drawn from.

        Each with `ranks.CONFIDENCE`, if the values are independent; None for no bound on that side.
        """
        return {
            f"p{percent:g}": (self._ranked(low), self._ranked(high))
            for percent in PERCENTILES
            for low, high in [percentile_ranks(self.count, percent)]
        }

    def to_dict(self) -> dict[str, int | float]:
        """Return count, min, mean, p50 … p99.99 and max, in microseconds; only count when empty."""
        if not self.count:
            return {"count": 0}
        summary: dict[str, int | float] = {
            "count": self.count,
            "min": self._least_us,
            "mean": round(self._sum_us / self.count, 1),
        }
        for percentile, value in zip(PERCENTILES, self._at(PERCENTILES), strict=True):
            summary[f"p{percentile:g}"] = value
        summary["max"] = self._most_us
        return summary

    def _at(self, percentiles: tuple[float, ...] | list[float]) -> list[int]:
        if not self.count:
            return [0] * len(percentiles)
        ranks = [max(1, math.ceil(percent / 100 * self.count)) for percent in percentiles]
        buckets = np.searchsorted(np.cumsum(self._counts), ranks)
        return [min(highest_in(int(bucket)), self._most_us) for bucket in buckets]

    def _ranked(self, rank: int | None) -> int | None:
        return None if rank is None else self._at([100 * (rank - 0.5) / self.count])[0]
