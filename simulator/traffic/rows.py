"""From one Ingress, Revision or Pod to what the gateway's table says of it. All pure.

Sources: Kourier's translation of an Ingress (net-kourier `pkg/generator/ingress_translator.go`):
weight = percent, headers of path and split both set on the request; of the paths those that match
any request, and before them those that match by a header.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from gateway.contract import (
    SPLITTERS,
    WEIGHT_SCALE,
    Backend,
    HeaderRule,
    Route,
    Share,
    Split,
)
from simulator.resources.conditions import is_true
from simulator.resources.core import ANNOTATION_ADDRESS, Pod
from simulator.resources.networking import (
    VISIBILITY_LOCAL,
    Ingress,
    IngressPath,
    IngressRule,
)
from simulator.resources.percents import WHOLE, parse_percents, why_unfit
from simulator.resources.serving import (
    ANNOTATION_HASH_HEADER,
    ANNOTATION_SPLITTER,
    ANNOTATION_STICKY,
    ANNOTATION_TRAFFIC_PERCENT,
    LABEL_REVISION,
    LABEL_ROUTE,
    LABEL_SERVICE,
    Revision,
    serving_container,
)
from simulator.resources.stickiness import Stickiness, of_split, parse_sticky

LOCALHOST = "localhost"  # browsers resolve any name below it to loopback (RFC 6761, 6.3)
_H2C = "h2c"  # the port name by which a revision asks for HTTP/2 (Knative runtime contract)
_TIMEOUT_S = 300.0  # config-defaults, revision-timeout-seconds
_INSIDE = ".svc"  # how the middle one of a route's three hosts inside the cluster ends

# Knative's queue-proxy takes these from a request before the app sees it (serving `pkg/activator`,
# RevisionHeaders), and there is nobody else here who reads them.
CONSUMED_HEADERS = frozenset({"knative-serving-namespace", "knative-serving-revision"})


class TrafficSettings(Struct, frozen=True, gc=False):
    """The instance's choices: its domain, its splitter and the seed of its dice.

    With another `epoch` all splits begin anew.
    """

    domain: str = "example.com"
    splitter: str = "stratified"
    seed: int | None = None
    epoch: int = 0
    # A step is a few milliseconds: an Ingress of ten revisions costs 0.15 ms, a row microseconds.
    ingresses_per_step: int = 16
    rows_per_step: int = 512


class HostMapping(Struct, frozen=True, gc=False):
    """Hosts for the outside that lead to whatever route has the host `target` inside."""

    target: str
    hosts: tuple[str, ...]


def backend_key(namespace: str, revision: str) -> str:
    """Return the gateway's name of a revision."""
    return f"{namespace}/{revision}"


def routes_of(
    ingress: Ingress, rules: tuple[IngressRule, ...], settings: TrafficSettings
) -> tuple[Route, ...]:
    """Return one row per group of rules that has hosts of its own and a path that matches anything.

    A rule for the inside and those for the outside that follow it with the same paths are one
    group: what they split, they split together. A row's key is the Ingress and the group's first
    host: it survives every change of the split.
    """
    routes: list[Route] = []
    taken: set[str] = set()
    for group in _groups(rules):
        if (route := _route(ingress, group, settings)) is None:
            continue
        if taken.isdisjoint(hosts := (*route.hosts, *route.local_hosts)):
            taken.update(hosts)
            routes.append(route)
    return tuple(routes)


def mappings_of(
    rules: tuple[IngressRule, ...], settings: TrafficSettings
) -> tuple[HostMapping, ...]:
    """Return the hosts of rules that send their requests to the gateway once more, rewritten.

    The app behind sees the host that the client named, as Knative's queue-proxy restores it.
    """
    return tuple(
        HostMapping(path.rewrite_host.lower(), hosts_of(rule.hosts, settings.domain))
        for rule in rules
        if (path := _catch_all(rule)) is not None and _leads_back(path)
    )


