"""`knary bench splitters`: the table of how exact splitters are."""

from __future__ import annotations

from random import Random

import click

from benchmarks.harness.splitters import families
from gateway.contract import SPLITTERS
from simulator.cli import exits, output
from simulator.cli.exits import UsageError
from simulator.cli.lazy import suggestions

RARE, RARE_TURNS = (9_990, 10), 100_000
CYCLES = 5_000
ABOUT = """\
worst lag over 100 turns, in requests, by number of targets; percent that 0.1 % gets;
how many times its share the last target of 90/10 and of 90/5/5 gets of one request
in the cycle of a client that repeats 10 and 20 of them"""


@click.command("splitters")
@click.argument("names", nargs=-1)
@click.option("--seed", type=int, default=1, metavar="N", show_default=True, help="Of all chance.")
def splitters(names: tuple[str, ...], seed: int) -> int:
    """Compare how far splitters stray from their shares, without a network.

    Of all splits into two and three whole percents, and of 100 random ones into 20. Ends with 1
    when a splitter broke its proven bound.

    \b
    Examples:
      knary bench splitters
      knary bench splitters stratified random
    """
    for name in names:
        if name not in SPLITTERS:
            raise UsageError(f"no splitter '{name}'{suggestions(name, list(SPLITTERS))}")
    splits = {
        "2": list(families.two_way()),
        "3": list(families.three_way()),
        str(families.MANY): list(families.many_way(Random(seed))),
    }
    output.line(ABOUT)
    heads = "".join(f"{name:>8}" for name in splits)
    output.line(f"{'splitter':<14}{heads}{'0.1 %':>9}{'cycle 10':>10}{'cycle 20':>10}")
    all_kept = True
    for name in names or SPLITTERS:
        found = [families.worst_lag(name, each, seed) for each in splits.values()]
        all_kept = all_kept and all(kept for _, kept in found)
        lags = "".join(f"{float(most):8.2f}" for most, _ in found)
        rare = families.percent_of_last(name, RARE, RARE_TURNS, seed)
        ten = families.rhythm(name, (90, 10), 10, CYCLES, seed)
        twenty = families.rhythm(name, (90, 5, 5), 20, CYCLES, seed)
        output.line(f"{name:<14}{lags}{rare:9.3f}{ten:10.2f}{twenty:10.2f}")
    return exits.OK if all_kept else exits.FAILED
