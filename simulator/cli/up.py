"""`knary up` and `knary down`: start an instance in this terminal, stop one from another."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from pathlib import Path
from typing import Any

import click

from simulator.cli import output
from simulator.cli.exits import UsageError
from simulator.cli.instance import Instance, instance_option
from simulator.cli.workeroptions import (
    access_log_target,
    check_build,
    check_settings,
    worker_options,
)
from simulator.client import NotRunning, WaitTimedOut
from simulator.errors import KnaryError
from simulator.instance.options import ANY_NETWORK, HOST_NETWORK, OWN_NETWORK, UpOptions
from simulator.instance.paths import InstancePaths

DOWN_TIMEOUT_S = 60
RESTART_TIMEOUT_S = 45  # a worker's start, and the drain of the one before
DOWN_POLL_INTERVAL_S = 0.05
WORKERS_MAX = 64
SPLITTERS = (  # gateway.contract.SPLITTERS, kept equal by a test
    "stratified",
    "random",
    "exact",
    "smooth-wrr",
    "edf",
    "static-stride",
    "hash-ranges",
)


class _PortNumber(click.IntRange):
    name = "port number"


_PORT = _PortNumber(0, 65_535)
_PORT_HELP = "0 takes a free one; a default that is taken moves to the next free one."


def _domain(_ctx: click.Context, _option: click.Parameter, value: str) -> str:
    from simulator.resources.names import dns_1123_subdomain_problems

    if dns_1123_subdomain_problems(value):
        raise click.BadParameter(f"{value!r} is no domain name; write one like example.com")
    return value


@click.command("up")
@click.option("--port", type=_PORT, metavar="PORT", help=f"Gateway's [default: 8080]. {_PORT_HELP}")
@click.option(
    "--local-port",
    type=_PORT,
    metavar="PORT",
    help="Gateway's for cluster-local hosts, on loopback [default: 8081].",
)
@click.option("--api-port", type=_PORT, metavar="PORT", help="API's [default: 6443].")
@click.option("--console-port", type=_PORT, metavar="PORT", help="Console's [default: 8090].")
@click.option(
    "--workers",
    type=click.IntRange(1, WORKERS_MAX),
    default=1,
    metavar="N",
    show_default=True,
    help="Gateway processes.",
)
@instance_option
@click.option("--ephemeral", is_flag=True, help="Keep nothing: a temporary data folder.")
@click.option(
    "--images",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Which programs image names stand for; see `knary images`.",
)
@click.option(
    "-f",
    "--filename",
    "manifests",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="MANIFEST",
    help="Apply this file or folder at the start. Repeatable.",
)
@click.option(
    "--import",
    "snapshot",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Begin with this state, which `knary snapshot save` wrote.",
)
@click.option(
    "--export-on-exit",
    "export",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the state there when it is stopped.",
)
@click.option("--owner-fd", type=int, hidden=True)  # simulator/instance/owner.py
@click.option(
    "--splitter",
    type=click.Choice(SPLITTERS),
    default="stratified",
    show_default=True,
    help="How shares of traffic are dealt out: docs/splitters.md.",
)
@click.option("--seed", type=int, metavar="N", help="Makes the split repeatable.")
@click.option(
    "--domain",
    default="example.com",
    metavar="NAME",
    callback=_domain,
    show_default=True,
    help="Domain of the services' hosts.",
)
@click.option(
    "--network",
    type=click.Choice((ANY_NETWORK, OWN_NETWORK, HOST_NETWORK)),
    default=ANY_NETWORK,
    show_default=True,
    help="Where replicas live: each in a network of its own, with PORT as its container has it;"
    " in this host's, with a leased PORT; or auto, the first if the kernel allows it.",
)
@click.option(
    "--listen",
    default="127.0.0.1",
    metavar="ADDRESS",
    show_default=True,
    help="Address that the gateway listens on.",
)
@worker_options
@click.option("-v", "--verbose", is_flag=True, help="Show the log here too.")
@click.pass_context
def up(ctx: click.Context, /, *, instance: Instance, **given: Any) -> int:
    """Start knary in the foreground; Ctrl-C stops it and leaves no process behind.

    \b
    Examples:
      knary up
      knary up --port 0 --ephemeral -f service.yaml
      KNARY_DATA=/tmp/two knary up --port 9080 --splitter random --seed 7
    """
    chosen = ctx.get_parameter_source("instance")
    if given["ephemeral"] and chosen is click.core.ParameterSource.COMMANDLINE:
        raise UsageError("--ephemeral and --data exclude each other")
    check_build()
    from simulator.instance.parent import Contents, run

    log, sample = given["access_log"], given["access_log_sample"]
    given["access_log"] = access_log_target(log, sample)
    check_settings(given["gateway_settings"])
    return run(UpOptions(data=instance.data, **given), Contents(_fill, _export))


def _fill(options: UpOptions, paths: InstancePaths) -> None:
    """Restore and apply what `--import` and `-f` named: a reset leads back to that.

    Whatever status the commands for it would end with, this start failed.
    """
    from simulator.cli.apply import apply_files
    from simulator.cli.snapshot import restore

    instance = Instance(paths.data)
    try:
        if options.snapshot is not None:
            restore(instance, options.snapshot)
        if options.manifests:
            apply_files(options.manifests, paths)
        instance.console("/knary/baseline", "POST")
    except KnaryError as error:
        raise KnaryError(str(error)) from error


def _export(options: UpOptions, paths: InstancePaths) -> None:
    """Write the state to where `--export-on-exit` says."""
    from simulator.cli.snapshot import save

    if options.export is not None:
        save(Instance(paths.data), options.export)


@click.command("down")
@instance_option
def down(instance: Instance) -> None:
    """Stop the running knary and wait until all its processes are gone.

    \b
    Example:
      knary down
    """
    pid = holder_of(instance.paths.lock)
    if pid is None:
        raise NotRunning.at(instance.data, "nothing runs there")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it is ending already: its children still hold the lock
    except PermissionError as error:
        raise KnaryError(f"process {pid} belongs to another user") from error
    deadline = time.monotonic() + DOWN_TIMEOUT_S
    while holder_of(instance.paths.lock) is not None:
        if time.monotonic() >= deadline:
            raise WaitTimedOut(f"process {pid} has not ended after {DOWN_TIMEOUT_S} seconds")
        time.sleep(DOWN_POLL_INTERVAL_S)
    output.line(f"knary in {instance.data} has stopped.")


@click.command("restart-workers")
@instance_option
def restart_workers(instance: Instance) -> None:
    """Replace the gateway's workers one by one, without losing a request.

    \b
    Example:
      knary restart-workers
    """
    from simulator.instance.parent import RESTART_SIGNAL

    parent = holder_of(instance.paths.lock)
    if parent is None:
        raise NotRunning.at(instance.data, "nothing runs there")
    before = _worker_pids(instance.paths)
    began = time.monotonic()
    deadline = began + RESTART_TIMEOUT_S * max(1, len(before))
    os.kill(parent, RESTART_SIGNAL)
    while not before.isdisjoint(_worker_pids(instance.paths)) or any(map(_runs, before)):
        if time.monotonic() >= deadline:
            raise WaitTimedOut(
                f"not all workers have been replaced; why is in {instance.paths.log}"
            )
        time.sleep(DOWN_POLL_INTERVAL_S)
    count = len(before)
    output.line(
        f"{count} worker{'s' if count != 1 else ''} replaced in {time.monotonic() - began:.1f} s."
    )


def _worker_pids(paths: InstancePaths) -> set[int]:
    found = [path.read_text(encoding="ascii").strip() for path in paths.run.glob("worker-*.pid")]
    return {int(text) for text in found if text.isdigit()}


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def holder_of(lock: Path) -> int | None:
    """Return the process that took an instance's lock; None when the lock is free.

    The kernel drops the lock with its last holder, so a file that was left behind counts for
    nothing. Raise KnaryError when it is held and does not say by whom.
    """
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0)
        if not text.isdigit():
            raise KnaryError(f"{lock} is held, and does not say by which process") from None
        return int(text)
    finally:
        os.close(descriptor)
    return None
