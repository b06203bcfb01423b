"""`knary service list`, `delete` and `wait`: kn's tables and words."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from simulator.access.waiting import wait_gone
from simulator.cli import output
from simulator.cli.conditions import ok_of_all, ready_of, reason_of
from simulator.cli.exits import CommandFailed, UsageError
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import SERVICE
from simulator.cli.listing import ListFlags, fetch, list_options, show
from simulator.cli.waiting import (
    WaitFlags,
    no_wait_options,
    wait_for_service,
    wait_options,
)
from simulator.client import ApiClient, Document
from simulator.errors import KnaryError

_COLUMNS = ("NAME", "URL", "LATEST", "AGE", "CONDITIONS", "READY", "REASON")


@click.command("list")
@click.argument("name", required=False)
@list_options
@instance_option
def list_(name: str | None, flags: ListFlags, instance: Instance) -> None:
    """List services.

    \b
    Examples:
      knary service list
      knary service list helloworld-go -o json
    """
    with instance.client() as client:
        found = fetch(client, SERVICE, name, flags)
    items = sorted(found["items"], key=_namespace_and_name)
    now = datetime.now(UTC)
    show({**found, "items": items}, flags, _COLUMNS, lambda item: service_cells(item, now))


def service_cells(service: Document, now: datetime) -> list[str]:
    """Return the row of kn's table of services."""
    from simulator.resources.ages import age

    status = service.get("status", {})
    return [
        service["metadata"]["name"],
        status.get("url", ""),
        status.get("latestReadyRevisionName", ""),
        age(service["metadata"].get("creationTimestamp"), now),
        ok_of_all(service),
        ready_of(service),
        reason_of(service),
    ]


@click.command("delete")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="Delete all services in the namespace.")
@namespace_option
@no_wait_options
@instance_option
def delete(
    names: tuple[str, ...],
    *,
    everything: bool,
    namespace: str,
    wait: WaitFlags,
    instance: Instance,
) -> None:
    """Delete services.

    \b
    Examples:
      knary service delete helloworld-go
      knary service delete --all --wait
    """
    if not names and not everything:
        raise UsageError("'service delete' requires the service name(s)")
    if names and everything:
        raise UsageError("'service delete' with --all flag requires no arguments")
    failures = []
    with instance.client() as client:
        if everything:
            items = client.list(SERVICE, namespace)["items"]
            names = tuple(item["metadata"]["name"] for item in items)
        if not names:
            output.line("No services found.")
        for name in names:
            try:
                _delete(client, namespace, name, wait)
            except KnaryError as error:
                failures.append(error)
                continue
            output.line(f"Service '{name}' successfully deleted in namespace '{namespace}'.")
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise CommandFailed("\nError: ".join(str(failure) for failure in failures))


@click.command("wait")
@click.argument("name")
@namespace_option
@wait_options
@instance_option
def wait(name: str, namespace: str, wait: WaitFlags, instance: Instance) -> None:
    """Wait until a service is ready.

    \b
    Example:
      knary service wait helloworld-go --wait-timeout 10
    """
    with instance.client() as client:
        output.line(f"Waiting for Service '{name}' in namespace '{namespace}':")
        output.line()
        wait_for_service(client, namespace, name, wait)
        output.line()
        output.line(f"Service '{name}' in namespace '{namespace}' is ready.")


def _delete(client: ApiClient, namespace: str, name: str, wait: WaitFlags) -> None:
    found = client.get(SERVICE, namespace, name)
    if found["metadata"].get("deletionTimestamp"):
        raise KnaryError(
            f"can't delete service '{name}' because it has been already marked for deletion"
        )
    client.delete(SERVICE, namespace, name, "Foreground" if wait.wait else "Background")
    if wait.wait:
        wait_gone(client, SERVICE, found, wait.timeout_s)


def _namespace_and_name(item: Document) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
