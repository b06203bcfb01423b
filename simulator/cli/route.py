"""`knary route list` and `describe`: kn's table of routes, and its description of one."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from simulator.cli import output
from simulator.cli.conditions import ready_of
from simulator.cli.describing import describe_route
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import INGRESS, ROUTE
from simulator.cli.lazy import Entry, LazyGroup
from simulator.cli.listing import ListFlags, fetch, list_options, show
from simulator.cli.revision import shortened
from simulator.cli.rollout import is_in_progress, progress_lines, traffic_cell
from simulator.client import ApiClient, ApiRefused, Document

route = LazyGroup(
    name="route",
    entries={
        "list": Entry(__name__, "list_", "List routes.", ("ls",)),
        "describe": Entry(__name__, "describe", "Show a route's details."),
    },
    help="""Routes, with kn's flags.

    \b
    Example:
      knary route list
    """,
)


@click.command("list")
@click.argument("name", required=False)
@list_options
@instance_option
def list_(name: str | None, flags: ListFlags, instance: Instance) -> None:
    """List routes, and who gets their requests.

    \b
    Example:
      knary route list
    """
    with instance.client() as client:
        found = fetch(client, ROUTE, name, flags)
    show(
        found,
        flags,
        ("NAME", "URL", "READY", "TRAFFIC"),
        lambda item: [
            item["metadata"]["name"],
            item.get("status", {}).get("url", ""),
            ready_of(item),
            shortened(traffic_cell(item)),
        ],
    )


@click.command("describe")
@click.argument("name")
@click.option("-v", "--verbose", is_flag=True, help="More.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["json", "yaml", "url"]), help="Form of the output."
)
@namespace_option
@instance_option
def describe(
    name: str, *, verbose: bool, form: str | None, namespace: str, instance: Instance
) -> None:
    """Show a route, who gets its requests, how far a rollout is, and its conditions.

    \b
    Example:
      knary route describe helloworld-go
    """
    with instance.client() as client:
        found = client.get(ROUTE, namespace, name)
        rollout = [] if form else rollout_of(client, found)
    if form == "url":
        output.line(found.get("status", {}).get("url", ""))
        return
    if form:
        output.document(found, form)
        return
    for line in describe_route(found, datetime.now(UTC), verbose=verbose, rollout=rollout):
        output.line(output.clean(line).rstrip())


def rollout_of(client: ApiClient, found: Document) -> list[str]:
    """Return a line per gradual rollout of a Service or Route, [] when none goes on."""
    if not is_in_progress(found):
        return []
    metadata = found["metadata"]
    try:
        ingress = client.get(INGRESS, metadata["namespace"], metadata["name"])
    except ApiRefused as error:
        if error.code != 404:
            raise
        return []  # it was deleted meanwhile
    now = datetime.now(UTC)
    return progress_lines(ingress, int(now.timestamp() * 10**6) * 1000)
