"""Waiting as kn shows it: a line per message of Ready, with the seconds since the wait began."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from simulator.access.waiting import Progress
from simulator.cli import output
from simulator.cli.kinds import SERVICE
from simulator.client import ApiClient, Document

WAIT_TIMEOUT_S = 600  # kn's WaitDefaultTimeout: a service ends True or False long before

Command = TypeVar("Command", bound=Callable[..., Any])


class WaitFlags(NamedTuple):
    """`--wait/--no-wait`, `--wait-timeout` and `--wait-window`, in seconds."""

    wait: bool
    timeout_s: int = WAIT_TIMEOUT_S
    window_s: int = 2


def wait_options(command: Command) -> Command:
    """Give a command kn's wait flags, waiting by default; it receives WaitFlags as `wait`."""
    return _wait_options(command, default=True)


def no_wait_options(command: Command) -> Command:
    """The same, not waiting by default, as kn's `service delete`."""
    return _wait_options(command, default=False)


def _wait_options(command: Command, *, default: bool) -> Command:
    def call(*args: Any, wait: bool, wait_timeout: int, wait_window: int, **kwargs: Any) -> Any:
        return command(*args, wait=WaitFlags(wait, wait_timeout, wait_window), **kwargs)

    call.__doc__ = command.__doc__
    call.__name__ = command.__name__
    decorated: Any = call
    for option in (
        click.option(
            "--wait-window",
            type=click.IntRange(0),
            default=2,
            metavar="S",
            help="Seconds that Ready must be False to count [default: 2].",
        ),
        click.option(
            "--wait-timeout",
            type=click.IntRange(0),
            default=WAIT_TIMEOUT_S,
            metavar="S",
            help=f"Seconds to wait at most [default: {WAIT_TIMEOUT_S}].",
        ),
        click.option(
            "--wait/--no-wait", default=default, show_default=True, help="Wait until it is done."
        ),
    ):
        decorated = option(decorated)
    decorated.__click_params__ += getattr(command, "__click_params__", [])
    result: Command = decorated
    return result


def message_lines() -> Progress:
    """Return a callback that prints each message; one that repeats is shown as "..."."""
    last = ""

    def show(seconds: float, message: str) -> None:
        nonlocal last
        output.line(f"{seconds:7.3f}s {'...' if message == last else output.clean(message)}")
        last = message

    return show


def wait_for_service(client: ApiClient, namespace: str, name: str, wait: WaitFlags) -> Document:
    """Return the service once it is Ready, showing what it waits for as kn does."""
    started = time.monotonic()
    ready = client.wait_ready(
        SERVICE, namespace, name, wait.timeout_s, wait.window_s, message_lines()
    )
    output.line(f"{time.monotonic() - started:7.3f}s Ready to serve.")
    return ready


def show_url(service: Document, done: str, revision_before: str) -> None:
    """Print where a service is and which revision is its latest, in kn's words."""
    name = service["metadata"]["name"]
    status = service.get("status", {})
    revision = status.get("latestReadyRevisionName", "")
    if revision_before and revision_before == revision:
        what = f"with latest revision '{revision}' (unchanged)"
    else:
        what = f"{done} to latest revision '{revision}'"
    output.line(f"Service '{name}' {what} is available at URL:")
    output.line(status.get("url", ""))
