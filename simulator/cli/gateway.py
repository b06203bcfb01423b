"""`knary gateway`: the gateway alone, in front of processes that somebody else runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from simulator.cli import output
from simulator.cli.exits import UsageError
from simulator.cli.workeroptions import (
    access_log_target,
    check_build,
    check_settings,
    worker_options,
)


@click.command("gateway")
@click.option(
    "-f",
    "--filename",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Hosts, targets and percentages, in YAML: see docs/gateway.md.",
)
@click.option("--check", is_flag=True, help="Only say whether the file is right.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of such files.")
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    metavar="PORT",
    help="Serve /metrics for Prometheus on this port of loopback; 0 takes a free one.",
)
@click.option(
    "--session-key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Keep the key of sticky sessions' cookies in this file [default: a new key each time].",
)
@worker_options
@click.option("-v", "--verbose", is_flag=True, help="Show the whole log.")
def gateway(
    file: Path | None,
    check: bool,  # noqa: FBT001 (click's)
    schema: bool,  # noqa: FBT001
    **given: Any,
) -> int:
    """Split requests among your own processes; Ctrl-C stops it.

    The file is read again when it changes, and on SIGHUP. SIGUSR1 replaces the workers one by one.

    \b
    Examples:
      knary gateway -f routes.yaml
      knary gateway -f routes.yaml --check
      knary gateway --schema > routes.schema.json
    """
    if schema:
        from simulator.standalone.schema import json_schema

        output.document(json_schema(), "json")
        return 0
    if file is None:
        raise UsageError("no file of routes; name one with -f FILE (docs/gateway.md says how)")
    from simulator.standalone.reading import RoutesError

    try:
        return _check(file) if check else _run(file, **given)
    except RoutesError as error:
        raise UsageError(str(error)) from error


def _check(file: Path) -> int:
    from simulator.standalone.file import read_routes

    count = len(read_routes(file).routes)
    output.line(f"{file} is right: {count} route{'s' if count != 1 else ''}")
    return 0


def _run(file: Path, **given: Any) -> int:
    check_build()
    check_settings(given["gateway_settings"])
    from simulator.standalone.options import GatewayOptions
    from simulator.standalone.parent import run

    log = access_log_target(given.pop("access_log"), given["access_log_sample"])
    return run(GatewayOptions(file, access_log=log, **given))
