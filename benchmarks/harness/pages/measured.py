"""The page of a run of `knary bench`: its measures with every sample, and its time. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.harness.documents.envelope import Document, Measure
from benchmarks.harness.documents.gateway import GatewayResult, Slice
from benchmarks.harness.pages.markup import Element, element
from benchmarks.harness.pages.page import bullets, origin, page, section, table, word
from benchmarks.harness.pages.plots import Series, key, lines, samples_row
from knary.thresholds import Outcome


def measured_page(document: Document[Any], outcomes: Sequence[Outcome] = ()) -> str:
    """Return the page of one document, and what became of thresholds."""
    lead = f"knary {document.knary}, gateway {document.build}, {document.when}"
    return page(f"knary bench {document.kind}", lead, _sections(document, outcomes))


def thresholds_section(outcomes: Sequence[Outcome]) -> Element:
    rows = [
        (each.threshold.text, each.measured, word("kept" if each.is_kept else "broken"))
        for each in outcomes
    ]
    return section("Thresholds", table("What had to hold", ("threshold", "measured", ""), rows))


def _sections(document: Document[Any], outcomes: Sequence[Outcome]) -> Iterator[Element]:
    if document.notes:
        yield section("To be known first", bullets(document.notes), css="warning")
    if outcomes:
        yield thresholds_section(outcomes)
    if isinstance(document.results, GatewayResult):
        yield from _beside_peers(document.results)
        yield from _over_time(document.results)
    names: dict[str, list[Measure]] = {}
    for each in document.measures:
        names.setdefault(each.name, []).append(each)
    for name, measures in names.items():
        yield section(name, _samples(name, measures))
    yield origin(document)


def _samples(name: str, measures: Sequence[Measure]) -> Element:
    most = max((value for each in measures for value in each.samples), default=0.0)
    direction = {"lower": "less is better", "higher": "more is better", "": ""}[measures[0].better]
    caption = f"{name}, a dot for each turn, from 0 to {most:.6g}"
    return table(
        f"{caption}; {direction}" if direction else caption,
        ("whose", "median", "", "noise", "turns"),
        [
            (
                ", ".join(each.labels.values()) or "all",
                f"{each.value:.6g}",
                samples_row(each.samples, each.value, most) if each.samples else "",
                "" if each.noise_percent is None else f"{each.noise_percent:.1f} %",
                str(len(each.samples)),
            )
            for each in measures
        ],
    )


def _beside_peers(result: GatewayResult) -> Iterator[Element]:
    if not result.comparisons:
        return
    worst_first = sorted(result.comparisons, key=lambda each: each.verdict != "slower")
    rows = [
        (
            f"{each.metric} beside {each.peer}",
            word({"faster": "better", "slower": "worse"}.get(each.verdict, each.verdict)),
            f"{each.median:.3f}",
            "" if each.low is None or each.high is None else f"{each.low:.3f} to {each.high:.3f}",
            str(len(each.ratios)),
        )
        for each in worst_first
    ]
    heads = ("metric", "verdict", "ratio", "95 %", "pairs")
    ours = result.gateways[0].name if result.gateways else "ours"
    yield section("Beside the peers", table(f"{ours} / peer, pair by pair", heads, rows))


def _over_time(result: GatewayResult) -> Iterator[Element]:
    """Yield how the first turn that counts of what was measured went, slice by slice."""
    ours = result.gateways[0].name if result.gateways else ""
    turn = next((each for each in result.samples if each.gateway == ours and not each.void), None)
    if turn is None or len(turn.slices) < 2:
        return
    plots = []
    latency = [
        Series(name, [(each.end_s, each.latency_us[name] / 1000) for each in turn.slices])
        for name in ("p50", "p99")
        if all(name in each.latency_us for each in turn.slices)
    ]
    if latency:
        plots.append(_figure("Latency", latency, "ms"))
    stray = [*_series("lag", turn.slices, "split_lag_requests")]
    stray += _series("bound", turn.slices, "split_bound_requests")
    if stray:
        plots.append(_figure("How far the split is from its due", stray, "requests"))
    if plots:
        yield section(f"{ours} over time", element("div", {"class": "plots"}, *plots))


def _series(name: str, slices: Sequence[Slice], attribute: str) -> Iterator[Series]:
    points = [(each.end_s, getattr(each, attribute)) for each in slices]
    known = [(x, y) for x, y in points if y is not None]
    if known:
        yield Series(name, known)


def _figure(title: str, series: Sequence[Series], unit: str) -> Element:
    return element(
        "figure",
        None,
        element("figcaption", None, f"{title}, in {unit}"),
        lines(f"{title} over the seconds of a turn", series, "seconds"),
        key(series),
    )
