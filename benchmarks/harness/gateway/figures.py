"""From what a load counted to a document's numbers. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.harness.documents.directions import better
from benchmarks.harness.documents.gateway import Comparison, Metrics, Sample
from benchmarks.harness.documents.gateway import Slice as SliceTold
from benchmarks.harness.gateway.deviation import Deviation
from benchmarks.harness.intervals import CONFIDENCE, median_interval, verdict
from simulator.load.histogram import PERCENTILES, Latencies
from simulator.load.report import LoadReport, Tally
from simulator.load.timeline import Timeline

COMPARED = (  # with peers
    *("cpu_us_per_request", "p50_us", "p99_us", "p99.9_us", "memory_bytes"),
    *("requests_per_s", "peak_requests_per_s"),
)
# What a threshold may speak of; a run may lack some of them.
METRICS = (
    *("requests", "failed", "error_percent", "requests_per_s", "peak_requests_per_s"),
    *("min_us", "mean_us", "p50_us", "p75_us", "p90_us", "p95_us", "p99_us", "p99.9_us"),
    *("p99.99_us", "max_us", "cpu_us_per_request", "memory_bytes", "memory_peak_bytes"),
    *("split_error_percent", "split_lag_requests", "cold_starts", "late_percent"),
)
PACED_ALIKE = "requests_per_s"  # which an open loop decides itself: nothing to compare


def latencies_of(latencies: Latencies) -> Metrics:
    """Return percentiles in microseconds: those that so many values have, and no others.

    p99.99 of a thousand answers would be their slowest one under another name.
    """
    told = latencies.to_dict()
    if not latencies.count:
        return {}
    wide = [f"p{each:g}" for each in PERCENTILES if latencies.count * (100 - each) < 100]
    return {f"{key}_us": value for key, value in told.items() if key not in ("count", *wide)}


def tally_of(tally: Tally) -> Metrics:
    """Return the numbers of one revision, or of all."""
    failed = tally.failed
    return {
        "requests": tally.requests,
        "failed": failed,
        "error_percent": 100 * failed / tally.requests if tally.requests else 0.0,
        **latencies_of(tally.latencies),
    }


def report_of(report: LoadReport, *, is_open: bool) -> Metrics:
    """Return the numbers of a turn, the generator's own beside the gateway's."""
    metrics = tally_of(report.all)
    if report.elapsed_s:
        metrics["requests_per_s"] = report.all.requests / report.elapsed_s
    if report.plan.explain:
        metrics["queued"] = report.all.queued
        metrics["queued_max_us"] = report.worst_queued_s * 1e6
    metrics["generator_busy_percent"] = 100 * report.occupied_share
    if is_open:
        metrics["late_percent"] = 100 * report.late_share
        metrics["generator_p99_us"] = report.delays.at(99)
        metrics["generator_max_us"] = report.worst_delay_s * 1e6
    return metrics


def slices_of(timeline: Timeline, deviations: Sequence[Deviation]) -> tuple[SliceTold, ...]:
    """Return the slices with what the split did in them; those after the last request are left."""
    told = []
    for number, each in enumerate(timeline.slices):
        if not each.requests:
            continue
        stray = deviations[number] if deviations else None
        told.append(
            SliceTold(
                begin_s=number * timeline.slice_s,
                end_s=(number + 1) * timeline.slice_s,
                requests=each.requests,
                failed=each.failed,
                revisions=dict(sorted(each.revisions.items())),
                latency_us={
                    key.removesuffix("_us"): value
                    for key, value in latencies_of(each.latencies).items()
                },
                split_lag_requests=stray.lag_requests if stray else None,
                split_bound_requests=stray.bound_requests if stray else None,
            )
        )
    return tuple(told)


def split_of(deviations: Sequence[Deviation]) -> Metrics:
    """Return the worst moment of a split: the one nearest to its bound, or beyond it."""
    if not deviations:
        return {}
    worst = max(deviations, key=lambda each: each.lag_requests - (each.bound_requests or 0.0))
    metrics = {"split_lag_requests": worst.lag_requests}
    if worst.bound_requests is not None:
        metrics["split_bound_requests"] = worst.bound_requests
    return metrics


def comparisons(samples: Sequence[Sample], ours: str, *, is_open: bool) -> tuple[Comparison, ...]:
    """Return what each peer's turns say of ours, metric by metric, taken pair by pair."""
    turns: dict[str, dict[int, Metrics]] = {}
    for sample in samples:
        turns.setdefault(sample.gateway, {})[sample.pair] = sample.metrics
    own = turns.pop(ours, {})
    return tuple(
        _comparison(metric, peer, own, theirs)
        for peer, theirs in turns.items()
        for metric in COMPARED
        if not (is_open and metric == PACED_ALIKE)
        and all(theirs[pair].get(metric) and own[pair].get(metric) for pair in theirs)
    )


def _comparison(
    metric: str, peer: str, own: Mapping[int, Metrics], theirs: Mapping[int, Metrics]
) -> Comparison:
    ratios = [own[pair][metric] / theirs[pair][metric] for pair in sorted(theirs)]
    interval = median_interval(ratios)
    return Comparison(
        metric=metric,
        peer=peer,
        verdict=verdict(interval, less_is_better=better(metric) == "lower"),
        median=statistics.median(ratios),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        confidence=interval.confidence if interval else CONFIDENCE,
        ratios=tuple(ratios),
    )
