"""`knary service create` and `update`: kn's flags, kn's words."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from simulator.access.resource import Named
from simulator.access.waiting import Terms, silent, wait_ready
from simulator.cli import output
from simulator.cli.exits import UsageError
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import REVISION, SERVICE
from simulator.cli.template import Edits, apply_edits
from simulator.cli.traffic import Situation, TrafficFlags, compute_traffic, split_flag
from simulator.cli.waiting import WaitFlags, show_url, wait_for_service, wait_options
from simulator.client import ApiClient, ApiRefused, Document
from simulator.errors import KnaryError
from simulator.resources.inforce import ours

UPDATE_ATTEMPTS = 5  # kn's steps on a conflict (pkg/config DefaultRetry)

Command = TypeVar("Command", bound=Callable[..., Any])

_MANY: dict[str, Any] = {"multiple": True, "metavar": "NAME=VALUE"}
_EDIT_OPTIONS = (
    click.option("--image", metavar="IMAGE", help="Image to run."),
    click.option("-e", "--env", **_MANY, help="Variable to set; NAME- removes it. Repeatable."),
    click.option(
        "-p", "--port", metavar="[NAME:]PORT", help="Port that it listens on: 8080, h2c:8080."
    ),
    click.option("--cmd", multiple=True, metavar="WORD", help="Program to start. Repeatable."),
    click.option("--arg", multiple=True, metavar="WORD", help="Argument of it. Repeatable."),
    click.option("--timeout", type=int, metavar="S", help="Seconds that a request may take."),
    click.option("--concurrency-limit", type=int, metavar="N", help="Requests at once, per copy."),
    click.option("--scale", metavar="N|MIN..MAX", help="Copies: 2, 1..5, 1.. or ..5."),
    click.option("--scale-min", type=int, metavar="N", help="Copies at least."),
    click.option("--scale-max", type=int, metavar="N", help="Copies at most."),
    click.option("--scale-target", type=int, metavar="N", help="Requests per copy to aim at."),
    click.option("--scale-init", type=int, metavar="N", help="Copies at first."),
    click.option("-a", "--annotation", **_MANY, help="Annotation of service and revision."),
    click.option("--annotation-service", **_MANY, help="Annotation of the service."),
    click.option("--annotation-revision", **_MANY, help="Annotation of the revision."),
    click.option("-l", "--label", **_MANY, help="Label of service and revision; NAME- removes."),
    click.option("--label-service", **_MANY, help="Label of the service."),
    click.option("--label-revision", **_MANY, help="Label of the revision."),
    click.option(
        "--revision-name", metavar="NAME", help="Revision's name; {{.Service}}-{{.Random 5}} works."
    ),
    click.option("--cluster-local/--no-cluster-local", default=None, help="No address outside."),
    click.option(
        "--lock-to-digest/--no-lock-to-digest", default=True, hidden=True, expose_value=False
    ),
)
_TAG_OPTION = click.option(
    "--tag", multiple=True, metavar="REV=TAG", help="Tag a revision, or @latest. Repeatable."
)


def edit_options(command: Command) -> Command:
    """Give a command kn's flags for the service and its template."""
    for option in reversed(_EDIT_OPTIONS):
        command = option(command)
    return command


@click.command("create")
@click.argument("name", required=False)
@edit_options
@_TAG_OPTION
@click.option("--force", is_flag=True, help="Replace the service if it exists.")
@click.option("-f", "--filename", type=click.Path(path_type=Path), help="Start from a manifest.")
@namespace_option
@wait_options
@instance_option
def create(
    name: str | None,
    tag: tuple[str, ...],
    *,
    force: bool,
    filename: Path | None,
    namespace: str,
    wait: WaitFlags,
    instance: Instance,
    **given: Any,
) -> None:
    """Create a service.

    \b
    Examples:
      knary service create helloworld-go --image example.com/helloworld-go:73fbdd56
      knary service create shop --image example.com/shop --env MODE=test --port h2c:8080
    """
    edits = _edits(given)
    wanted = _new_service(name, namespace, edits, filename)
    if tag:
        flags = TrafficFlags(traffic=("@latest=100",), tags=split_flag(tag))
        situation = Situation(service=wanted["metadata"]["name"], spec=())
        wanted["spec"]["traffic"] = compute_traffic(flags, situation)
    with instance.client() as client:
        if not _exists(client, namespace, wanted["metadata"]["name"]):
            client.create(SERVICE, namespace, wanted)
            _report(client, wanted, wait, ("Creating", "created"))
        elif force:
            _replace(client, wanted, wait)
        else:
            raise KnaryError(
                f"cannot create service '{wanted['metadata']['name']}' in namespace '{namespace}'"
                " because the service already exists and no --force option was given"
            )


