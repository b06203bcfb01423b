"""`knary rollback`: all traffic to an older revision, and back when it obeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from simulator.access.resource import Named
from simulator.access.waiting import Terms, silent, wait_ready
from simulator.cli import output
from simulator.cli.conditions import is_ready
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import REVISION, SERVICE
from simulator.cli.traffic import Situation, TrafficFlags, compute_traffic
from simulator.cli.waiting import WaitFlags, wait_options
from simulator.client import Document
from simulator.errors import KnaryError

LABEL_SERVICE = "serving.knative.dev/service"
LABEL_GENERATION = "serving.knative.dev/configurationGeneration"


@click.command("rollback")
@click.argument("service")
@click.option("--to", metavar="REVISION", help="Revision [default: the newest older ready one].")
@namespace_option
@wait_options
@instance_option
def rollback(
    service: str, to: str | None, namespace: str, wait: WaitFlags, instance: Instance
) -> None:
    """Send all traffic of a service to an older revision; tags stay as they are.

    When the command returns, no request reaches another revision any more.

    \b
    Examples:
      knary rollback helloworld-go
      knary rollback helloworld-go --to helloworld-go-00001
    """
    from simulator.cli.service_edit import change_service

    with instance.client() as client:
        query = {"labelSelector": f"{LABEL_SERVICE}={service}"}
        chosen = ""

        def change(found: Document) -> Document:
            nonlocal chosen
            revisions = client.list(REVISION, namespace, query)["items"]
            chosen = rollback_target(found, revisions, to)
            return {**found, "spec": {**found["spec"], "traffic": all_to(chosen, found)}}

        before, after = change_service(client, namespace, service, change)
        if before["metadata"].get("generation") == after["metadata"].get("generation"):
            output.line(f"Service '{service}' was set to this already.")
        if wait.wait:
            # Not the Service's Ready: that stays False as long as its newest revision is broken,
            # which is why one goes back.
            terms = Terms(wait.timeout_s, wait.window_s, "RoutesReady")
            wait_ready(client, SERVICE, Named(namespace, service), terms, silent)
    output.line(f"Service '{service}' in namespace '{namespace}': 100% to '{chosen}'.")


def all_to(revision: str, service: Document) -> list[dict[str, Any]]:
    """Return the `spec.traffic` that sends everything to one revision and keeps the tags."""
    name = service["metadata"]["name"]
    spec = service["spec"].get("traffic") or ()
    return compute_traffic(
        TrafficFlags(traffic=(f"{revision}=100",)), Situation(service=name, spec=spec)
    )


def rollback_target(service: Document, revisions: Sequence[Document], to: str | None) -> str:
    """Return the revision to go back to: `to`, else the newest ready one that is older than the
    newest that takes traffic. Pure. Raise KnaryError when there is none.

    A latest revision that should take traffic and cannot (it is not ready) counts as taking it:
    going back from it leads to the one that serves now.
    """
    name = service["metadata"]["name"]
    by_name = {revision["metadata"]["name"]: revision for revision in revisions}
    if to is not None:
        if to not in by_name:
            known = ", ".join(sorted(by_name)) or "none"
            raise KnaryError(f"service '{name}' has no revision '{to}'; it has: {known}")
        if not is_ready(by_name[to]):
            raise KnaryError(f"revision '{to}' is not ready: it cannot take the traffic")
        return to
    taking = [by_name[taker] for taker in _taking(service) if taker in by_name]
    newest = max((_age_rank(revision) for revision in taking), default=None)
    older = [
        revision
        for revision in revisions
        if is_ready(revision) and newest is not None and _age_rank(revision) < newest
    ]
    if not older:
        raise KnaryError(
            f"service '{name}' has no older ready revision to go back to;"
            " name one with --to REVISION"
        )
    target: str = max(older, key=_age_rank)["metadata"]["name"]
    return target


def _taking(service: Document) -> set[str]:
    status = service.get("status", {})
    names = {
        target["revisionName"]
        for target in status.get("traffic") or ()
        if target.get("percent") and target.get("revisionName")
    }
    wants_latest = any(
        target.get("latestRevision") and target.get("percent")
        for target in service["spec"].get("traffic") or ()
    )
    return names | ({status.get("latestCreatedRevisionName", "")} if wants_latest else set())


def _age_rank(revision: Document) -> tuple[int, str, str]:
    """Order revisions by the generation that made them, then by age and name."""
    metadata = revision["metadata"]
    generation = metadata.get("labels", {}).get(LABEL_GENERATION, "")
    number = int(generation) if generation.isdigit() else 0
    return number, metadata.get("creationTimestamp") or "", metadata["name"]
