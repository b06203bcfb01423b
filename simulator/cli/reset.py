"""`knary reset`: back to how the instance began, in one step."""

from __future__ import annotations

import time

import click

from simulator.cli import output
from simulator.cli.instance import Instance, instance_option


@click.command("reset")
@click.option("--seed", type=int, metavar="N", help="Splits begin anew with this seed.")
@click.option(
    "--baseline",
    is_flag=True,
    help="Reset nothing: from now on a reset leads back to what there is now.",
)
@instance_option
def reset(*, seed: int | None, baseline: bool, instance: Instance) -> None:
    """Lead everything back to how the instance began: objects, settings, faults, splits.

    That is what there was when it said that it was ready, with what `-f` and `--import` named.

    \b
    Examples:
      knary reset
      knary reset --seed 7
    """
    if baseline:
        found = instance.console("/knary/baseline", "POST")
        output.line(f"A reset leads back to this now: {found['objects']} objects.")
        return
    began = time.monotonic()
    document = b"" if seed is None else f'{{"seed": {seed}}}'.encode()
    found = instance.console("/knary/reset", "POST", document)
    taken_ms = (time.monotonic() - began) * 1000
    output.line(f"Reset in {taken_ms:.0f} ms: {found['objects']} objects.")