@click.command("update")
@click.argument("name")
@edit_options
@click.option(
    "--traffic", multiple=True, metavar="REV=PERCENT", help="Shares: A=50,@latest=50. Repeatable."
)
@_TAG_OPTION
@click.option("--untag", multiple=True, metavar="TAG", help="Remove a tag. Repeatable.")
@namespace_option
@wait_options
@instance_option
def update(
    name: str,
    traffic: tuple[str, ...],
    tag: tuple[str, ...],
    untag: tuple[str, ...],
    *,
    namespace: str,
    wait: WaitFlags,
    instance: Instance,
    **given: Any,
) -> None:
    """Change a service. Its template and its traffic change together, in one step.

    \b
    Examples:
      knary service update helloworld-go --env TARGET=Knative --traffic helloworld-go-00001=100
      knary service update helloworld-go --traffic helloworld-go-00001=50,@latest=50
      knary service update helloworld-go --tag @latest=candidate
    """
    edits = _edits(given)
    flags = TrafficFlags(split_flag(traffic), split_flag(tag), split_flag(untag))
    if not edits.are_given and not flags.are_given:
        raise UsageError("flag(s) not set: say what to change, with --image, --env, --traffic …")
    with instance.client() as client:
        before, after = change_service(
            client, namespace, name, lambda found: _edited(client, found, edits, flags)
        )
        if before["metadata"].get("generation") == after["metadata"].get("generation"):
            if wait.wait and _asked_of(before) != _asked_of(after):
                # No generation tells whether the gateway has it: its own word does.
                terms = Terms(wait.timeout_s, wait.window_s, "RoutesReady")
                wait_ready(client, SERVICE, Named(namespace, name), terms, silent)
            output.line(f"Service '{name}' updated in namespace '{namespace}'.")
            output.line("No new revision has been created.")
            return
        if not wait.wait:
            output.line(f"Service '{name}' updated in namespace '{namespace}'.")
            return
        output.line(f"Updating Service '{name}' in namespace '{namespace}':")
        output.line()
        ready = wait_for_service(client, namespace, name, wait)
        output.line()
        show_url(ready, "updated", before.get("status", {}).get("latestReadyRevisionName", ""))


def change_service(
    client: ApiClient, namespace: str, name: str, change: Callable[[Document], Document]
) -> tuple[Document, Document]:
    """Read, change and write a service; again on a conflict. Return it before and after.

    Raise ApiRefused; KnaryError for a service that is being deleted.
    """
    for attempt in range(1, UPDATE_ATTEMPTS + 1):
        found = client.get(SERVICE, namespace, name)
        if found["metadata"].get("deletionTimestamp"):
            raise KnaryError(f"can't update service {name} because it has been marked for deletion")
        try:
            return found, client.update(SERVICE, namespace, change(found))
        except ApiRefused as error:
            if error.reason != "Conflict" or attempt == UPDATE_ATTEMPTS:
                raise
    raise AssertionError


def _asked_of(service: Document) -> dict[str, str]:
    """Return the annotations that the gateway obeys."""
    return ours(service["metadata"].get("annotations"))


def _edits(given: dict[str, Any]) -> Edits:
    known = {field.name for field in fields(Edits)}
    return Edits(**{key: value for key, value in given.items() if key in known})


