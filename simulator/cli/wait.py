"""`knary wait`: until an instance answers, or a service of it is ready; for scripts."""

from __future__ import annotations

import time
from collections.abc import Callable

import click

from simulator.cli import output
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import SERVICE
from simulator.client import ApiRefused, NotRunning, WaitTimedOut
from simulator.errors import KnaryError

POLL_INTERVAL_S = 0.05
TIMEOUT_S = 60


@click.command("wait")
@click.argument("service", required=False)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.IntRange(0),
    default=TIMEOUT_S,
    metavar="S",
    show_default=True,
    help="Seconds to wait at most; then the exit status is 4.",
)
@namespace_option
@instance_option
def wait(service: str | None, timeout_s: int, namespace: str, instance: Instance) -> None:
    """Wait until knary answers, or until SERVICE is there and ready.

    \b
    Examples:
      knary up & knary wait
      knary wait helloworld-go --timeout 30
    """
    deadline = time.monotonic() + timeout_s
    _until(lambda: _answers(instance), deadline, f"knary in {instance.data} does not answer")
    if service is None:
        output.line("knary is ready.")
        return
    what = f"service '{service}' in namespace '{namespace}'"
    with instance.client() as client:

        def is_there() -> bool:
            try:
                client.get(SERVICE, namespace, service)
            except ApiRefused as error:
                if error.code != 404:
                    raise
                return False
            return True

        _until(is_there, deadline, f"there is no {what}")
        client.wait_ready(SERVICE, namespace, service, max(0.0, deadline - time.monotonic()))
    output.line(f"{what.capitalize()} is ready.")


def _answers(instance: Instance) -> bool:
    try:
        instance.console_bytes("/readyz")
    except NotRunning:
        return False
    except KnaryError:  # it says that it is not ready
        return False
    return True


def _until(happened: Callable[[], bool], deadline: float, otherwise: str) -> None:
    while not happened():
        if time.monotonic() >= deadline:
            raise WaitTimedOut(otherwise)
        time.sleep(POLL_INTERVAL_S)
