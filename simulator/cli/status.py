"""`knary status` and `knary kubeconfig`: where the instance answers. See docs/status.md."""

from __future__ import annotations

from typing import Any

import click

from simulator.cli import output
from simulator.cli.instance import Instance, instance_option
from simulator.client import NotRunning


@click.command("status")
@click.option("-o", "--output", "form", type=click.Choice(["json"]), help="Form of the output.")
@instance_option
def status(form: str | None, instance: Instance) -> None:
    """Show where knary answers, its processes, and what runs.

    \b
    Examples:
      knary status
      knary status -o json
    """
    found = instance.console("/knary/status")
    if form:
        output.document(found, form)
        return
    for name, value in _facts(found):
        output.line(f"{name + ':':<15}{value}")
    # Without the pods' names, which JSON and `knary get pods` have: the rest fits 80 columns.
    rows = [
        [
            each["namespace"],
            each["revision"],
            each.get("pid"),
            _where(each.get("address")),
            "True" if each["ready"] else "False",
        ]
        for each in found["replicas"]
    ]
    if rows:
        output.line()
        output.table([["NAMESPACE", "REVISION", "PID", "ADDRESS", "READY"], *rows])
    faults = [
        [one["namespace"], one["name"], one["service"], one["type"], one["toxicity"]]
        for one in found.get("faults", ())
    ]
    if faults:
        output.line()
        output.table([["NAMESPACE", "FAULT", "SERVICE", "TYPE", "TOXICITY"], *faults])


@click.command("kubeconfig")
@instance_option
def kubeconfig(instance: Instance) -> None:
    """Print the path of the instance's kubeconfig, for kubectl and kn.

    \b
    Example:
      export KUBECONFIG=$(knary kubeconfig)
    """
    path = instance.paths.kubeconfig
    if not path.exists():
        raise NotRunning.at(instance.data, "it has no kubeconfig")
    output.line(str(path))


_TURNS = {
    "own": "each worker's own",
    "shared": "shared by all workers",
    "shared, by a lock": "shared by all workers, by a lock",
}
_NETWORKS = {
    "own": "own: each replica has one, its PORT is its container's",
    "host": "host: replicas share this machine's, each PORT is leased",
}


def _where(address: str | None) -> str | None:
    """Return an address for people: of a network of a replica's own the port is enough."""
    network, at, place = (address or "").rpartition("@")
    return f"{place.rpartition(':')[2]} (own network)" if at and network else address


def _image_flaw(found: dict[str, Any]) -> list[tuple[str, str]]:
    flaw = found.get("images", {}).get("error")
    return [("Images", f"ERROR: {flaw}; the rules read before stay in force")] if flaw else []


def _facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    turns = [worker.get("turns", "own") for worker in found["workers"]]
    workers = ", ".join(str(worker["pid"]) for worker in found["workers"])
    return [
        ("Version", f"{found['version']} (Python {found['python']})"),
        ("Gateway", found["gateway"]),
        ("Cluster-local", found["gatewayLocal"]),
        ("API", found["api"]),
        ("Console", found["console"]),
        ("Domain", found["domain"]),
        ("Splitter", found["splitter"]),
        ("Network", _NETWORKS.get(found["network"], found["network"])),
        ("Data folder", found["dataFolder"]),
        *_image_flaw(found),
        ("Parent", f"pid {found['parent']['pid']}"),
        ("Control plane", f"pid {found['controlPlane']['pid']}"),
        ("Workers", f"pid {workers}"),
        ("Turns", ", ".join(sorted({_TURNS.get(one, one) for one in turns})) or "no worker"),
    ]
