"""Pictures of who answered, as numbers and signs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.load.report import LATE_SHARE_MAX, LoadReport

SIGNS = "abcdefghijklmnopqrstuvwxyz"


def bar_cells(counts: Mapping[str, int], width: int) -> dict[str, int]:
    """Return how many of `width` cells each name gets, by largest remainder.

    A name that was counted at all gets at least one, as far as cells go, so that a small canary
    is seen.
    """
    total = sum(counts.values())
    if not total:
        return dict.fromkeys(counts, 0)
    cells = {name: max(count * width // total, min(count, 1)) for name, count in counts.items()}
    by_remainder = sorted(counts, key=lambda name: -(counts[name] * width % total))
    for name in by_remainder[: max(0, width - sum(cells.values()))]:
        cells[name] += 1
    while sum(cells.values()) > width:
        largest = max(cells, key=lambda name: cells[name])
        cells[largest] -= 1
    return cells


def order_signs(revisions: Sequence[str]) -> str:
    """Return a letter per answer: `a` for the first revision by name, `!` where nobody answered."""
    names = sorted({revision for revision in revisions if revision})
    sign = {name: SIGNS[index % len(SIGNS)] for index, name in enumerate(names)}
    return "".join(sign.get(revision, "!") for revision in revisions)


def latency_line(report: LoadReport) -> str:
    """Return requests, failures and latency in one line, with a warning when it means little."""
    tally = report.all
    line = f"{tally.requests:,} requests, {tally.failed} failed"
    if tally.latencies.count:
        p50, p99 = (_milliseconds(tally.latencies.at(percentile)) for percentile in (50, 99))
        line += f", p50 {p50}, p99 {p99}"
    if report.behind_schedule:
        late = f"{report.late_share:.0%} left late"
        busy = f"busy {report.occupied_share:.0%} of the time"
        why = late if report.late_share > LATE_SHARE_MAX else busy
        line += f" ({why}: too busy here for exact latencies)"
    return line


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:.3g} ms"
