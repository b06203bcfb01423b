"""`knary fault`: faults on demand, by toxiproxy's names. See docs/faults.md."""

from __future__ import annotations

import re
from typing import Any

import click

from simulator.cli import output
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import FAULT
from simulator.cli.lazy import Entry, LazyGroup
from simulator.cli.listing import ListFlags, fetch, list_options, show
from simulator.client import Document

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0, "": 1.0}
_SIZES = {"": 1.0, "KB": 1000.0, "MB": 1_000_000.0}

fault = LazyGroup(
    name="fault",
    entries={
        "add": Entry(__name__, "add", "Let something go wrong with a service's requests."),
        "list": Entry(__name__, "list_", "List faults.", ("ls",)),
        "remove": Entry(__name__, "remove", "Remove faults by name.", ("delete", "rm")),
        "clear": Entry(__name__, "clear", "Remove all faults."),
    },
    help="""Let things go wrong on purpose: latency, errors, resets, slow and broken answers.

    \b
    Examples:
      knary fault add hello latency --latency 200ms --jitter 50ms --toxicity 0.5
      knary fault clear
    """,
)


def _time(_ctx: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """Return milliseconds."""
    return _amount(option, value, _UNITS, "a time like 200ms or 1.5s")


def _size(_ctx: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """Return bytes."""
    return _amount(option, value, _SIZES, "a size like 512 or 64KB")


def _amount(
    option: click.Parameter, value: str | None, units: dict[str, float], wanted: str
) -> float | None:
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([A-Za-z]*)", value)
    if found is None or found[2] not in units:
        raise click.BadParameter(f"{value!r} is not {wanted}", param=option)
    return float(found[1]) * units[found[2]]


@click.command("add")
@click.argument("service")
@click.argument("type_", metavar="TYPE")
@click.option("--name", metavar="NAME", help="Of the fault [default: SERVICE-TYPE].")
@click.option("--revision", metavar="REVISION", default="", help="Only this revision's requests.")
@click.option("--tag", metavar="TAG", default="", help="Only requests to this tag.")
@click.option("--toxicity", type=float, default=1.0, help="How likely a request gets it, 0 to 1.")
@click.option("--upstream", is_flag=True, help="Latency before the revision is asked.")
@click.option("--latency", callback=_time, metavar="TIME", help="latency: how late.")
@click.option("--jitter", callback=_time, metavar="TIME", help="latency: so much more or less.")
@click.option("--timeout", callback=_time, metavar="TIME", help="timeout, reset_peer: after that.")
@click.option("--delay", callback=_time, metavar="TIME", help="slow_close, slicer: how long.")
@click.option("--rate", type=int, metavar="N", help="bandwidth: KB per second.")
@click.option("--average-size", callback=_size, metavar="SIZE", help="slicer: of a piece.")
@click.option("--size-variation", callback=_size, metavar="SIZE", help="slicer: more or less.")
@click.option("--bytes", "bytes_", callback=_size, metavar="SIZE", help="limit_data, corrupt.")
@click.option("--status", type=int, metavar="CODE", help="abort: the answer's status.")
@namespace_option
@instance_option
def add(
    service: str,
    type_: str,
    *,
    name: str | None,
    revision: str,
    tag: str,
    toxicity: float,
    upstream: bool,
    namespace: str,
    instance: Instance,
    **given: float | None,
) -> None:
    """Let something go wrong with a service's requests; return when the gateway does it.

    TYPE is latency, abort, timeout, reset_peer, bandwidth, slicer, slow_close, limit_data or
    corrupt. The service need not exist yet.

    \b
    Examples:
      knary fault add hello latency --latency 200ms --jitter 50ms --toxicity 0.5
      knary fault add hello abort --status 503 --revision hello-00002
      knary fault add hello limit_data --bytes 1KB
    """
    spec: dict[str, Any] = {"service": service, "type": type_}
    spec |= {key: text for key, text in (("revision", revision), ("tag", tag)) if text}
    if upstream:
        spec["stream"] = "upstream"
    if toxicity != 1:
        spec["toxicity"] = toxicity
    attributes = {key.rstrip("_"): value for key, value in given.items() if value is not None}
    if type_ == "slicer" and "delay" in attributes:
        attributes["delay"] *= 1000  # toxiproxy's is in microseconds
    spec["attributes"] = {key: round(value) for key, value in attributes.items()}
    name = name or f"{service}-{type_.replace('_', '-')}"
    document = {
        "apiVersion": FAULT.api_version,
        "kind": FAULT.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
    with instance.client() as client:
        client.create(FAULT, namespace, document)
    instance.console("/knary/settle", "POST")
    output.line(f"Fault '{name}' added in namespace '{namespace}'.")


@click.command("list")
@list_options
@instance_option
def list_(flags: ListFlags, instance: Instance) -> None:
    """List faults.

    \b
    Example:
      knary fault list
    """
    with instance.client() as client:
        found = fetch(client, FAULT, None, flags)
    if not flags.form and not found["items"]:
        output.line("No faults.")
        return
    show(found, flags, ("NAME", *HEADINGS), lambda item: [item["metadata"]["name"], *cells(item)])


HEADINGS = ("SERVICE", "REVISION", "TAG", "TYPE", "TOXICITY", "ATTRIBUTES")


def cells(item: Document) -> list[Any]:
    """Return a fault's cells below HEADINGS."""
    spec = item["spec"]
    attributes = ",".join(f"{key}={value}" for key, value in spec.get("attributes", {}).items())
    return [
        spec["service"],
        spec.get("revision", ""),
        spec.get("tag", ""),
        spec["type"],
        spec.get("toxicity", 1),
        attributes,
    ]


@click.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@namespace_option
@instance_option
def remove(names: tuple[str, ...], *, namespace: str, instance: Instance) -> None:
    """Remove faults by name; return when the gateway has stopped.

    \b
    Example:
      knary fault remove hello-latency
    """
    with instance.client() as client:
        for name in names:
            client.delete(FAULT, namespace, name)
    instance.console("/knary/settle", "POST")
    for name in names:
        output.line(f"Fault '{name}' removed from namespace '{namespace}'.")


@click.command("clear")
@click.argument("service", required=False)
@click.option("-n", "--namespace", metavar="NS", help="Namespace [default: all].")
@instance_option
def clear(service: str | None, *, namespace: str | None, instance: Instance) -> None:
    """Remove all faults, or those of a service; return when the gateway has stopped.

    \b
    Examples:
      knary fault clear
      knary fault clear hello -n default
    """
    with instance.client() as client:
        found = client.list(FAULT, namespace)["items"]
        doomed = [one for one in found if service in (None, one["spec"]["service"])]
        for one in doomed:
            client.delete(FAULT, one["metadata"]["namespace"], one["metadata"]["name"])
    instance.console("/knary/settle", "POST")
    what = "1 fault" if len(doomed) == 1 else f"{len(doomed)} faults"
    output.line(f"{what} removed.")
