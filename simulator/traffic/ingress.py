"""The Ingress of a Route: which host splits its requests among which revisions.

Source: knative/serving `pkg/reconciler/route/resources/ingress.go`.
"""

from __future__ import annotations

from simulator.resources.meta import LAST_APPLIED, ObjectMeta, controller_reference
from simulator.resources.networking import (
    VISIBILITY_EXTERNAL,
    VISIBILITY_LOCAL,
    Ingress,
    IngressHttp,
    IngressPath,
    IngressRule,
    IngressSpec,
    IngressSplit,
)
from simulator.resources.serving import LABEL_ROUTE, LABEL_ROUTE_NAMESPACE, Route
from simulator.traffic.domains import (
    Domains,
    external_host,
    hostname,
    is_cluster_local,
    local_hosts,
)
from simulator.traffic.targets import Assigned, Target

HEADER_REVISION = "Knative-Serving-Revision"
HEADER_NAMESPACE = "Knative-Serving-Namespace"
PORT_HTTP1, PORT_H2C = 80, 81  # of a revision's service (networking `ServicePort`)


def make_ingress(route: Route, assigned: Assigned, domains: Domains) -> Ingress:
    """Return the Ingress that sends the Route's requests where they were assigned.

    Each group has a rule for its hosts inside the cluster and, unless the Route is cluster-local,
    one for its host outside. Raise InvalidDomain.
    """
    meta = route.metadata
    rules: list[IngressRule] = []
    for tag in sorted(assigned.groups):
        http = IngressHttp(paths=(_path(meta.namespace, assigned.groups[tag]),))
        name = hostname(meta.name, tag)
        hosts = local_hosts(domains, meta.namespace, name)
        rules.append(IngressRule(hosts, VISIBILITY_LOCAL, http))
        if not is_cluster_local(meta.labels):
            host = external_host(domains, meta.namespace, name)
            rules.append(IngressRule((host,), VISIBILITY_EXTERNAL, http))
    return Ingress(
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            labels=meta.labels | {LABEL_ROUTE: meta.name, LABEL_ROUTE_NAMESPACE: meta.namespace},
            annotations={k: v for k, v in meta.annotations.items() if k != LAST_APPLIED},
            owner_references=(controller_reference(route),),
        ),
        spec=IngressSpec(http_option="Enabled", rules=tuple(rules)),
    )


def _path(namespace: str, targets: tuple[Target, ...]) -> IngressPath:
    splits = tuple(
        IngressSplit(
            service_namespace=namespace,
            service_name=target.revision_name,
            service_port=PORT_H2C if target.h2c else PORT_HTTP1,
            percent=target.percent,
            append_headers={
                HEADER_NAMESPACE: namespace,
                HEADER_REVISION: target.revision_name,
            },
        )
        for target in targets
        if target.percent
    )
    return IngressPath(splits=splits)
