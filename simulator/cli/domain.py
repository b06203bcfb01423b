"""`knary domain`: kn's commands for domain mappings, and one to claim a domain."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from simulator.cli import output
from simulator.cli.conditions import ready_of
from simulator.cli.describing import describe_domain
from simulator.cli.instance import Instance, instance_option, namespace_option
from simulator.cli.kinds import (
    CLUSTER_DOMAIN_CLAIM,
    CONFIG_MAP,
    DOMAIN_MAPPING,
    ROUTE,
    SERVICE,
    Kind,
)
from simulator.cli.lazy import Entry, LazyGroup
from simulator.cli.listing import ListFlags, fetch, list_options, show
from simulator.client import ApiClient, ApiRefused, Document
from simulator.errors import KnaryError

_PREFIXES: dict[str, Kind] = {"ksvc": SERVICE, "kroute": ROUTE}
_TRUE = ("1", "t", "T", "true", "TRUE", "True")  # Go's strconv.ParseBool

domain = LazyGroup(
    name="domain",
    entries={
        "create": Entry(__name__, "create", "Map a domain onto a service."),
        "update": Entry(__name__, "update", "Map a domain onto another service."),
        "list": Entry(__name__, "list_", "List domain mappings.", ("ls",)),
        "describe": Entry(__name__, "describe", "Show a domain mapping's details."),
        "delete": Entry(__name__, "delete", "Delete a domain mapping."),
        "claim": Entry(__name__, "claim", "Claim a domain for a namespace."),
    },
    help="""Map domains of your own onto services, with kn's flags.

    \b
    Example:
      knary domain create www.shop.test --ref helloworld-go
    """,
)


def _ref_option(command: Any) -> Any:
    return click.option(
        "--ref",
        "reference",
        required=True,
        metavar="REF",
        help="What answers: NAME or ksvc:NAME, a service; kroute:NAME, a route; both may end in"
        " :NAMESPACE.",
    )(command)


@click.command("create")
@click.argument("name")
@_ref_option
@click.option("--tls", metavar="SECRET", help="Accepted as kn does; knary serves no TLS.")
@namespace_option
@instance_option
def create(
    name: str, *, reference: str, tls: str | None, namespace: str, instance: Instance
) -> None:
    """Map a domain onto a service: its requests are split as the service's own.

    A domain must be claimed for the namespace, once: `knary domain claim NAME`. With
    autocreate-cluster-domain-claims: "true" in the ConfigMap config-network it claims itself.

    \b
    Examples:
      knary domain create www.shop.test --ref helloworld-go
      knary domain create www.shop.test --ref ksvc:helloworld-go:shop -n shop
      curl -H 'host: www.shop.test' http://127.0.0.1:8080
    """
    if tls:
        _check_secret(tls)
    with instance.client() as client:
        spec: dict[str, Any] = {"ref": _resolve(client, reference, namespace)}
        if tls:
            spec["tls"] = {"secretName": tls}
        document = {
            "apiVersion": DOMAIN_MAPPING.api_version,
            "kind": DOMAIN_MAPPING.kind,
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        }
        client.create(DOMAIN_MAPPING, namespace, document)
        output.line(f"Domain mapping '{name}' created in namespace '{namespace}'.")
        if hint := _claim_hint(client, name, namespace):
            output.note(hint)


@click.command("update")
@click.argument("name")
@_ref_option
@namespace_option
@instance_option
def update(name: str, *, reference: str, namespace: str, instance: Instance) -> None:
    """Let a domain lead to another service.

    \b
    Example:
      knary domain update www.shop.test --ref other
    """
    with instance.client() as client:
        found = client.get(DOMAIN_MAPPING, namespace, name)
        if found["metadata"].get("deletionTimestamp"):
            raise KnaryError(
                f"can't update domain mapping '{name}' because it has been marked for deletion"
            )
        change = {"spec": {"ref": _resolve(client, reference, namespace)}}
        client.merge_patch(DOMAIN_MAPPING, namespace, name, change)
    output.line(f"Domain mapping '{name}' updated in namespace '{namespace}'.")


@click.command("list")
@list_options
@instance_option
def list_(flags: ListFlags, instance: Instance) -> None:
    """List domain mappings.

    \b
    Example:
      knary domain list
    """
    with instance.client() as client:
        found = fetch(client, DOMAIN_MAPPING, None, flags)
    if not flags.form and not found["items"]:
        output.line("No domain mapping found.")
        return
    show(
        found,
        flags,
        ("NAME", "URL", "READY", "KSVC"),
        lambda item: [
            item["metadata"]["name"],
            item.get("status", {}).get("url", ""),
            ready_of(item),
            item["spec"]["ref"]["name"],
        ],
    )


@click.command("describe")
@click.argument("name")
@click.option("-v", "--verbose", is_flag=True, help="More.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["json", "yaml", "url"]), help="Form of the output."
)
@namespace_option
@instance_option
def describe(
    name: str, *, verbose: bool, form: str | None, namespace: str, instance: Instance
) -> None:
    """Show a domain mapping, what it leads to, and its conditions.

    \b
    Example:
      knary domain describe www.shop.test
    """
    with instance.client() as client:
        found = client.get(DOMAIN_MAPPING, namespace, name)
        hint = "" if form else _claim_hint(client, name, namespace)
    if form == "url":
        output.line(found.get("status", {}).get("url", ""))
        return
    if form:
        output.document(found, form)
        return
    for line in describe_domain(found, datetime.now(UTC), verbose=verbose):
        output.line(output.clean(line).rstrip())
    if hint:
        output.note(hint)


@click.command("delete")
@click.argument("name")
@namespace_option
@instance_option
def delete(name: str, namespace: str, instance: Instance) -> None:
    """Delete a domain mapping; its claim stays, unless it claimed itself.

    \b
    Example:
      knary domain delete www.shop.test
    """
    with instance.client() as client:
        client.delete(DOMAIN_MAPPING, namespace, name)
    output.line(f"Domain mapping '{name}' deleted in namespace '{namespace}'.")


@click.command("claim")
@click.argument("name")
@namespace_option
@instance_option
def claim(name: str, namespace: str, instance: Instance) -> None:
    """Claim a domain for a namespace: make its ClusterDomainClaim, as an operator does.

    \b
    Example:
      knary domain claim www.shop.test
    """
    document = {
        "apiVersion": CLUSTER_DOMAIN_CLAIM.api_version,
        "kind": CLUSTER_DOMAIN_CLAIM.kind,
        "metadata": {"name": name},
        "spec": {"namespace": namespace},
    }
    with instance.client() as client:
        client.create(CLUSTER_DOMAIN_CLAIM, "", document)
    output.line(f"Domain '{name}' claimed for namespace '{namespace}'.")


def _resolve(client: ApiClient, reference: str, namespace: str) -> dict[str, str]:
    """Return the reference to an object that is there. Raise KnaryError, ApiRefused."""
    prefix, name, where = parse_reference(reference)
    if prefix not in _PREFIXES:
        raise KnaryError(f"unsupported sink prefix: '{prefix}'; write ksvc:NAME or kroute:NAME")
    kind = _PREFIXES[prefix]
    client.get(kind, where or namespace, name)
    return {
        "kind": kind.kind,
        "apiVersion": kind.api_version,
        "name": name,
        "namespace": where or namespace,
    }


def parse_reference(text: str) -> tuple[str, str, str]:
    """Return prefix, name and namespace ("" for none) of kn's `--ref`."""
    parts = text.split(":", 2)
    if len(parts) == 1:
        return "ksvc", text, ""
    return parts[0], parts[1], parts[2] if len(parts) > 2 else ""


