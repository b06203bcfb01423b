"""Which durations share a bucket: four buckets for each power of two of microseconds. Pure.

A bucket holds the durations above its lower edge, up to and including its upper one, so that an
upper edge is an exact `le` of Prometheus. Edges up to 8 µs are 1 µs apart; after that a bucket is
at most a quarter wider than its lower edge, so that its middle is off by at most 12.5 %. The
last bucket takes everything beyond 2 ** 30 µs (18 minutes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BUCKETS: Final = 117
EXACT: Final = 8  # durations up to so many µs have a bucket each
HIGHEST_US: Final = 1 << 30


def bucket_of(duration_us: int) -> int:
    """Return the index of the bucket that counts this duration; a negative one counts as 0."""
    value = duration_us - 1
    if value < EXACT:
        return max(value, 0)
    shift = value.bit_length() - 3
    return min(shift * 4 + (value >> shift), BUCKETS - 1)


def upper_edge_us(bucket: int) -> int:
    """Return the longest duration of a bucket; of the last one, where it begins."""
    if bucket < EXACT:
        return bucket + 1
    if bucket >= BUCKETS - 1:
        return HIGHEST_US
    return (bucket % 4 + 5) << (bucket // 4 - 1)


def lower_edge_us(bucket: int) -> int:
    """Return the duration that a bucket's durations are above."""
    return upper_edge_us(bucket - 1) if bucket else 0


def quantile_us(counts: Sequence[int], fraction: float) -> int:
    """Return the middle of the bucket in which this fraction of durations ends; 0 when empty."""
    total = sum(counts)
    if not total:
        return 0
    rank = max(1, min(total, -int(-fraction * total // 1)))
    seen = 0
    for bucket, count in enumerate(counts):
        seen += count
        if seen >= rank:
            return (lower_edge_us(bucket) + 1 + upper_edge_us(bucket)) // 2
    raise AssertionError("the rank is within the total")


def merged(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """Return the counts of both."""
    return [a + b for a, b in zip(one, other, strict=True)]
