"""The page of a comparison: each ratio with its interval, and its word. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.harness.documents.comparison import ComparisonDocument, Row
from benchmarks.harness.pages.markup import Element, element, together
from benchmarks.harness.pages.page import bullets, page, paragraph, section, table, word
from benchmarks.harness.pages.plots import ratio_row, reach_of
from benchmarks.harness.pages.words import interval_text, ratio_text, summary

_ORDER = {"worse": 0, "better": 1, "cannot tell": 2, "same": 3, "": 4}


def comparison_page(found: ComparisonDocument) -> str:
    """Return the page: what became worse comes first."""
    title = f"{found.kind}: {found.new.file} beside {found.old.file}"
    return page(title, summary(found), _sections(found))


def _sections(found: ComparisonDocument) -> Iterator[Element]:
    if found.warnings:
        yield section("Not alike", bullets(found.warnings), css="warning")
    if found.thresholds:
        rows = [
            (each.threshold, each.measured, word("kept" if each.kept else "broken"))
            for each in found.thresholds
        ]
        heads = ("threshold", "ratio", "")
        yield section("Thresholds", table("Of the ratios new / old", heads, rows))
    judged = [row for row in found.rows if row.better]
    if judged:
        yield section(
            "Ratios",
            paragraph(
                f"New / old, and an interval that holds it with {100 * found.confidence:g} %."
                f" The same: within {found.margin_percent:g} % for certain. The thin line is 1."
            ),
            _table("Metrics that have a direction", judged),
            paragraph(f"Intervals by: {'; '.join(sorted({row.why for row in judged}))}."),
        )
    if others := [row for row in found.rows if not row.better]:
        yield section("Counts and descriptions", _table("Neither better nor worse", others))
    for whose, alone in (("old", found.only_old), ("new", found.only_new)):
        if alone:
            yield section(f"Only in the {whose} one", bullets(alone))


def _table(caption: str, rows: Sequence[Row]) -> Element:
    reach = reach_of([each for row in rows for each in (row.ratio, row.low, row.high)])
    ordered = sorted(rows, key=lambda row: _ORDER[row.verdict])
    heads = ("metric", "verdict", "ratio", "", "interval", "old", "new")
    return table(
        caption,
        heads,
        [
            (
                _name(row),
                word(row.verdict),
                ratio_text(row.ratio),
                ratio_row(row.ratio, row.low, row.high, reach),
                interval_text(row),
                f"{row.old:.6g}",
                f"{row.new:.6g}",
            )
            for row in ordered
        ],
    )


def _name(row: Row) -> Element:
    labels = ", ".join(row.labels.values())
    return together(row.name, element("small", None, labels)) if labels else together(row.name)
