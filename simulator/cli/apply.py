"""`knary apply`: create or change objects as manifests say, as `kubectl apply` does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from simulator.cli import configmaps, output
from simulator.cli.exits import CommandFailed
from simulator.cli.instance import Instance, instance_option
from simulator.cli.kinds import WITH_READY
from simulator.cli.manifests import Manifest, load_manifests
from simulator.cli.merging import last_applied, three_way_patch, with_last_applied
from simulator.cli.waiting import WaitFlags, wait_options
from simulator.client import ApiClient, ApiRefused, Document, NotReady, WaitTimedOut
from simulator.instance.paths import InstancePaths

log = logging.getLogger(__name__)

START_WAIT_S_MAX = 60
CONFLICT_ATTEMPTS = 5  # kubectl's maxPatchRetry
_QUERY = {"fieldManager": "kubectl-client-side-apply", "fieldValidation": "Strict"}


@click.command("apply")
@click.option(
    "-f",
    "--filename",
    "filenames",
    multiple=True,
    required=True,
    type=click.Path(),  # a shell completes it
    metavar="FILE|DIR|-",
    help="Manifest, folder of manifests, or - for stdin. Repeatable.",
)
@click.option(
    "-n",
    "--namespace",
    default="default",
    metavar="NS",
    show_default=True,
    help="Namespace of objects that name none.",
)
@wait_options
@instance_option
def apply(filenames: tuple[str, ...], namespace: str, wait: WaitFlags, instance: Instance) -> None:
    """Create or change objects as manifests say, and wait until they are ready.

    Settings of the operator (ConfigMaps in knative-serving) are waited for until all that is there
    obeys them.

    Everything is parsed before the first object is sent. A change is merged as kubectl merges it:
    fields that a manifest no longer has are removed, fields that others set stay.

    \b
    Examples:
      knary apply -f service.yaml
      knary apply -f manifests/ --no-wait
      cat service.yaml | knary apply -f -
    """
    manifests = load_manifests(filenames)
    failures: list[str] = []
    with instance.client() as client:
        changed: list[tuple[Manifest, str]] = []
        # A cluster does not tell how far its controllers are.
        is_told = instance.elsewhere is None
        settings = [one for one in manifests if is_told and _is_operators(one, namespace)]
        before = configmaps.ready_now(client) if settings and wait.wait else frozenset()
        for manifest in manifests:
            there = manifest.namespace(namespace)
            try:
                outcome = apply_one(client, manifest, there)
            except ApiRefused as error:
                failures.append(f"{manifest.place}: {error.message}")
                continue
            output.line(f"{manifest.kind.qualified}/{manifest.name} {outcome}")
            changed.append((manifest, there))
        if wait.wait and not failures:
            if settings:
                configmaps.wait_in_force(instance, client, before, wait)
            for manifest in settings:
                said = configmaps.message(manifest.name)
                output.line(f"{manifest.kind.qualified}/{manifest.name} {said}")
            _wait_for(client, changed, wait)
    if failures:
        raise CommandFailed("\nError: ".join(failures))


def apply_files(paths: Sequence[Path], instance: InstancePaths) -> None:
    """Apply files and folders for `knary up -f`, then give them a while to become ready.

    Raise KnaryError when one cannot be read or is refused; one that is not ready is only logged.
    """
    manifests = load_manifests([str(path) for path in paths])
    with ApiClient.from_kubeconfig(instance.kubeconfig) as client:
        for manifest in manifests:
            try:
                apply_one(client, manifest, manifest.namespace("default"))
            except ApiRefused as error:
                raise CommandFailed(f"{manifest.place}: {error.message}") from error
        changed = [(manifest, manifest.namespace("default")) for manifest in manifests]
        try:
            _wait_for(client, changed, WaitFlags(wait=True, timeout_s=START_WAIT_S_MAX))
        except (CommandFailed, WaitTimedOut) as error:
            log.warning("%s", error)


def apply_one(client: ApiClient, manifest: Manifest, namespace: str) -> str:
    """Send one object; return "created", "configured" or "unchanged". Raise ApiRefused."""
    wanted = with_last_applied(manifest.document)
    for attempt in range(1, CONFLICT_ATTEMPTS + 1):
        try:
            return _apply(client, manifest, namespace, wanted)
        except ApiRefused as error:
            # Someone created or changed it between our read and our write: look again.
            again = error.reason in ("Conflict", "AlreadyExists")
            if not again or attempt == CONFLICT_ATTEMPTS or _has_version(wanted):
                raise
    raise AssertionError


def _apply(client: ApiClient, manifest: Manifest, namespace: str, wanted: Document) -> str:
    try:
        current = client.get(manifest.kind, namespace, manifest.name)
    except ApiRefused as error:
        if error.code != 404 or error.reason != "NotFound":
            raise
        client.create(manifest.kind, namespace, wanted, _QUERY)
        return "created"
    patch = three_way_patch(last_applied(current), wanted, current)
    if not patch:
        return "unchanged"
    after = client.merge_patch(manifest.kind, namespace, manifest.name, patch, _QUERY)
    return "unchanged" if _version(after) == _version(current) else "configured"


def _wait_for(client: ApiClient, changed: list[tuple[Manifest, str]], wait: WaitFlags) -> None:
    """Wait until each object that has a Ready condition is Ready. Raise CommandFailed."""
    for manifest, namespace in changed:
        if manifest.kind not in WITH_READY:
            continue
        what = f"{manifest.kind.qualified}/{manifest.name}"
        try:
            client.wait_ready(
                manifest.kind, namespace, manifest.name, wait.timeout_s, wait.window_s
            )
        except NotReady as error:
            raise CommandFailed(f"{what} is not ready: {error}") from error
        except WaitTimedOut as error:
            raise WaitTimedOut(f"{what}: {error}") from error


def _is_operators(manifest: Manifest, namespace: str) -> bool:
    there = manifest.namespace(namespace)
    return configmaps.is_operators(manifest.kind, there, manifest.name)


def _has_version(document: Document) -> bool:
    return bool(document["metadata"].get("resourceVersion"))


def _version(document: Document) -> Any:
    return document["metadata"].get("resourceVersion")
