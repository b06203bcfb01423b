"""`knary run`: play scenario files and judge them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from simulator.cli import exits, output
from simulator.cli.exits import UsageError
from simulator.cli.instance import Instance, instance_option
from simulator.cli.playing import presenter_for, read_scenario


@click.command("run")
@click.argument(
    "files",
    nargs=-1,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--up", is_flag=True, help="Start a knary of its own for each file, on free ports.")
@click.option("-v", "--verbose", is_flag=True, help="Show all that the commands print.")
@click.option("--schema", is_flag=True, help="Print a scenario's JSON Schema, for editors.")
@instance_option
def run(
    files: tuple[Path, ...], instance: Instance, *, up: bool, verbose: bool, schema: bool
) -> int:
    """Play scenarios and judge them: on the running knary, or with --up on fresh ones.

    Every file is checked before the first is played. Ends with 0 if every claim held, 1 if one
    failed, 2 if a file is no scenario.

    \b
    Examples:
      knary run --up scenarios/canary-release.yaml
      knary run my-release.yaml
    """
    from simulator.scenario.present import Outcome
    from simulator.scenario.theatre import (
        Interrupted,
        play_on,
        play_on_stage,
        run_interruptible,
    )

    if schema:
        from simulator.scenario.reading import scenario_schema

        output.line(json.dumps(scenario_schema(), indent=2))
        return exits.OK
    if not files:
        raise UsageError("name a scenario's file, such as scenarios/canary-release.yaml")
    scenarios = [read_scenario(path) for path in files]
    environment = dict(os.environ)

    async def play() -> list[Outcome]:
        outcomes = []
        for scenario in scenarios:
            with presenter_for(verbose=verbose) as presenter:
                if up:
                    outcome = await play_on_stage(scenario, presenter, environment)
                else:
                    outcome = await play_on(instance.data, scenario, presenter, environment)
            outcomes.append(outcome)
        return outcomes

    try:
        outcomes = run_interruptible(play)
    except Interrupted:
        output.note("Stopped.")
        return exits.INTERRUPTED
    if len(outcomes) > 1:
        passed = sum(outcome.passed for outcome in outcomes)
        output.line(f"\n{passed} of {len(outcomes)} scenarios passed.")
    return exits.OK if all(outcome.passed for outcome in outcomes) else exits.FAILED
