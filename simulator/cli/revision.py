"""`knary revision list`: kn's table of revisions, with their traffic and tags."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from simulator.cli.conditions import ok_of_all, ready_of, reason_of
from simulator.cli.instance import Instance, instance_option
from simulator.cli.kinds import REVISION, SERVICE
from simulator.cli.lazy import Entry, LazyGroup
from simulator.cli.listing import ListFlags, fetch, list_options, show
from simulator.client import ApiClient, ApiRefused, Document
from simulator.resources.ages import age

CELL_LENGTH_MAX = 50  # kn's ListColumnMaxLength
LABEL_SERVICE = "serving.knative.dev/service"
LABEL_GENERATION = "serving.knative.dev/configurationGeneration"
_COLUMNS = (
    "NAME", "SERVICE", "TRAFFIC", "TAGS", "GENERATION", "AGE", "CONDITIONS", "READY", "REASON"
)  # fmt: skip

revision = LazyGroup(
    name="revision",
    entries={"list": Entry(__name__, "list_", "List revisions.", ("ls",))},
    help="""Revisions, with kn's flags.

    \b
    Example:
      knary revision list -s helloworld-go
    """,
)


@click.command("list")
@click.argument("name", required=False)
@click.option("-s", "--service", metavar="NAME", help="Only revisions of this service.")
@list_options
@instance_option
def list_(name: str | None, service: str | None, flags: ListFlags, instance: Instance) -> None:
    """List revisions, the newest of each service first.

    \b
    Examples:
      knary revision list
      knary revision list -s helloworld-go -o json
    """
    with instance.client() as client:
        if service:
            client.get(SERVICE, flags.namespace or "default", service)  # it must be there
        selector = f"{LABEL_SERVICE}={service}" if service else ""
        found = fetch(client, REVISION, name, flags, selector)
        items = sorted(found["items"], key=order)
        services = {} if flags.form else _services(client, items)
    now = datetime.now(UTC)
    show(
        {**found, "items": items},
        flags,
        _COLUMNS,
        lambda item: [shortened(cell) for cell in revision_cells(item, services, now)],
    )


def order(found: Document) -> tuple[Any, ...]:
    """Order revisions by namespace and service, then the newest generation first."""
    metadata = found["metadata"]
    labels = metadata.get("labels", {})
    generation = labels.get(LABEL_GENERATION, "")
    number = int(generation) if generation.isdigit() else 0
    service = labels.get(LABEL_SERVICE, "")
    return metadata.get("namespace", ""), service, -number, metadata["name"]


def revision_cells(
    found: Document, services: Mapping[tuple[str, str], Document], now: datetime
) -> list[str]:
    """Return the row of kn's table of revisions; `services` are by (namespace, name)."""
    metadata = found["metadata"]
    labels = metadata.get("labels", {})
    service = labels.get(LABEL_SERVICE, "")
    owner = services.get((metadata.get("namespace", ""), service))
    percent, tags = traffic_of(metadata["name"], owner)
    return [
        metadata["name"],
        service,
        f"{percent}%" if percent else "",
        ",".join(tags),
        labels.get(LABEL_GENERATION, ""),
        age(metadata.get("creationTimestamp"), now),
        ok_of_all(found),
        ready_of(found),
        reason_of(found),
    ]


def traffic_of(name: str, service: Document | None) -> tuple[int, list[str]]:
    """Return the percent that a revision gets of a service's requests, and its tags."""
    targets = (service or {}).get("status", {}).get("traffic") or ()
    own = [target for target in targets if target.get("revisionName") == name]
    tags = [target["tag"] for target in own if target.get("tag")]
    return sum(target.get("percent") or 0 for target in own), tags


def shortened(text: str) -> str:
    """Return the text, cut to 50 characters as kn cuts it."""
    return text if len(text) <= CELL_LENGTH_MAX else text[: CELL_LENGTH_MAX - 4] + " ..."


def _services(client: ApiClient, revisions: list[Document]) -> dict[tuple[str, str], Document]:
    """Return the services of the revisions; one that is gone is left out."""
    wanted = {
        (
            item["metadata"].get("namespace", ""),
            item["metadata"].get("labels", {}).get(LABEL_SERVICE),
        )
        for item in revisions
    }
    services = {}
    for namespace, name in wanted:
        if not name:
            continue
        try:
            services[namespace, name] = client.get(SERVICE, namespace, name)
        except ApiRefused as error:
            if error.code != 404:
                raise
    return services
