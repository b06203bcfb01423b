"""The option --threshold, alike in every command that measures: several after one, or repeated."""

from __future__ import annotations

from collections.abc import Sequence

import click

from knary.thresholds import Outcome, Threshold, ThresholdError, Vocabulary, parse, spread_out
from simulator.cli import exits, output
from simulator.cli.exits import UsageError

OPTION = "--threshold"

threshold_option = click.option(
    OPTION,
    "thresholds",
    multiple=True,
    metavar="EXPR...",
    help="What must hold, as in k6: 'p99<20ms' 'error_rate<1%'; ends with 99 if it does not.",
)


class ThresholdCommand(click.Command):
    """A command in which one --threshold may be followed by several expressions."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread_out(args, OPTION))


def read_thresholds(texts: Sequence[str], vocabulary: Vocabulary) -> tuple[Threshold, ...]:
    """Return what the option says. Raise UsageError, which names the column."""
    try:
        return tuple(parse(text, vocabulary) for text in texts)
    except ThresholdError as error:
        raise UsageError(f"{OPTION} {error}") from error


def show_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Say of each threshold whether it was kept, on stderr: stdout may be for a program."""
    for outcome in outcomes:
        output.note(output.clean(str(outcome)))


def status_of(outcomes: Sequence[Outcome]) -> int:
    """Return the exit status that thresholds ask for."""
    kept = all(outcome.is_kept for outcome in outcomes)
    return exits.OK if kept else exits.THRESHOLD_BROKEN