def _check_secret(name: str) -> None:
    from simulator.resources.names import dns_1123_subdomain_problems

    if problems := dns_1123_subdomain_problems(name):
        raise KnaryError(f'invalid secret name "{name}": {problems[0]}')


def _claim_hint(client: ApiClient, name: str, namespace: str) -> str:
    """Return what to do about a domain that is not this namespace's, "" about one that is."""
    found = _get(client, CLUSTER_DOMAIN_CLAIM, "", name)
    if found is not None:
        owner = found.get("spec", {}).get("namespace", "")
        if owner == namespace:
            return ""
        return (
            f"Domain '{name}' is claimed for namespace '{owner}', so it is not served for"
            f" '{namespace}': map it there, or `knary delete clusterdomainclaim {name}` first"
        )
    network = _get(client, CONFIG_MAP, "knative-serving", "config-network") or {}
    if (network.get("data") or {}).get("autocreate-cluster-domain-claims") in _TRUE:
        return ""
    where = "" if namespace == "default" else f" -n {namespace}"
    return (
        f"Domain '{name}' is not claimed yet, so it is not served."
        f" Claim it with `knary domain claim {name}{where}`"
    )


def _get(client: ApiClient, kind: Kind, namespace: str, name: str) -> Document | None:
    try:
        return client.get(kind, namespace, name)
    except ApiRefused as error:
        if error.code != 404:
            raise
        return None
