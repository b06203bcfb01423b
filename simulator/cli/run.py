"""`knary run`: play scenario files and judge them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli import exits, output
from simulator.cli.exits import UsageError
from simulator.cli.instance import Instance, instance_option
from simulator.cli.playing import presenter_for, read_scenario

if TYPE_CHECKING:
    from simulator.scenario.present import Outcome

STDOUT = "-"


@click.command("run")
@click.argument(
    "files",
    nargs=-1,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--up", is_flag=True, help="Start a knary of its own for each file, on free ports.")
@click.option("-v", "--verbose", is_flag=True, help="Show all that the commands print.")
@click.option("--seed", type=int, metavar="N", help="With --up: the seed of the instance's dice.")
@click.option("--json", "json_file", metavar="FILE|-", help="Write what held as JSON, - on stdout.")
@click.option("--junit", metavar="FILE", help="Write what held as JUnit's XML, for CI systems.")
@click.option("--html", metavar="FILE", help="Write what held as one HTML file.")
@click.option("--schema", is_flag=True, help="Print a scenario's JSON Schema, for editors.")
@instance_option
def run(
    files: tuple[Path, ...],
    instance: Instance,
    *,
    up: bool,
    verbose: bool,
    seed: int | None,
    json_file: str | None,
    junit: str | None,
    html: str | None,
    schema: bool,
) -> int:
    """Play scenarios and judge them: on the running knary, or with --up on fresh ones.

    Every file is checked before the first is played. Ends with 0 if every claim held, 1 if one
    failed, 2 if a file is no scenario.

    \b
    Examples:
      knary run --up scenarios/canary-release.yaml
      knary run my-release.yaml
      knary run --up --junit results.xml scenarios/*.yaml
    """
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
    if seed is not None and not up:
        raise UsageError("--seed goes with --up; a running knary has its own: knary up --seed N")
    scenarios = [read_scenario(path) for path in files]
    environment = dict(os.environ)
    options = () if seed is None else ("--seed", str(seed))
    stream = sys.stderr if json_file == STDOUT else sys.stdout
    outcomes: list[Outcome] = []

    async def play() -> None:
        for scenario in scenarios:
            with presenter_for(verbose=verbose, stream=stream) as presenter:
                if up:
                    outcome = await play_on_stage(scenario, presenter, environment, options)
                else:
                    outcome = await play_on(instance.data, scenario, presenter, environment)
            outcomes.append(outcome)

    try:
        run_interruptible(play)
    except Interrupted:
        output.note("Stopped.")
        return exits.INTERRUPTED
    if len(outcomes) > 1:
        passed = sum(outcome.passed for outcome in outcomes)
        print(f"\n{passed} of {len(outcomes)} scenarios passed.", file=stream)
    _write(outcomes, json_file, junit, html)
    return exits.OK if all(outcome.passed for outcome in outcomes) else exits.FAILED


def _write(
    outcomes: Sequence[Outcome], json_file: str | None, junit: str | None, html: str | None
) -> None:
    """Write what held to the files that were asked for."""
    from knary import __version__
    from simulator.scenario.page import page_of
    from simulator.scenario.results import document_of, junit_of

    document = json.dumps(document_of(outcomes, __version__), indent=2)
    if json_file == STDOUT:
        output.line(document)
        json_file = None
    for file, text in (
        (json_file, document + "\n"),
        (junit, junit_of(outcomes)),
        (html, page_of(outcomes, __version__)),
    ):
        if file is not None:
            try:
                Path(file).write_text(text, encoding="utf-8")
            except OSError as error:
                raise UsageError(f"cannot write {file}: {error.strerror}") from error
