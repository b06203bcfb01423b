"""`knary snapshot save` and `restore`: the state of an instance as a file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from simulator.cli import output
from simulator.cli.instance import Instance, instance_option
from simulator.client import NotRunning
from simulator.errors import KnaryError

_PATH = "/knary/snapshot"


@click.group("snapshot")
def snapshot() -> None:
    """Save the state in a file, restore it.

    \b
    Examples:
      knary snapshot save state.json
      knary snapshot restore state.json
    """


@snapshot.command("save")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@instance_option
def save_(file: Path, instance: Instance) -> None:
    """Write all objects to FILE, as JSON. Replicas, events and counts are not in it.

    \b
    Example:
      knary snapshot save state.json
    """
    save(instance, file)
    output.line(f"The state is in {file}.")


@snapshot.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@instance_option
def restore_(file: Path, instance: Instance) -> None:
    """Make the state that of FILE, in one step: what is not in it is gone.

    \b
    Example:
      knary snapshot restore state.json
    """
    restore(instance, file)
    output.line(f"The state is that of {file}.")


def save(instance: Instance, file: Path) -> None:
    """Write the state to a file, whole or not at all, readable by its owner alone."""
    document = instance.console_bytes(_PATH)
    beside = file.with_name(f".{file.name}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(beside, flags, 0o600), "wb") as opened:
            opened.write(document + b"\n")
        beside.replace(file)
    except OSError as error:
        raise KnaryError(f"cannot write {file}: {error.strerror}") from error


def restore(instance: Instance, file: Path) -> None:
    """Make the state that of a file. Raise KnaryError, saying what is wrong with it."""
    try:
        document = file.read_bytes()
    except OSError as error:
        raise KnaryError(f"cannot read {file}: {error.strerror}") from error
    try:
        instance.console(_PATH, "PUT", document or b"{}")
    except NotRunning:
        raise
    except KnaryError as error:
        raise KnaryError(f"{file}: {error}") from error
