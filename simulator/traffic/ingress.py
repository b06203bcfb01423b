"""The Ingress of a Route: which host splits its requests among which revisions.

Source: knative/serving `pkg/reconciler/route/resources/ingress.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from simulator.resources.meta import LAST_APPLIED, ObjectMeta, controller_reference
from simulator.resources.networking import (
    ANNOTATION_ROLLOUT,
    VISIBILITY_EXTERNAL,
    VISIBILITY_LOCAL,
    Ingress,
    IngressHttp,
    IngressPath,
    IngressRule,
    IngressSpec,
    IngressSplit,
)
from simulator.resources.percents import LATEST, parse_percents, why_unfit, written
from simulator.resources.serving import (
    ANNOTATION_TRAFFIC_PERCENT,
    LABEL_ROUTE,
    LABEL_ROUTE_NAMESPACE,
    Route,
)
from simulator.traffic.domains import (
    Domains,
    external_host,
    hostname,
    is_cluster_local,
    local_hosts,
    seen_as,
)
from simulator.traffic.rollout import Rollout, goal, is_over, serialize
from simulator.traffic.targets import Assigned, Target

HEADER_REVISION = "Knative-Serving-Revision"
HEADER_NAMESPACE = "Knative-Serving-Namespace"
HEADER_TAG = "Knative-Serving-Tag"
HEADER_DEFAULT_ROUTE = "Knative-Serving-Default-Route"
_NOT_COPIED = frozenset({LAST_APPLIED, ANNOTATION_TRAFFIC_PERCENT})
PORT_HTTP1, PORT_H2C = 80, 81  # of a revision's service (networking `ServicePort`)


def make_ingress(
    route: Route,
    assigned: Assigned,
    domains: Domains,
    rollout: Rollout | None = None,
    *,
    by_tag_header: bool = False,
    hidden: frozenset[str] = frozenset(),
) -> Ingress:
    """Return the Ingress that sends the Route's requests where they were assigned.

    Each group has a rule for its hosts inside the cluster and, unless the Route is cluster-local,
    one for its host outside. What `rollout` moves gradually is split as it says; without one,
    all is as it should be. With `by_tag_header` a request to the default host may name a tag in
    a header (feature tag-header-based-routing). `hidden` names have no host outside. Raise
    InvalidDomain.
    """
    meta = route.metadata
    rollout = goal(assigned) if rollout is None else rollout
    paths = {
        tag: _path(meta.namespace, _shares(tag, assigned.groups[tag], rollout))
        for tag in sorted(assigned.groups)
    }
    rules: list[IngressRule] = []
    for tag, path in paths.items():
        http = IngressHttp(_with_tag_headers(tag, paths) if by_tag_header else (path,))
        name = hostname(domains, meta.name, tag)
        hosts = local_hosts(domains, meta.namespace, name)
        rules.append(IngressRule(hosts, VISIBILITY_LOCAL, http))
        seen = seen_as(meta, name, hidden)
        if not is_cluster_local(domains, seen):
            host = external_host(domains, seen, name)
            rules.append(IngressRule((host,), VISIBILITY_EXTERNAL, http))
    return Ingress(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels=meta.labels | {LABEL_ROUTE: meta.name, LABEL_ROUTE_NAMESPACE: meta.namespace},
            annotations={k: v for k, v in meta.annotations.items() if k not in _NOT_COPIED}
            | _fine_percents(route, assigned, rollout)
            | {ANNOTATION_ROLLOUT: serialize(rollout)},
            owner_references=(controller_reference(route),),
        ),
        spec=IngressSpec(http_option="Enabled", rules=tuple(rules)),
    )


def _shares(
    tag: str, targets: tuple[Target, ...], rollout: Rollout
) -> Iterator[tuple[Target, str, int]]:
    """Yield the revisions of a group, each with its percent, and the target it is there for."""
    for target in targets:
        moving = rollout.of(tag, target.configuration_name) if target.latest_revision else None
        if moving is None or len(moving.revisions) < 2:
            yield target, target.revision_name, target.percent
        else:
            for revision in moving.revisions:
                yield target, revision.revision_name, revision.percent


def _fine_percents(route: Route, assigned: Assigned, rollout: Rollout) -> dict[str, str]:
    """Return the annotation with its revisions by name, if it refines what is split now.

    While a rollout moves percents step by step, the whole ones are all there is.
    """
    text = route.metadata.annotations.get(ANNOTATION_TRAFFIC_PERCENT, "")
    try:
        asked = parse_percents(text)
    except ValueError:  # also of one that is not there
        return {}
    percents: dict[str, int] = {}
    revisions: dict[str, str] = {}
    for target in assigned.targets:
        if target.percent:
            name = LATEST if target.latest_revision else target.revision_name
            percents[name] = percents.get(name, 0) + target.percent
            if revisions.setdefault(name, target.revision_name) != target.revision_name:
                return {}  # the newest ones of two Configurations
    if why_unfit(asked, percents) or not is_over(rollout):
        return {}
    found: dict[str, int] = {}
    for name, revision in revisions.items():
        found[revision] = found.get(revision, 0) + asked[name]
    return {ANNOTATION_TRAFFIC_PERCENT: written(found)}


def _with_tag_headers(tag: str, paths: Mapping[str, IngressPath]) -> tuple[IngressPath, ...]:
    """Return a group's paths when headers choose among them; apps are told how it came about."""
    if tag:
        return (replace(paths[tag], append_headers={HEADER_TAG: tag}),)
    by_header = tuple(
        replace(path, headers={HEADER_TAG: {"exact": named}})
        for named, path in paths.items()
        if named
    )
    return (*by_header, replace(paths[tag], append_headers={HEADER_DEFAULT_ROUTE: "true"}))


def _path(namespace: str, shares: Iterable[tuple[Target, str, int]]) -> IngressPath:
    """Return the path that splits so; a revision that is there more than once has one split."""
    splits: dict[str, IngressSplit] = {}
    for target, name, percent in shares:
        if percent:
            known = splits.get(name)
            splits[name] = IngressSplit(
                service_namespace=namespace,
                service_name=name,
                service_port=PORT_H2C if target.h2c else PORT_HTTP1,
                percent=percent + (known.percent if known else 0),
                append_headers={HEADER_NAMESPACE: namespace, HEADER_REVISION: name},
            )
    return IngressPath(splits=tuple(splits.values()))
