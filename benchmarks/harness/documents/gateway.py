"""What `knary bench gateway` found: the schema knary.bench.gateway/v1. Plain data.

A number's unit is the end of its name: `p99_us`, `p99.9_us`, `cpu_us_per_request`,
`split_error_percent`, `memory_bytes`, `requests_per_s`; a name without a unit counts things
(`requests`, `failed`). What could not be measured is left out, never 0.
"""

from __future__ import annotations

from msgspec import Struct, field

from benchmarks.harness.intervals import Verdict

SCHEMA = "knary.bench.gateway/v1"

Metrics = dict[str, float]


class Gateway(Struct, frozen=True):
    """One of the gateways that were measured: the subject first, its peers after it.

    `version` is as it says itself, "" when it does not; `splitter` and `shares` (parts of 1, by
    revision) are what it was told, or what its first answers said.
    """

    name: str
    version: str = ""
    address: str = ""
    splitter: str = ""
    workers: int = 1
    shares: dict[str, float] = field(default_factory=dict)


class Slice(Struct, frozen=True):
    """A part of a turn, by the moment for which its requests were planned.

    `split_lag_requests` is the greatest |count - share * n| of any revision over the n requests
    up to the slice's end, and `split_bound_requests` what it may be; None where nothing bounds it.
    """

    begin_s: float
    end_s: float
    requests: int
    failed: int
    revisions: dict[str, int]
    latency_us: Metrics
    split_lag_requests: float | None = None
    split_bound_requests: float | None = None


class Sample(Struct, frozen=True):
    """One turn of one gateway: the raw data. A turn whose generator fell behind is void.

    `metrics` are of all requests, `revisions` those of each revision that answered, `errors` the
    failed requests by kind. `begin_s` counts from the first turn.
    """

    pair: int
    gateway: str
    begin_s: float
    metrics: Metrics
    revisions: dict[str, Metrics] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    slices: tuple[Slice, ...] = ()
    void: str = ""  # why it does not count


class Comparison(Struct, frozen=True):
    """The subject beside one peer in one metric: `ratios` are subject / peer, pair by pair.

    `low` and `high` hold the ratios' true median with at least `confidence`; None when there are
    too few pairs for that.
    """

    metric: str
    peer: str
    verdict: Verdict
    median: float
    low: float | None
    high: float | None
    confidence: float
    ratios: tuple[float, ...]


class GatewayResult(Struct, frozen=True):
    """What only this kind of run has; its medians and their noise are the document's measures."""

    gateways: tuple[Gateway, ...]
    samples: tuple[Sample, ...]
    comparisons: tuple[Comparison, ...] = ()
