"""Latencies in microseconds, kept by an HdrHistogram to three digits, from 1 µs to 2 minutes."""

from __future__ import annotations

from typing import Any

from hdrh.histogram import HdrHistogram

LOWEST_US, HIGHEST_US, DIGITS = 1, 120_000_000, 3
PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99)


class Latencies:
    """Counts durations; a value out of range counts as the range's end and is never dropped."""

    def __init__(self) -> None:
        self._histogram: Any = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)

    @property
    def count(self) -> int:
        return int(self._histogram.get_total_count())

    def record(self, duration_s: float) -> None:
        """Count one duration, given in seconds."""
        microseconds = int(duration_s * 1e6 + 0.5)
        self._histogram.record_value(min(max(microseconds, LOWEST_US), HIGHEST_US))

    def add(self, other: Latencies) -> None:
        """Count everything that `other` counted as well."""
        self._histogram.add(other._histogram)

    def at(self, percentile: float) -> int:
        """Return the microseconds that this percentage of durations is within; 0 when empty."""
        return int(self._histogram.get_value_at_percentile(percentile)) if self.count else 0

    def to_dict(self) -> dict[str, int | float]:
        """Return count, min, mean, p50 … p99.99 and max, in microseconds; only count when empty."""
        if not self.count:
            return {"count": 0}
        histogram = self._histogram
        summary: dict[str, int | float] = {
            "count": self.count,
            "min": int(histogram.get_min_value()),
            "mean": round(float(histogram.get_mean_value()), 1),
        }
        values = histogram.get_percentile_to_value_dict(list(PERCENTILES))
        summary |= {f"p{percentile:g}": int(values[percentile]) for percentile in PERCENTILES}
        summary["max"] = int(histogram.get_max_value())
        return summary
