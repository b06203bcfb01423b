"""From one Ingress, Revision or Pod to what the gateway's table says of it. All pure.

Sources: Kourier's translation of an Ingress (net-kourier `pkg/generator/ingress_translator.go`):
weight = percent, headers of path and split both set on the request; of the path without a match.
"""

from __future__ import annotations

from itertools import islice

from msgspec import Struct

from gateway.contract import SPLITTERS, WEIGHT_SCALE, Route, Share, Split
from simulator.resources.conditions import is_true
from simulator.resources.core import ANNOTATION_ADDRESS, Pod
from simulator.resources.networking import (
    VISIBILITY_LOCAL,
    Ingress,
    IngressPath,
    IngressRule,
)
from simulator.resources.serving import (
    ANNOTATION_SPLITTER,
    LABEL_REVISION,
    Revision,
    serving_container,
)

LOCALHOST = "localhost"  # browsers resolve any name below it to loopback (RFC 6761, 6.3)
_H2C = "h2c"  # the port name by which a revision asks for HTTP/2 (Knative runtime contract)
_TIMEOUT_S = 300.0  # config-defaults, revision-timeout-seconds


class TrafficSettings(Struct, frozen=True):
    """The instance's choices: its domain, its splitter and the seed of its dice."""

    domain: str = "example.com"
    splitter: str = "stratified"
    seed: int | None = None


def backend_key(namespace: str, revision: str) -> str:
    """Return the gateway's name of a revision."""
    return f"{namespace}/{revision}"


def external_rules(rules: tuple[IngressRule, ...]) -> tuple[IngressRule, ...]:
    """Return the rules for requests from outside, which are all that the gateway serves."""
    return tuple(rule for rule in rules if rule.visibility != VISIBILITY_LOCAL)


def routes_of(
    ingress: Ingress, rules: tuple[IngressRule, ...], settings: TrafficSettings
) -> tuple[Route, ...]:
    """Return one row per rule that has hosts of its own and a path that matches anything.

    A row's key is the Ingress and its first host: it survives every change of the split.
    """
    splitter = ingress.metadata.annotations.get(ANNOTATION_SPLITTER, "")
    if splitter not in SPLITTERS:
        splitter = settings.splitter
    routes: list[Route] = []
    taken: set[str] = set()
    for rule in external_rules(rules):
        hosts = hosts_of(rule.hosts, settings.domain)
        shares = _shares(_catch_all(rule))
        if not hosts or not shares or not taken.isdisjoint(hosts):
            continue
        taken.update(hosts)
        key = f"{ingress.uid}/{hosts[0]}"
        routes.append(Route(key, hosts, Split(key, shares, splitter, settings.seed)))
    return tuple(routes)


def hosts_of(hosts: tuple[str, ...], domain: str) -> tuple[str, ...]:
    """Return the hosts in lower case, each in the domain followed by its twin below localhost."""
    found: dict[str, None] = {}
    suffix = f".{domain.lower()}"
    for host in map(str.lower, hosts):
        found[host] = None
        if host.endswith(suffix):
            found[f"{host.removesuffix(suffix)}.{LOCALHOST}"] = None
    return tuple(found)


def backends_of(rules: tuple[IngressRule, ...]) -> frozenset[str]:
    """Return the revisions that get requests by these rules."""
    return frozenset(share.backend for rule in rules for share in _shares(_catch_all(rule)))


def is_served_by(pod: Pod) -> str | None:
    """Return the backend that this Pod is a replica of, or None."""
    revision = pod.metadata.labels.get(LABEL_REVISION)
    return backend_key(pod.metadata.namespace, revision) if revision else None


def ready_address(pod: Pod) -> str | None:
    """Return where the Pod takes requests now, or None."""
    if pod.is_deleting or not is_true(pod.status.conditions):
        return None
    return pod.metadata.annotations.get(ANNOTATION_ADDRESS) or None


def protocol_of(revision: Revision) -> str:
    """Return the contract's name of the protocol that the revision speaks."""
    if not revision.spec.containers:
        return "http1"
    ports = serving_container(revision.spec).ports
    return "h2c" if any(port.name == _H2C for port in ports) else "http1"


def timeout_s_of(revision: Revision) -> float:
    """Return how long a request may wait for the revision's answer to begin."""
    return float(revision.spec.timeout_seconds or _TIMEOUT_S)


def _catch_all(rule: IngressRule) -> tuple[IngressPath, ...]:
    """Return the rule's first path that matches any request, if there is one."""
    every = (path for path in rule.http.paths if not path.headers and path.path in ("", "/"))
    return tuple(islice(every, 1))


def _shares(paths: tuple[IngressPath, ...]) -> tuple[Share, ...]:
    return tuple(
        Share(
            backend_key(split.service_namespace, split.service_name),
            percent * WEIGHT_SCALE,
            tuple((path.append_headers | split.append_headers).items()),
        )
        for path in paths
        for split in path.splits
        # A single split without a percent has all (networking `ingress_defaults.go`).
        if (percent := split.percent or (100 if len(path.splits) == 1 else 0)) > 0
    )