def hosts_of(hosts: tuple[str, ...], domain: str) -> tuple[str, ...]:
    """Return the hosts in lower case, each in the domain followed by its twin below localhost."""
    found: dict[str, None] = {}
    suffix = f".{domain.lower()}"
    for host in map(str.lower, hosts):
        found[host] = None
        if host.endswith(suffix):
            found[f"{host.removesuffix(suffix)}.{LOCALHOST}"] = None
    return tuple(found)


def local_hosts_of(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the hosts in lower case, and for `X.NAMESPACE.svc` its twin below localhost."""
    plain = tuple(map(str.lower, hosts))
    return plain + tuple(f"{host}.{LOCALHOST}" for host in plain if host.endswith(_INSIDE))


def backends_of(routes: tuple[Route, ...]) -> frozenset[str]:
    """Return the revisions that get requests by these rows."""
    return frozenset(
        share.backend
        for route in routes
        for split in (route.split, *(rule.split for rule in route.rules))
        for share in split.shares
    )


def service_of(ingress: Ingress) -> str:
    """Return "NAMESPACE/NAME" of the Service behind an Ingress, or of the Route without one."""
    meta = ingress.metadata
    name = meta.labels.get(LABEL_SERVICE) or meta.labels.get(LABEL_ROUTE) or meta.name
    return f"{meta.namespace}/{name}"


def is_served_by(pod: Pod) -> str | None:
    """Return the backend that this Pod is a replica of, or None."""
    revision = pod.metadata.labels.get(LABEL_REVISION)
    return backend_key(pod.metadata.namespace, revision) if revision else None


def ready_address(pod: Pod) -> str | None:
    """Return where the Pod takes requests now, or None."""
    if pod.is_deleting or not is_true(pod.status.conditions):
        return None
    return pod.metadata.annotations.get(ANNOTATION_ADDRESS) or None


def backend_of(revision: Revision) -> Backend:
    """Return the row of a revision, yet without a replica."""
    spec = revision.spec
    return Backend(
        backend_key(*revision.key),
        protocol=_protocol_of(revision),
        timeout_s=float(spec.timeout_seconds or _TIMEOUT_S),
        # Knative does not validate these two: below nothing is nothing.
        response_start_s=float(max(0, spec.response_start_timeout_seconds or 0)),
        idle_s=float(max(0, spec.idle_timeout_seconds or 0)),
        concurrency=spec.container_concurrency or 0,
    )


def _protocol_of(revision: Revision) -> str:
    if not revision.spec.containers:
        return "http1"
    ports = serving_container(revision.spec).ports
    return "h2c" if any(port.name == _H2C for port in ports) else "http1"


def _groups(rules: Iterable[IngressRule]) -> Iterator[list[IngressRule]]:
    group: list[IngressRule] = []
    for rule in rules:
        if group and (rule.visibility == VISIBILITY_LOCAL or rule.http != group[0].http):
            yield group
            group = []
        group.append(rule)
    if group:
        yield group


def _route(ingress: Ingress, group: list[IngressRule], settings: TrafficSettings) -> Route | None:
    path = _catch_all(group[0])
    fine = _fine_percents(ingress)
    if path is None or _leads_back(path) or not (shares := _shares(path, fine)):
        return None
    inside = [host for rule in group if rule.visibility == VISIBILITY_LOCAL for host in rule.hosts]
    outside = [host for rule in group if rule.visibility != VISIBILITY_LOCAL for host in rule.hosts]
    hosts = hosts_of(tuple(outside), settings.domain)
    local = tuple(host for host in local_hosts_of(tuple(inside)) if host not in hosts)
    if not hosts and not local:
        return None
    key = f"{ingress.uid}/{(local or hosts)[0]}"
    rules = tuple(
        HeaderRule(name, value, _split(ingress, settings, key, found, f"{name}={value}"))
        for name, value, by_header in _by_header(group[0])
        if (found := _shares(by_header, fine))
    )
    return Route(
        key,
        hosts,
        _split(ingress, settings, key, shares),
        local_hosts=local,
        rules=rules,
        host=path.rewrite_host,
        service=service_of(ingress),
        tag=_tag_of(ingress, (local or hosts)[0]),
    )


def _split(
    ingress: Ingress,
    settings: TrafficSettings,
    route: str,
    shares: tuple[Share, ...],
    rule: str = "",
) -> Split:
    """Return a route's own split, or the one that a header's `rule` chooses, as annotations ask."""
    annotations = ingress.metadata.annotations
    splitter = annotations.get(ANNOTATION_SPLITTER, "")
    sticky = of_split(_sticky(ingress), route, rule)
    return Split(
        f"{route}?{rule}" if rule else route,
        shares,
        splitter if splitter in SPLITTERS else settings.splitter,
        settings.seed,
        annotations.get(ANNOTATION_HASH_HEADER, "").lower(),
        sticky.kind,
        sticky.name,
        settings.epoch,
    )


def _sticky(ingress: Ingress) -> Stickiness:
    text = ingress.metadata.annotations.get(ANNOTATION_STICKY)
    try:
        return Stickiness() if text is None else parse_sticky(text)
    except ValueError:  # of an Ingress made by hand
        return Stickiness()


def _tag_of(ingress: Ingress, host: str) -> str:
    """Return the tag in a host's first label, which `tag-template` joins with the Route's name."""
    label = host.partition(".")[0]
    route = ingress.metadata.labels.get(LABEL_ROUTE, ingress.metadata.name)
    if label == route:
        return ""
    return label.removesuffix(f"-{route}").removeprefix(f"{route}-")


def _catch_all(rule: IngressRule) -> IngressPath | None:
    """Return the rule's first path that matches any request, if there is one."""
    every = (path for path in rule.http.paths if not path.headers and path.path in ("", "/"))
    return next(every, None)


def _by_header(rule: IngressRule) -> Iterator[tuple[str, str, IngressPath]]:
    """Yield the paths that match by one header, before the one that matches any request.

    What comes after that one is never reached. Two headers at once have no place in the table, and
    Knative makes no such path.
    """
    for path in rule.http.paths:
        if path.path not in ("", "/"):
            continue
        if not path.headers:
            return
        if len(path.headers) == 1:
            ((name, match),) = path.headers.items()
            yield name.lower(), match.get("exact", ""), path


def _leads_back(path: IngressPath) -> bool:
    """Tell whether the path's service is the one that its rewritten host names, inside.

    Such a service is no revision: in Knative it stands for the gateway's own inner listener.
    """
    if len(path.splits) != 1 or not path.rewrite_host:
        return False
    split = path.splits[0]
    inside = f"{split.service_name}.{split.service_namespace}{_INSIDE}."
    return path.rewrite_host.lower().startswith(inside.lower())


def _fine_percents(ingress: Ingress) -> dict[str, int]:
    """Return hundredths of a percent by revision, as the Route's controller writes them."""
    try:
        return parse_percents(ingress.metadata.annotations.get(ANNOTATION_TRAFFIC_PERCENT, ""))
    except ValueError:  # also of one that is not there
        return {}


def _shares(path: IngressPath, fine: dict[str, int]) -> tuple[Share, ...]:
    """Return the path's split, in finer percents where these refine its own."""
    splits = [
        (split, percent)
        for split in path.splits
        # A single split without a percent has all (networking `ingress_defaults.go`).
        if (percent := split.percent or (100 if len(path.splits) == 1 else 0)) > 0
    ]
    weights = [percent * WEIGHT_SCALE for _, percent in splits]
    if fine and _refines(fine, {split.service_name: percent for split, percent in splits}):
        weights = [fine[split.service_name] for split, _ in splits]
    return tuple(
        Share(
            backend_key(split.service_namespace, split.service_name),
            weight,
            tuple(
                (name, value)
                for name, value in (path.append_headers | split.append_headers).items()
                if name.lower() not in CONSUMED_HEADERS
            ),
        )
        for (split, _), weight in zip(splits, weights, strict=True)
    )


def _refines(fine: dict[str, int], percents: dict[str, int]) -> bool:
    return sum(fine.values()) == WHOLE and not why_unfit(fine, percents)
