"""Which way a number is better, by its name: times and errors down, throughput up. Pure."""

from __future__ import annotations

from benchmarks.harness.documents.envelope import Better

HIGHER = ("requests_per_s", "rate_per_s", "picks_per_s")
# Counts and descriptions: more of them is neither good nor bad.
NEITHER = ("requests", "picks", "share_percent", "busy_percent", "count", "elapsed_s")
LOWER = (
    *("_us", "_ns", "_ms", "_s", "_bytes", "_error_percent", "_lag_requests", "_us_per_request"),
    *("failed", "errors", "failed_percent", "error_rate", "late_percent"),
)


def better(name: str) -> Better:
    """Return the direction of a metric: "lower", "higher", or "" when it has none or is unknown."""
    if name in HIGHER or name.endswith("_per_s"):
        return "higher"
    if name in NEITHER:
        return ""
    return "lower" if name.endswith(LOWER) else ""
