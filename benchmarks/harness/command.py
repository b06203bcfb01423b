"""`knary bench`: its table of commands."""

from __future__ import annotations

import click

from simulator.cli.lazy import Entry, LazyGroup

_HERE = "benchmarks.harness."

COMMANDS: dict[str, Entry] = {
    "splitters": Entry(
        f"{_HERE}splitters.command", "splitters", "Compare splitting algorithms, without a network."
    ),
    "gateway": Entry(
        f"{_HERE}gateway.command", "gateway", "Measure a gateway under load, beside its peers."
    ),
    "peers": Entry(f"{_HERE}peers.command", "peers", "Show what can be measured beside knary."),
    "show": Entry(f"{_HERE}showing.command", "show", "Show a document, or make a page of it."),
    "compare": Entry(f"{_HERE}comparing.command", "compare", "Compare two runs' documents."),
}


@click.command("bench", cls=LazyGroup, entries=COMMANDS)
def bench() -> None:
    """Compare splitting algorithms, and measure gateways under load.

    \b
    Examples:
      knary bench splitters
      knary bench gateway
      knary bench compare old.json new.json
    """
