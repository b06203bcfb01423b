"""`knary rollback`: all traffic to an older revision, and back when it obeys."""

from __future__ import annotations

from typing import Any

import click

from knary.traffic import NoWayBack, rollback_target
from simulator.access.resource import Named
from simulator.access.waiting import Terms, silent, wait_ready
from simulator.cli import output
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import REVISION, SERVICE
from simulator.cli.traffic import Situation, TrafficFlags, compute_traffic
from simulator.cli.waiting import WaitFlags, wait_options
from simulator.client import Document
from simulator.errors import KnaryError

LABEL_SERVICE = "serving.knative.dev/service"


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
            try:
                chosen = rollback_target(found, revisions, to)
            except NoWayBack as error:
                raise KnaryError(str(error)) from error
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
