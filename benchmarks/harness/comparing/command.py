"""`knary bench compare`: two documents of one kind, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from benchmarks.harness.comparing.judging import compare as compared
from benchmarks.harness.comparing.points import points_of
from benchmarks.harness.documents.comparison import ComparisonDocument, Kept, Row
from benchmarks.harness.documents.files import HTML, STDOUT, to_file
from benchmarks.harness.documents.measures import subject_of
from benchmarks.harness.documents.numbers import labelled, ratio_vocabulary, spoken
from benchmarks.harness.documents.reading import Read, read
from benchmarks.harness.pages.words import interval_text, ratio_text, spelled, summary
from knary.thresholds import Number, Outcome, judge
from simulator.cli import exits, output
from simulator.cli.exits import UsageError
from simulator.cli.lazy import suggestions
from simulator.cli.thresholdoption import (
    ThresholdCommand,
    read_thresholds,
    show_outcomes,
    status_of,
    threshold_option,
)

MARGIN_PERCENT = 5.0


@click.command("compare", cls=ThresholdCommand)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Only this one, such as p99; may be repeated [default: all that have a direction].",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1000),
    default=MARGIN_PERCENT,
    show_default=True,
    metavar="PERCENT",
    help="What differs by less than this for certain is the same.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["worse", "cannot-tell"]),
    help="End with 1 if something is worse; or with 5, too, if something cannot be told.",
)
@threshold_option
@click.option("--json", "json_file", metavar="FILE|-", help="Write it as JSON, - on stdout.")
@click.option("--html", "html_file", metavar="FILE", help=HTML)
def compare(
    old: Path,
    new: Path,
    metrics: tuple[str, ...],
    margin: float,
    fail_on: str | None,
    thresholds: tuple[str, ...],
    json_file: str | None,
    html_file: str | None,
) -> int:
    """Compare two documents of one kind: of `knary bench`, or of `knary load --json`.

    Each metric's ratio NEW / OLD with an interval that holds it with 95 %, and a word: better,
    worse, the same (within --margin for certain), or cannot tell. Thresholds are of the ratios.

    \b
    Examples:
      knary bench compare old.json new.json
      knary bench compare old.json new.json --fail-on worse --metric p99 --metric error_rate
      knary bench compare old.json new.json --threshold 'p99<1.1' 'rps>95%'
    """
    before, after = read(old), read(new)
    names = [name for name, _ in points_of(after)]
    labels = {key for _, each in points_of(after) for key, _ in each}
    for metric in metrics:
        if metric not in names and metric not in map(spoken, names):
            near = suggestions(metric, sorted({*map(spoken, names)}))
            raise UsageError(f"--metric {metric!r}: {new} has none of that name{near}")
    wanted = read_thresholds(thresholds, ratio_vocabulary(names, labels))

    def chosen(name: str) -> bool:
        return not metrics or name in metrics or spoken(name) in metrics

    found = compared(before, after, margin_percent=margin, chosen=chosen)
    everything = compared(before, after, margin_percent=margin, chosen=lambda _: True)
    outcomes = judge(wanted, _ratios(everything, after))
    found = msgspec.structs.replace(found, thresholds=_kept(outcomes))
    for warning in found.warnings:
        output.note(output.clean(f"Warning: {warning}"))
    if json_file != STDOUT:
        _show(found, [row for row in found.rows if metrics or row.better])
    if json_file:
        to_file(json_file, msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    if html_file:
        from benchmarks.harness.pages.comparison import comparison_page

        to_file(html_file, comparison_page(found))
    show_outcomes(outcomes)
    return _status(found, fail_on) or status_of(outcomes)


def _ratios(found: ComparisonDocument, new: Read) -> list[Number]:
    subject = subject_of(new.bench.results) if new.bench else {}
    return [
        number
        for row in found.rows
        if row.ratio is not None
        for number in labelled(row.name, row.ratio, row.labels, subject)
    ]


def _kept(outcomes: Sequence[Outcome]) -> tuple[Kept, ...]:
    return tuple(Kept(each.threshold.text, each.measured, each.is_kept) for each in outcomes)


def _status(found: ComparisonDocument, fail_on: str | None) -> int:
    verdicts = {row.verdict for row in found.rows}
    if fail_on and "worse" in verdicts:
        return exits.FAILED
    if fail_on == "cannot-tell" and "cannot tell" in verdicts:
        return exits.UNDECIDED
    return exits.OK


def _show(found: ComparisonDocument, rows: Sequence[Row]) -> None:
    """Print some of the rows, and what is to be known of all."""
    lines: list[list[object]] = [["METRIC", "OLD", "NEW", "RATIO", "INTERVAL", "VERDICT"]]
    for row in rows:
        name = spelled(row.name, row.labels)
        numbers = [f"{row.old:.6g}", f"{row.new:.6g}", ratio_text(row.ratio)]
        lines.append([name, *numbers, interval_text(row), row.verdict])
    output.table(lines)
    output.line()
    output.line(summary(found))
    for whose, alone in (("old", found.only_old), ("new", found.only_new)):
        if alone:
            output.line(f"Only in the {whose} one: {', '.join(alone)}")