def _edited(client: ApiClient, found: Document, edits: Edits, flags: TrafficFlags) -> Document:
    """Return the service with template and traffic changed."""
    changed = apply_edits(found, edits, _now(), secrets.choice) if edits.are_given else found
    if not flags.are_given:
        return changed
    name, namespace = found["metadata"]["name"], found["metadata"]["namespace"]
    query = {"labelSelector": f"serving.knative.dev/service={name}"}
    revisions = client.list(REVISION, namespace, query)["items"]
    status = found.get("status", {})
    situation = Situation(
        service=name,
        spec=found["spec"].get("traffic") or (),
        status=status.get("traffic") or (),
        revisions=frozenset(revision["metadata"]["name"] for revision in revisions),
        latest_ready=status.get("latestReadyRevisionName", ""),
        makes_revision=edits.make_revision,
    )
    traffic = compute_traffic(flags, situation)
    return {**changed, "spec": {**changed["spec"], "traffic": traffic}}


def _new_service(name: str | None, namespace: str, edits: Edits, filename: Path | None) -> Document:
    """Return the service to create. Raise UsageError in kn's words."""
    if filename is None:
        if not name:
            raise UsageError("'service create' requires the service name given as single argument")
        if edits.image is None:
            raise UsageError(
                "'service create' requires the image name to run provided with the --image option"
            )
        base: Document = {"metadata": {"name": name}, "spec": {"template": {"metadata": {}}}}
    else:
        base = _service_of_file(filename, name)
    base = {"apiVersion": SERVICE.api_version, "kind": SERVICE.kind, **base}
    base["metadata"] = {**base["metadata"], "namespace": namespace}
    # kn stamps a service from a file only when flags change it too; then so do we.
    if filename is not None and not edits.are_given:
        return base
    return apply_edits(base, edits, _now(), secrets.choice)


def _service_of_file(path: Path, name: str | None) -> Document:
    from simulator.cli.manifests import load_manifests

    found = load_manifests((str(path),))
    if len(found) != 1 or found[0].document.get("kind") != SERVICE.kind:
        raise UsageError(f"{path}: want one Service")
    document: Document = found[0].document
    metadata = document.setdefault("metadata", {})
    if name and metadata.get("name") not in (None, name):
        raise UsageError(
            f"provided service name '{name}' doesn't match name from file '{metadata['name']}'"
        )
    metadata["name"] = name or metadata.get("name")
    if not metadata["name"]:
        raise UsageError("no service name provided in command parameter or file")
    return document


def _exists(client: ApiClient, namespace: str, name: str) -> bool:
    try:
        client.get(SERVICE, namespace, name)
    except ApiRefused as error:
        if error.code == 404:
            return False
        raise
    return True


def _replace(client: ApiClient, wanted: Document, wait: WaitFlags) -> None:
    """Put the new service in the place of the present one; who made it stays recorded."""
    name, namespace = wanted["metadata"]["name"], wanted["metadata"]["namespace"]
    kept = ("serving.knative.dev/creator", "serving.knative.dev/lastModifier")

    def change(found: Document) -> Document:
        annotations = dict(wanted["metadata"].get("annotations") or {})
        there = found["metadata"].get("annotations") or {}
        annotations.update({key: there[key] for key in kept if key in there})
        version = found["metadata"]["resourceVersion"]
        metadata = {**wanted["metadata"], "annotations": annotations, "resourceVersion": version}
        return {**wanted, "metadata": metadata}

    before, after = change_service(client, namespace, name, change)
    if before["metadata"].get("generation") == after["metadata"].get("generation"):
        output.line(f"Service '{name}' replaced in namespace '{namespace}' (unchanged).")
        return
    _report(client, wanted, wait, ("Replacing", "replaced"))


def _report(client: ApiClient, wanted: Document, wait: WaitFlags, verbs: tuple[str, str]) -> None:
    """Say what was done; wait for it unless told not to. `verbs` are "Creating" and "created"."""
    name, namespace = wanted["metadata"]["name"], wanted["metadata"]["namespace"]
    doing, done = verbs
    if not wait.wait:
        output.line(f"Service '{name}' {done} in namespace '{namespace}'.")
        return
    output.line(f"{doing} service '{name}' in namespace '{namespace}':")
    output.line()
    ready = wait_for_service(client, namespace, name, wait)
    output.line()
    show_url(ready, done, "")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
