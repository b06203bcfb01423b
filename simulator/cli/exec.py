"""`knary exec -- COMMAND`: a knary for as long as a command runs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from knary.problems import NotStarted
from knary.starting import FREE_PORTS, start
from simulator.cli.exits import CommandFailed, UsageError
from simulator.cli.up import SPLITTERS, WORKERS_MAX
from simulator.errors import KnaryError
from simulator.instance.ending import has_terminal

NOT_FOUND, NOT_EXECUTABLE, SIGNALLED = 127, 126, 128  # as shells count
_FILE = click.Path(exists=True, path_type=Path)


@click.command("exec", context_settings={"ignore_unknown_options": True})
@click.option(
    "--workers", type=click.IntRange(1, WORKERS_MAX), metavar="N", help="Gateway processes."
)
@click.option("--splitter", type=click.Choice(SPLITTERS), help="How shares are dealt out.")
@click.option("--seed", type=int, metavar="N", help="Makes the split repeatable.")
@click.option("--images", type=_FILE, metavar="FILE", help="Which programs image names stand for.")
@click.option("--import", "snapshot", type=_FILE, metavar="FILE", help="Begin with this state.")
@click.option(
    "-f",
    "--filename",
    "manifests",
    multiple=True,
    type=_FILE,
    metavar="MANIFEST",
    help="Apply this first. Repeatable.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(
    command: tuple[str, ...],
    *,
    workers: int | None,
    splitter: str | None,
    seed: int | None,
    images: Path | None,
    snapshot: Path | None,
    manifests: tuple[Path, ...],
) -> int:
    """Run COMMAND with a knary of its own, which is gone afterwards.

    KUBECONFIG, KNARY_DATA and KNARY_GATEWAY lead the command to it. The exit status is the
    command's.

    \b
    Examples:
      knary exec -- pytest
      knary exec -f service.yaml -- sh -c 'curl -H "host: hello.default.example.com" $KNARY_GATEWAY'
    """
    wishes = {
        "--workers": workers,
        "--splitter": splitter,
        "--seed": seed,
        "--images": images,
        "--import": snapshot,
    }
    options = [f"{flag}={wish}" for flag, wish in wishes.items() if wish is not None]
    options += [f"--filename={path}" for path in manifests]
    if command[0].startswith("-"):
        raise UsageError(f"no such option: {command[0]}; write `--` before the command")
    try:
        running = start(["--ephemeral", *FREE_PORTS, *options])
    except NotStarted as error:
        raise KnaryError(str(error)) from error
    try:
        return _run(command, {**os.environ, **running.environment})
    finally:
        running.stop()


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the command; signals to us are for it. Return its exit status, as a shell has it."""
    try:
        process = subprocess.Popen(command, env=environment)
    except FileNotFoundError as error:
        raise CommandFailed(f"{command[0]}: command not found", NOT_FOUND) from error
    except PermissionError as error:
        raise CommandFailed(f"{command[0]}: permission denied", NOT_EXECUTABLE) from error

    def forward(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    # Ctrl-C at a terminal reaches the command by itself, as it is in our process group.
    on_interrupt = signal.SIG_IGN if has_terminal() else forward
    signal.signal(signal.SIGINT, on_interrupt)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, forward)
    status = process.wait()
    return status if status >= 0 else SIGNALLED - status
