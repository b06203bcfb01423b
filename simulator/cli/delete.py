"""`knary delete`: objects by kind and name, or as manifests name them, as `kubectl delete`."""

from __future__ import annotations

from typing import NamedTuple

import click

from simulator.access.waiting import wait_gone
from simulator.cli import output
from simulator.cli.exits import CommandFailed, UsageError
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import Kind, find_kind
from simulator.cli.waiting import WaitFlags, wait_options
from simulator.client import ApiClient, ApiRefused, Document


class Doomed(NamedTuple):
    """One object to delete."""

    kind: Kind
    namespace: str
    name: str


@click.command("delete")
@click.argument("kind", required=False, metavar="[KIND|KIND/NAME]")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "-f",
    "--filename",
    "filenames",
    multiple=True,
    type=click.Path(),  # a shell completes it
    metavar="FILE|DIR|-",
    help="Delete what these manifests name. Repeatable.",
)
@click.option("--all", "everything", is_flag=True, help="Every object of the kind.")
@click.option("--ignore-not-found", is_flag=True, help="What is not there is fine.")
@namespace_option
@wait_options
@instance_option
def delete(
    kind: str | None,
    names: tuple[str, ...],
    *,
    filenames: tuple[str, ...],
    everything: bool,
    ignore_not_found: bool,
    namespace: str,
    wait: WaitFlags,
    instance: Instance,
) -> None:
    """Delete objects and what belongs to them, and wait until they are gone.

    \b
    Examples:
      knary delete ksvc helloworld-go
      knary delete -f service.yaml
      knary delete ksvc --all
    """
    doomed = _named(kind, names, filenames, namespace)
    if everything != (kind is not None and not doomed):
        raise UsageError("say what to delete: KIND NAME…, KIND --all, or -f FILE")
    with instance.client() as client:
        if everything and kind:
            doomed = _all(client, find_kind(kind), namespace)
        failures = [
            failure for each in doomed if (failure := _delete(client, each, wait, ignore_not_found))
        ]
    if not doomed:
        output.note("No resources found")
    if failures:
        raise CommandFailed("\nError: ".join(failures))


def _named(
    kind: str | None, names: tuple[str, ...], filenames: tuple[str, ...], namespace: str
) -> list[Doomed]:
    """Return what the arguments name. Raise UsageError when they say two things at once."""
    if filenames:
        if kind:
            raise UsageError("give either -f FILE or KIND NAME…, not both")
        from simulator.cli.manifests import load_manifests

        return [
            Doomed(found.kind, found.namespace(namespace), found.name)
            for found in load_manifests(filenames)
        ]
    if kind and "/" in kind:
        parts = [text.partition("/") for text in (kind, *names)]
        if not all(name for _, _, name in parts):
            raise UsageError("give either KIND/NAME… or KIND NAME…")
        return [Doomed(find_kind(word), namespace, name) for word, _, name in parts]
    return [Doomed(find_kind(kind), namespace, name) for name in names] if kind else []


def _all(client: ApiClient, kind: Kind, namespace: str) -> list[Doomed]:
    items = client.list(kind, namespace)["items"]
    return [Doomed(kind, namespace, item["metadata"]["name"]) for item in items]


def _delete(
    client: ApiClient,
    doomed: Doomed,
    wait: WaitFlags,
    ignore_not_found: bool,  # noqa: FBT001 (the flag's value)
) -> str | None:
    """Delete one object; return what went wrong, or None."""
    kind, namespace, name = doomed
    try:
        found: Document = client.get(kind, namespace, name)
        client.delete(kind, namespace, name)
    except ApiRefused as error:
        if error.code == 404 and ignore_not_found:
            return None
        return error.message
    if wait.wait:
        wait_gone(client, kind, found, wait.timeout_s)
    output.line(f'{kind.qualified} "{name}" deleted')
    return None
