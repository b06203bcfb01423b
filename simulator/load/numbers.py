"""A load's report as the numbers that thresholds speak of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from knary.thresholds import Dimension, Labels, Number, Threshold, Vocabulary
from simulator.load.report import UNKNOWN, LoadReport, Tally

PERCENT = 100

VOCABULARY = Vocabulary(
    metrics={
        "min": Dimension.TIME,
        "mean": Dimension.TIME,
        "max": Dimension.TIME,
        "error_rate": Dimension.SHARE,
        "split_error": Dimension.SHARE,
        "share": Dimension.SHARE,
        "rps": Dimension.RATE,
        "requests": Dimension.COUNT,
        "failed": Dimension.COUNT,
        "queued": Dimension.COUNT,
    },
    labels=frozenset({"revision"}),
    percentiles=Dimension.TIME,
)


def numbers(
    report: LoadReport, thresholds: Iterable[Threshold], percents: Mapping[str, float]
) -> list[Number]:
    """Return the numbers of all requests and of each revision.

    Percentiles are those that the thresholds ask for. `percents` is what the split should have
    been; with none there is no split_error, and a threshold of it is broken.
    """
    asked = {each.metric for each in thresholds if each.metric[1:2].isdigit()}
    told = _of_tally(report.all, asked, frozenset())
    if report.elapsed_s:
        told.append(Number("rps", report.all.requests / report.elapsed_s))
    answered = sum(
        tally.requests - tally.failed for name, tally in report.revisions.items() if name != UNKNOWN
    )
    worst = 0.0
    for name in sorted({*report.revisions, *percents}):
        of_one = frozenset({("revision", name)})
        tally = report.revisions.get(name, Tally())
        told += _of_tally(tally, asked, of_one)
        if not answered or name == UNKNOWN:
            continue
        share = (tally.requests - tally.failed) / answered
        told.append(Number("share", share, of_one))
        if percents:
            off = abs(share - percents.get(name, 0.0) / PERCENT)
            worst = max(worst, off)
            told.append(Number("split_error", off, of_one))
    if answered and percents:
        told.append(Number("split_error", worst))
    return told


def _of_tally(tally: Tally, asked: Iterable[str], labels: Labels) -> list[Number]:
    told = [
        Number("requests", tally.requests, labels),
        Number("failed", tally.failed, labels),
        Number("queued", tally.queued, labels),
    ]
    if tally.requests:
        told.append(Number("error_rate", tally.failed / tally.requests, labels))
    if tally.latencies.count:
        summary = tally.latencies.to_dict()
        told += [Number(name, summary[name] / 1e6, labels) for name in ("min", "mean", "max")]
        told += [
            Number(name, tally.latencies.at(float(name[1:])) / 1e6, labels)
            for name in sorted(asked)
        ]
    return told
