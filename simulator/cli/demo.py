"""`knary demo`: the canary story on an instance of its own."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from simulator.cli import exits, output
from simulator.cli.exits import UsageError
from simulator.cli.playing import presenter_for, read_scenario
from simulator.instance.description import Description

SCENARIO, SERVICE = "canary-release.yaml", "helloworld-go"
GRPC_SCENARIO, GRPC_SERVICE = "grpc-canary.yaml", "helloworld-grpc"


@click.command("demo")
@click.option("--grpc", "with_grpc", is_flag=True, help="Tell it with gRPC calls.")
@click.option("--keep", is_flag=True, help="Leave knary running at the end.")
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Data folder for the demo [default: a fresh one, removed at the end].",
)
@click.option("-v", "--verbose", is_flag=True, help="Show all that the commands print.")
@click.pass_obj
def demo(
    root_data: str | None, data: Path | None, *, with_grpc: bool, keep: bool, verbose: bool
) -> int:
    """Play the canary story: real requests, a real gateway, real processes.

    Starts a knary of its own on free ports, so it disturbs no other. Ends with 0 only if every
    claim held.

    \b
    Examples:
      knary demo
      knary demo --keep
      knary demo --grpc
    """
    from knary.inside import folder
    from simulator.scenario.present import Outcome
    from simulator.scenario.stage import Stage
    from simulator.scenario.theatre import Interrupted, play_on, run_interruptible

    if data is None and root_data:
        data = Path(root_data)
    if with_grpc:
        _demand_grpc()
    scenario = read_scenario(folder() / "scenarios" / (GRPC_SCENARIO if with_grpc else SCENARIO))
    environment = dict(os.environ)

    async def play() -> tuple[Outcome, Path, Description]:
        stage = Stage(data.expanduser() if data else None, environment, outlives=keep)
        done = False
        try:
            output.line("Starting a knary of its own, on free ports …")
            found = await stage.start()
            output.line()
            with presenter_for(verbose=verbose) as presenter:
                outcome = await play_on(stage.data, scenario, presenter, environment)
            done = True
            return outcome, stage.data, found
        finally:
            if not (keep and done):
                await stage.stop()

    try:
        outcome, where, found = run_interruptible(play)
    except Interrupted:
        output.note("Stopped; nothing was left behind.")
        return exits.INTERRUPTED
    if keep:
        _tell_how_to_go_on(found, where, with_grpc=with_grpc)
    elif outcome.passed:
        output.line("Now by hand: `knary up`, or look around in what `knary demo --keep` leaves.")
    return exits.OK if outcome.passed else exits.FAILED


def _demand_grpc() -> None:
    """Raise UsageError without the library that the sample app serves with."""
    from importlib.util import find_spec

    missing = [name for name in ("grpc", "grpc_health", "grpc_reflection") if not find_spec(name)]
    if missing:
        raise UsageError(
            "the gRPC sample app needs knary's extra `grpc`: pip install 'knary[grpc]'"
        )


def _tell_how_to_go_on(found: Description, data: Path, *, with_grpc: bool) -> None:
    """Print where the instance answers, what to try, and how to stop it."""
    where = shlex.quote(str(data))
    output.line()
    output.line(f"knary goes on running: gateway {found.gateway}, console {found.console}")
    output.line(f"  export KNARY_DATA={where}")
    output.line("  knary service list")
    if with_grpc:
        output.line(f"  knary load {GRPC_SERVICE} --protocol grpc")
        output.line(f"  knary url {GRPC_SERVICE}    # and how grpcurl calls it")
    else:
        output.line(f"  knary curl {SERVICE}")
    output.line(f"Stop it with: knary down --data {where}")
