"""`knary run`: play scenario files and judge them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from simulator.cli import exits, output
from simulator.cli.exits import UsageError
from simulator.cli.instance import Instance, instance_option
from simulator.cli.playing import presenter_for, read_scenario

if TYPE_CHECKING:
    from simulator.access.elsewhere import Elsewhere
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
@click.option("--context", metavar="NAME", help="A Knative cluster: a context of the kubeconfig.")
@click.option(
    "--gateway", metavar="URL", help="With --context: where the cluster's gateway answers."
)
@click.option(
    "--kubeconfig",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --context [default: $KUBECONFIG, else ~/.kube/config].",
)
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
    context: str | None,
    gateway: str | None,
    kubeconfig: Path | None,
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
      knary run --context kind --gateway http://127.0.0.1:31080 my-release.yaml
    """
    from simulator.scenario.theatre import (
        Interrupted,
        play_elsewhere,
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
    place = _elsewhere(context, gateway, kubeconfig, up=up)
    scenarios = [read_scenario(path) for path in files]
    environment = dict(os.environ)
    options = () if seed is None else ("--seed", str(seed))
    stream = sys.stderr if json_file == STDOUT else sys.stdout
    outcomes: list[Outcome] = []

    async def play() -> None:
        for scenario in scenarios:
            with presenter_for(verbose=verbose, stream=stream) as presenter:
                if place is not None:
                    outcome = await play_elsewhere(place, scenario, presenter, environment)
                elif up:
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


def _elsewhere(
    context: str | None, gateway: str | None, kubeconfig: Path | None, *, up: bool
) -> Elsewhere | None:
    """Return the cluster that the options name, if they name one. Raise UsageError."""
    from simulator.access.elsewhere import Elsewhere

    if context is None:
        for name, value in (("--gateway", gateway), ("--kubeconfig", kubeconfig)):
            if value is not None:
                raise UsageError(f"{name} goes with --context NAME, which names the cluster")
        return None
    if up:
        raise UsageError("--up starts a knary and --context names a cluster; give one of them")
    if gateway is None:
        raise UsageError("--context needs --gateway URL: where requests to the cluster go")
    if urlsplit(gateway).scheme != "http" or not urlsplit(gateway).hostname:
        raise UsageError(f"--gateway {gateway!r}: want a URL such as http://10.0.0.5:8080")
    chosen = kubeconfig or Path(os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    if not chosen.is_file():
        raise UsageError(f"there is no kubeconfig {chosen}; name one with --kubeconfig FILE")
    return Elsewhere(chosen.absolute(), context, gateway)


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
