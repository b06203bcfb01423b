"""`knary top`: what the gateway counted, by service and revision. See docs/metrics.md."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from simulator.cli import output
from simulator.cli.instance import Instance, instance_option

RATE_OVER_S = 1.0
HEADER = (
    "SERVICE",
    "REVISION",
    "TAG",
    "REQUESTS",
    "RATE",
    "ERRORS",
    "P50",
    "P99",
    "IN FLIGHT",
)
SESSIONS = ("SESSIONS", "MOVED")  # where there are any


@click.command("top")
@click.argument("service", required=False)
@click.option("-n", "--namespace", metavar="NS", help="Only this namespace [default: all].")
@click.option("-o", "--output", "form", type=click.Choice(["json"]), help="Form of the output.")
@instance_option
def top(service: str | None, namespace: str | None, form: str | None, instance: Instance) -> None:
    """Show requests, errors and latency of every revision, since knary was started.

    RATE is of requests per second, over the second that the command takes. ERRORS are answers of
    status 5xx, gRPC calls that the server failed, and answers that did not go out whole. P50 and
    P99 are about 12 % off at most. SESSIONS are sticky ones that began there, MOVED those that came
    when shares changed.

    \b
    Examples:
      knary top
      knary top helloworld-go
    """
    before = instance.console("/knary/top")
    time.sleep(RATE_OVER_S)
    after = instance.console("/knary/top")
    rows = [
        row
        for row in with_rates(before, after)
        if (service is None or row["service"] == service)
        and (namespace is None or row["namespace"] == namespace)
    ]
    if form:
        output.document({**after, "rows": rows}, form)
        return
    if not rows:
        whose = (
            f" for service {service!r}; `knary get ksvc -A` lists what there is" if service else ""
        )
        output.note(f"No requests were counted yet{whose}.")
        return
    several = len({row["namespace"] for row in rows}) > 1
    table = [HEADER, *(cells(row, with_namespace=several) for row in rows)]
    if any(any(sessions(row)) for row in rows):
        counts = [SESSIONS, *map(sessions, rows)]
        table = [(*cells, *count) for cells, count in zip(table, counts, strict=True)]
    output.table(table)


def with_rates(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the later rows, with requests per second since the earlier ones."""
    earlier = {_key(row): row["requests"] for row in before["rows"]}
    elapsed_s = max(after["monotonicSeconds"] - before["monotonicSeconds"], 1e-3)
    return [
        {**row, "requestsPerSecond": (row["requests"] - earlier.get(_key(row), 0)) / elapsed_s}
        for row in after["rows"]
    ]


def cells(row: Mapping[str, Any], *, with_namespace: bool) -> Sequence[Any]:
    """Return a row as the table has it; what had no name of its own is "others"."""
    service = row["service"]
    if with_namespace and service:
        service = f"{row['namespace']}/{service}"
    return (
        service or ("" if row["revision"] else "others"),
        row["revision"],
        row["tag"],
        row["requests"],
        f"{row['requestsPerSecond']:.1f}/s",
        row["errors"],
        duration(row["p50Microseconds"]),
        duration(row["p99Microseconds"]),
        row["inFlight"],
    )


def sessions(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return how many sticky sessions a row's revision was given, new ones and moved ones."""
    return row["sessionsNew"], row["sessionsMoved"]


def duration(microseconds: int) -> str:
    """Return a duration in two or three digits: 850µs, 1.2ms, 35ms, 2.4s; "" for 0."""
    if microseconds == 0:
        return ""
    for unit, size in (("µs", 1), ("ms", 1000), ("s", 1_000_000)):
        value = microseconds / size
        if value < 9.95:
            return f"{value:.0f}{unit}" if size == 1 else f"{value:.1f}{unit}"
        if value < 999.5 or unit == "s":
            return f"{value:.0f}{unit}"
    raise AssertionError("seconds have no upper end")


def _key(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return row["namespace"], row["service"], row["revision"], row["tag"]
