"""The result as a document of `knary bench`: its measures, parameters and notes."""

from __future__ import annotations

from collections.abc import Iterator
from platform import python_version

from benchmarks.harness.documents.envelope import Better, Document, Measure, measure
from benchmarks.harness.documents.provenance import Begun, document
from benchmarks.harness.documents.splitters import SCHEMA, SplittersResult
from benchmarks.harness.splitters.tournament import Plan
from benchmarks.harness.splitters.weights import in_words


def document_of(result: SplittersResult, plan: Plan, begun: Begun) -> Document[SplittersResult]:
    """Return the document of a tournament that ends now."""
    import numpy as np

    return document(
        SCHEMA,
        begun,
        result,
        tuple(_measures(result)),
        parameters={
            "weights": ", ".join(in_words(weights) for weights in plan.weights),
            "picks": plan.picks,
            "seed": plan.seed,
            "workers": plan.workers,
        },
        peers={"numpy": np.__version__, "python": python_version()},
        notes=("pick_ns is the fastest of five repeats in one process of this Python",),
    )


def _measures(result: SplittersResult) -> Iterator[Measure]:
    for split in result.splits:
        labels = {"splitter": split.algorithm, "weights": split.weights}
        numbers: tuple[tuple[str, float, Better], ...] = (
            ("worst_lag_requests", split.worst_lag_requests, "lower"),
            ("worst_window_requests", split.worst_window_requests, "lower"),
            ("longest_gap_requests", split.longest_gap, "lower"),
            ("first_canary_requests", split.first_canary_worst, "lower"),
            ("workers_lag_requests", split.workers.alike_lag_requests, "lower"),
            ("pick_ns", split.pick_ns, "lower"),
            ("split_bytes", split.split_bytes, "lower"),
        )
        for name, value, better in numbers:
            yield measure(name, (value,), better, labels)
        if split.aliasing:
            yield measure("aliasing_ratio", (max(split.aliasing.values()),), "lower", labels)
    for changes in result.changes:
        whose = {"splitter": changes.algorithm}
        yield measure("ramp_lag_requests", (changes.ramp_worst_lag_requests,), "lower", whose)
        percent = changes.restart_canary_percent_of_due
        yield measure("restart_canary_percent_of_due", (percent,), "", whose)
