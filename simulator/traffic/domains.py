"""Hosts and URLs of a Route and of its tags.

Sources: knative/serving `pkg/reconciler/route/domains/domains.go`; the stock `domain-template` and
`tag-template` of `config-network`; apimachinery `IsFullyQualifiedDomainName`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from simulator.resources.names import dns_1123_label_problems, dns_1123_subdomain_problems
from simulator.resources.serving import CLUSTER_LOCAL, LABEL_VISIBILITY


class Domains(Struct, frozen=True):
    """What the operator chose: `external` as in `config-domain`, `cluster` as in resolv.conf."""

    external: str = "example.com"
    cluster: str = "cluster.local"
    external_scheme: str = "http"


class InvalidDomain(ValueError):
    """The names make no host that DNS allows. The message is Knative's."""


def is_cluster_local(labels: Mapping[str, str]) -> bool:
    """Tell whether the Route is hidden from the outside."""
    return labels.get(LABEL_VISIBILITY) == CLUSTER_LOCAL


def hostname(route: str, tag: str) -> str:
    """Return the first label of the host: the Route's name, after its tag if there is one."""
    return f"{tag}-{route}" if tag else route


def external_host(domains: Domains, namespace: str, name: str) -> str:
    """Return the host for the outside; `name` is a `hostname`. Raise InvalidDomain."""
    return _checked(f"{name}.{namespace}.{domains.external}")


def local_host(domains: Domains, namespace: str, name: str) -> str:
    """Return the whole host inside the cluster; `name` is a `hostname`. Raise InvalidDomain."""
    return _checked(f"{name}.{namespace}.svc.{domains.cluster}")


def local_hosts(domains: Domains, namespace: str, name: str) -> tuple[str, ...]:
    """Return all hosts inside the cluster, the short ones too. Raise InvalidDomain."""
    whole = local_host(domains, namespace, name)
    return (f"{name}.{namespace}", f"{name}.{namespace}.svc", whole)


def url(domains: Domains, namespace: str, name: str, labels: Mapping[str, str]) -> str:
    """Return the URL that users of the Route with these labels see. Raise InvalidDomain."""
    if is_cluster_local(labels):
        return "http://" + local_host(domains, namespace, name)
    return f"{domains.external_scheme}://" + external_host(domains, namespace, name)


def _checked(host: str) -> str:
    if problem := _problem(host):
        raise InvalidDomain(f'domain name error: invalid domain name "{host}": url: {problem}')
    return host


def _problem(host: str) -> str | None:
    if problems := dns_1123_subdomain_problems(host):
        return f'Invalid value: "{host}": ' + ",".join(problems)
    labels = host.split(".")
    for label in labels:
        if problems := dns_1123_label_problems(label):
            return f'Invalid value: "{label}": ' + ",".join(problems)
    return None
