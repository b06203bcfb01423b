"""What commands that run the gateway's workers have in common: options and their checks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from simulator.cli.exits import UsageError
from simulator.errors import KnaryError

F = TypeVar("F", bound=Callable[..., Any])


def worker_options(command: F) -> F:
    """Add --access-log, --access-log-sample and --set."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option(
        "--access-log",
        metavar="FILE",
        help="Log each request as a line of JSON to this file; - is standard output.",
    ),
    click.option(
        "--access-log-sample",
        type=click.FloatRange(0, 1),
        default=1.0,
        metavar="PART",
        show_default=True,
        help="Log this part of the requests: 0.01 is one in a hundred.",
    ),
    click.option(
        "--set",
        "gateway_settings",
        multiple=True,
        metavar="NAME=VALUE",
        help="Change a limit of the gateway; docs/settings.md has them all. Repeatable.",
    ),
)


def check_build() -> None:
    """Raise KnaryError when compiled modules are demanded and missing: no worker would start."""
    from knary.compiled import NotCompiled, chosen

    try:
        chosen(os.environ)
    except NotCompiled as error:
        raise KnaryError(str(error)) from error


def check_settings(changes: Sequence[str]) -> None:
    """Raise UsageError when a limit of the gateway cannot be that."""
    if changes:
        from gateway.settings import BadSetting, Settings, with_changes

        try:
            with_changes(Settings(), changes)
        except BadSetting as error:
            raise UsageError(f"--set: {error}") from error


def access_log_target(chosen: str | None, sample: float) -> Path | int | None:
    """Return where the access log goes: a file, or a descriptor of our standard output's own.

    Raise UsageError when the file cannot be written, and for a sample of no log.
    """
    if chosen is None:
        if sample != 1:
            raise UsageError("--access-log-sample is a part of --access-log FILE: give that too")
        return None
    if chosen == "-":
        return os.dup(sys.stdout.fileno())
    path = Path(chosen).expanduser().absolute()
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise UsageError(
            f"--access-log {chosen}: {error.strerror}; name a file that can be written"
        ) from error
    return path
