"""`knary bench show`: what a document says, for people, and whether it keeps thresholds."""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.harness.documents.files import HTML, to_file
from benchmarks.harness.documents.load import LoadDocument, Tally
from benchmarks.harness.documents.measures import subject_of
from benchmarks.harness.documents.numbers import labelled, numbers, vocabulary
from benchmarks.harness.documents.reading import Read, read
from benchmarks.harness.pages.loaded import load_page
from benchmarks.harness.pages.measured import measured_page
from benchmarks.harness.pages.words import spelled
from knary.thresholds import Number, Vocabulary, judge, quantity
from simulator.cli import output
from simulator.cli.thresholdoption import (
    ThresholdCommand,
    read_thresholds,
    show_outcomes,
    status_of,
    threshold_option,
)

Numbers = list[tuple[str, dict[str, str], float]]


@click.command("show", cls=ThresholdCommand)
@click.argument("file", type=click.Path(path_type=Path))
@threshold_option
@click.option("--html", "html_file", metavar="FILE", help=HTML)
def show(file: Path, thresholds: tuple[str, ...], html_file: str | None) -> int:
    """Show a document of `knary bench` or `knary load --json`, or write a page of it.

    \b
    Examples:
      knary bench show load.json
      knary bench show load.json --html load.html --threshold 'p99<20ms' 'error_rate<1%'
    """
    document = read(file)
    told = _numbers(document)
    wanted = read_thresholds(thresholds, _vocabulary(told))
    outcomes = judge(wanted, _judged(document, told))
    if html_file:
        if document.load:
            to_file(html_file, load_page(document.load, outcomes))
        elif document.bench:
            to_file(html_file, measured_page(document.bench, outcomes))
    else:
        rows = [[spelled(name, labels), f"{value:.6g}"] for name, labels, value in told]
        output.table([["MEASURE", "VALUE"], *rows])
    show_outcomes(outcomes)
    return status_of(outcomes)


def _numbers(document: Read) -> Numbers:
    """Return name, labels and value of all that a document measured, in its order."""
    if document.load:
        return _of_load(document.load)
    return [(each.name, each.labels, each.value) for each in document.measures]


def _of_load(report: LoadDocument) -> Numbers:
    found = _of_tally(report.all, {})
    found.append(("requests_per_s", {}, report.rate_per_s))
    for name, tally in report.revisions.items():
        found += _of_tally(tally, {"revision": name})
    return found


def _of_tally(tally: Tally, labels: dict[str, str]) -> Numbers:
    found: Numbers = [("requests", labels, tally.requests), ("failed", labels, tally.failed)]
    if tally.requests:
        found.append(("error_percent", labels, 100 * tally.failed / tally.requests))
    if tally.share is not None:
        found.append(("share_percent", labels, 100 * tally.share))
    found += [
        (f"{name}_us", labels, value) for name, value in tally.latency_us.items() if name != "count"
    ]
    return found


def _vocabulary(told: Numbers) -> Vocabulary:
    names = [name for name, _, _ in told]
    return vocabulary(names, {label for _, labels, _ in told for label in labels})


def _judged(document: Read, told: Numbers) -> list[Number]:
    if document.bench:
        return list(numbers(document.measures, subject_of(document.bench.results)))
    return [
        number
        for name, labels, value in told
        for number in labelled(name, value * quantity(name).scale, labels, {})
    ]
