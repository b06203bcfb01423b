"""`knary route list`: kn's table of routes."""

from __future__ import annotations

import click

from simulator.cli.conditions import ready_of
from simulator.cli.instance import Instance, instance_option
from simulator.cli.kinds import ROUTE
from simulator.cli.lazy import Entry, LazyGroup
from simulator.cli.listing import ListFlags, fetch, list_options, show

route = LazyGroup(
    name="route",
    entries={"list": Entry(__name__, "list_", "List routes.", ("ls",))},
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
    """List routes.

    \b
    Example:
      knary route list
    """
    with instance.client() as client:
        found = fetch(client, ROUTE, name, flags)
    show(
        found,
        flags,
        ("NAME", "URL", "READY"),
        lambda item: [
            item["metadata"]["name"],
            item.get("status", {}).get("url", ""),
            ready_of(item),
        ],
    )
