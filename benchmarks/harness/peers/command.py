"""`knary bench peers`: which programs a benchmark on this machine would use."""

from __future__ import annotations

import json
import re
import subprocess

import click

from benchmarks.harness.peers import proxies
from simulator.cli import output

TOOLS = ("wrk", "h2load")


@click.command("peers")
@click.option("-o", "--output", "form", type=click.Choice(["json"]), help="Form of the output.")
def peers(form: str | None) -> int:
    """Show the peers and load generators on this machine with their versions.

    What is missing is named with the way to install it; `make bench-peers` does that.

    \b
    Examples:
      knary bench peers
      knary bench peers -o json
    """
    missing = proxies.missing((*proxies.NAMES, *TOOLS))
    versions = {
        name: tool_version(name) if name in TOOLS else proxies.version(name)
        for name in (*proxies.NAMES, *TOOLS)
        if name not in missing
    }
    if form:
        output.line(json.dumps({"versions": versions, "missing": missing}, indent=2))
        return 0
    rows = [["PEER", "VERSION"], *([name, told or "unknown"] for name, told in versions.items())]
    output.table(rows)
    for name, way in missing.items():
        output.note(f"{name} is not installed. {way}")
    return 0


def tool_version(name: str) -> str:
    """Return what a load generator says of itself; wrk says it with its usage, and ends with 1."""
    done = subprocess.run(
        [proxies.find(name) or name, "-v" if name == "wrk" else "--version"],
        capture_output=True,
        text=True,
        timeout=proxies.VERSION_S_MAX,
        check=False,
    )
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found[0] if found else ""
