"""`knary service describe`: kn's description, or the object as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from simulator.cli import output
from simulator.cli.describing import Described, describe_service
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import REVISION, SERVICE
from simulator.cli.route import rollout_of
from simulator.client import ApiClient, Document


@click.command("describe")
@click.argument("name")
@click.option("-v", "--verbose", is_flag=True, help="More, and every revision.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["json", "yaml", "url"]), help="Form of the output."
)
@namespace_option
@instance_option
def describe(
    name: str, *, verbose: bool, form: str | None, namespace: str, instance: Instance
) -> None:
    """Show a service, its revisions and their traffic, and its conditions.

    \b
    Examples:
      knary service describe helloworld-go
      knary service describe helloworld-go -o url
    """
    with instance.client() as client:
        found = client.get(SERVICE, namespace, name)
        if form == "url":
            output.line(found.get("status", {}).get("url", ""))
            return
        if form:
            output.document(found, form)
            return
        revisions = _revisions(client, found, everything=verbose)
        rollout = rollout_of(client, found)
    now = datetime.now(UTC)
    for line in describe_service(found, revisions, now, verbose=verbose, rollout=rollout):
        output.line(output.clean(line).rstrip())


def _revisions(client: ApiClient, service: Document, *, everything: bool) -> list[Described]:
    """Return the revisions that take traffic, the latest ones, and the others when wanted."""
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    query = {"labelSelector": f"serving.knative.dev/service={name}"}
    by_name = {
        revision["metadata"]["name"]: revision
        for revision in client.list(REVISION, namespace, query)["items"]
    }
    status = service.get("status", {})
    shown = [
        Described(by_name[target["revisionName"]], target)
        for target in status.get("traffic") or ()
        if target.get("revisionName") in by_name
    ]
    seen = {each.revision["metadata"]["name"] for each in shown}
    latest = [status.get("latestCreatedRevisionName"), status.get("latestReadyRevisionName")]
    others = dict.fromkeys([*latest, *(by_name if everything else ())])
    return shown + [
        Described(by_name[other], None)
        for other in others
        if other in by_name and other not in seen
    ]
