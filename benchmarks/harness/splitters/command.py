"""`knary bench splitters`: splitting algorithms beside each other, without a network."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli import exits, output
from simulator.cli.exits import UsageError
from simulator.cli.lazy import suggestions

if TYPE_CHECKING:
    from benchmarks.harness.documents.envelope import Document
    from benchmarks.harness.documents.splitters import SplittersResult
    from benchmarks.harness.splitters.algorithms.entrant import Entrant, Weights
    from benchmarks.harness.splitters.tournament import Plan

WEIGHTS_DEFAULT = ("90/10", "99/1", "90/5/5", "73/11/7/5/3/1")
PICKS_DEFAULT, PICKS_MIN, PICKS_MAX = 1_000_000, 1_000, 100_000_000
WORKERS_DEFAULT, WORKERS_MAX = 16, 256
STDOUT = "-"


@click.command("splitters")
@click.argument("names", nargs=-1)
@click.option(
    "--weights",
    multiple=True,
    metavar="W/W",
    help=f"Shares, in steps of 0.01 %; several times [default: {' '.join(WEIGHTS_DEFAULT)}].",
)
@click.option(
    "--picks",
    type=click.IntRange(PICKS_MIN, PICKS_MAX),
    default=PICKS_DEFAULT,
    metavar="N",
    show_default=True,
    help="Picks per algorithm and weights.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, WORKERS_MAX),
    default=WORKERS_DEFAULT,
    metavar="N",
    show_default=True,
    help="Workers of the gateway that deal turns.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=1, metavar="N", show_default=True, help="The first."
)
@click.option("--each", is_flag=True, help="A table for each of the weights, too.")
@click.option(
    "--families", is_flag=True, help="Also the worst of all splits into two and three, and 20."
)
@click.option(
    "--json", "json_file", metavar="FILE|-", help="Write the result as JSON, - on stdout."
)
@click.option("--plots", metavar="FOLDER", help="Draw pictures (PNG and SVG) into this folder.")
def splitters(
    names: tuple[str, ...],
    weights: tuple[str, ...],
    picks: int,
    workers: int,
    seed: int,
    each: bool,  # noqa: FBT001 (click's)
    families: bool,  # noqa: FBT001
    json_file: str | None,
    plots: str | None,
) -> int:
    """Compare splitting algorithms: how exact, how even, how predictable, what they cost.

    The gateway's own, and those of others. Ends with 1 when a run broke a proven bound.
    docs/bench-splitters.md says what is measured.

    \b
    Examples:
      knary bench splitters
      knary bench splitters stratified random edf --weights 99.9/0.1
      knary bench splitters --plots plots --json splitters.json
      knary bench splitters --families
    """
    entrants = entrants_of(names)
    asked = weights_of(weights or WEIGHTS_DEFAULT)
    if plots is not None:
        _prepare_plots(plots)
    from benchmarks.harness.documents.provenance import begin
    from benchmarks.harness.splitters.tournament import Plan, played

    plan = Plan(entrants, asked, picks, seed, workers, with_families=families)
    begun = begin()
    result = played(plan, _progress)
    _progress("")
    if json_file != STDOUT:
        _show(result, plan, by_weights=each)
    if json_file is not None:
        from benchmarks.harness.splitters.reporting import document_of

        _write(document_of(result, plan, begun), json_file)
    if plots is not None:
        from benchmarks.harness.splitters.plots.drawing import draw_all

        for file in draw_all(result, Path(plots), _progress):
            output.note(f"Wrote {file}")
    return _status(result)


def entrants_of(names: Sequence[str]) -> tuple[Entrant, ...]:
    """Return the entrants of these names, or all. Raise UsageError."""
    from benchmarks.harness.splitters.algorithms.roster import ENTRANTS, NAMES, entrant_named

    for name in names:
        if name not in NAMES:
            near = suggestions(name, list(NAMES)) or f"; there are {', '.join(NAMES)}"
            raise UsageError(f"no splitter '{name}'{near}")
    return tuple(entrant_named(name) for name in dict.fromkeys(names)) or ENTRANTS


def weights_of(texts: Sequence[str]) -> tuple[Weights, ...]:
    """Return the weights, each once. Raise UsageError."""
    from benchmarks.harness.splitters.weights import parse_weights

    found = []
    for text in texts:
        try:
            found.append(parse_weights(text))
        except ValueError as error:
            raise UsageError(f"--weights {text}: {error}") from error
    return tuple(dict.fromkeys(found))


def _prepare_plots(folder: str) -> None:
    """See to it, before anything is measured, that pictures can be drawn. Raise UsageError."""
    try:
        import matplotlib as mpl
    except ImportError:
        raise UsageError("--plots needs matplotlib: pip install 'knary[bench]'") from None
    del mpl
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--plots {folder}: {error.strerror}") from error


def _progress(doing: str) -> None:
    """Say what is measured, on one line of a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{doing}", err=True, nl=False)


def _show(result: SplittersResult, plan: Plan, *, by_weights: bool) -> None:
    from benchmarks.harness.splitters import presenting
    from benchmarks.harness.splitters.weights import in_words

    def mark(text: str) -> str:
        return click.style(text, fg="red", bold=True) if output.is_coloured(sys.stdout) else text

    asked = [in_words(weights) for weights in plan.weights]
    output.line(f"The worst over {', '.join(asked)}; {plan.picks:,} picks of each.")
    output.line()
    for line in presenting.table(presenting.rows_of(result), mark):
        output.line(line)
    output.line()
    for line in presenting.legend(plan.workers):
        output.line(line)
    for weights in asked if by_weights else ():
        output.line(f"\n{weights}\n")
        for line in presenting.table(presenting.rows_of(result, weights), mark):
            output.line(line)
    if result.families:
        output.line("\nThe worst lag over 100 requests of all splits into whole percents\n")
        for line in presenting.family_table(result.families, mark):
            output.line(line)


def _write(document: Document[SplittersResult], file: str) -> None:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    if file == STDOUT:
        output.line(text)
        return
    try:
        Path(file).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error


def _status(result: SplittersResult) -> int:
    from benchmarks.harness.splitters.presenting import broken

    lines = list(broken(result))
    for line in lines:
        output.note(f"Error: {line}")
    return exits.FAILED if lines else exits.OK
