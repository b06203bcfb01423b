"""The page of a load: who answered how often, how fast, with which errors. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.harness.documents.load import LoadDocument, Tally
from benchmarks.harness.pages.markup import Element, element
from benchmarks.harness.pages.measured import thresholds_section
from benchmarks.harness.pages.page import bullets, page, section, table
from benchmarks.harness.pages.plots import Series, key, lines
from knary.thresholds import Outcome

_SHOWN = ("p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "max")


def load_page(report: LoadDocument, outcomes: Sequence[Outcome] = ()) -> str:
    """Return the page of a report, and what became of thresholds."""
    lead = (
        f"{report.requests:,} requests, {report.rate_per_s:,.0f} per second for"
        f" {report.elapsed_s:,.1f} s, {report.protocol}, {report.loop} loop"
    )
    return page(f"Load on {report.host}", lead, _sections(report, outcomes))


def _sections(report: LoadDocument, outcomes: Sequence[Outcome]) -> Iterator[Element]:
    if report.schedule.behind_schedule:
        late = f"{100 * report.schedule.late_share:.1f} % of the requests left late"
        note = f"{late}: the generator was too slow, and the latencies say little of the server."
        yield section("To be known first", bullets([note]), css="warning")
    if outcomes:
        yield thresholds_section(outcomes)
    heads = ("revision", "requests", "share", "failed", *_SHOWN)
    rows = [_row(name, tally) for name, tally in report.revisions.items()]
    caption = "Latencies in milliseconds, from the moment for which a request was planned"
    yield section("Who answered", table(caption, heads, [*rows, _row("all", report.all)]))
    if series := list(_latencies(report)):
        figure = element(
            "figure",
            None,
            element("figcaption", None, "Latency by percentile, in ms"),
            lines("Latency by percentile", series, "percentile", _SHOWN),
            key(series),
        )
        yield section("How fast", element("div", {"class": "plots"}, figure))
    kinds = sorted(
        {kind for tally in (report.all, *report.revisions.values()) for kind in tally.errors}
    )
    if kinds:
        failures = [
            (name, *(str(tally.errors.get(kind, 0)) for kind in kinds))
            for name, tally in [*report.revisions.items(), ("all", report.all)]
        ]
        yield section("What failed", table("Requests by kind", ("revision", *kinds), failures))


def _row(name: str, tally: Tally) -> list[str]:
    share = "" if tally.share is None else f"{100 * tally.share:.2f} %"
    times = [
        f"{tally.latency_us[at] / 1000:.2f}" if at in tally.latency_us else "" for at in _SHOWN
    ]
    return [name, f"{tally.requests:,}", share, f"{tally.failed:,}", *times]


def _latencies(report: LoadDocument) -> Iterator[Series]:
    for name, tally in report.revisions.items():
        points = [
            (float(place), tally.latency_us[at] / 1000)
            for place, at in enumerate(_SHOWN)
            if at in tally.latency_us
        ]
        if points:
            yield Series(name, points)
