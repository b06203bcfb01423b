"""Hosts and URLs of a Route and of its tags.

Sources: knative/serving `pkg/reconciler/route/domains/domains.go`; apimachinery
`IsFullyQualifiedDomainName`.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from simulator.config.current import Config
from simulator.config.domain import DomainConfig
from simulator.config.network import DOMAIN_TEMPLATE, TAG_TEMPLATE, domain_of, tagged
from simulator.config.parsing import ConfigError
from simulator.resources.meta import ObjectMeta
from simulator.resources.names import dns_1123_label_problems, dns_1123_subdomain_problems
from simulator.resources.serving import CLUSTER_LOCAL, LABEL_VISIBILITY


class Domains(Struct, frozen=True):
    """What the operator chose: `external` where `by_labels` says nothing, `cluster` as in
    resolv.conf, and the templates of `config-network`.
    """

    external: str = "example.com"
    cluster: str = "cluster.local"
    external_scheme: str = "http"
    by_labels: DomainConfig = DomainConfig()
    domain_template: str = DOMAIN_TEMPLATE
    tag_template: str = TAG_TEMPLATE

    def configured(self, config: Config) -> Domains:
        """Return these as `config-domain` and `config-network` have it."""
        return replace(
            self,
            by_labels=config.domain,
            external_scheme=config.network.default_external_scheme,
            domain_template=config.network.domain_template,
            tag_template=config.network.tag_template,
        )

    def of(self, meta: ObjectMeta) -> str:
        """Return the domain that a Route with this metadata is in."""
        if meta.labels.get(LABEL_VISIBILITY) == CLUSTER_LOCAL:
            return f"svc.{self.cluster}"
        return self.by_labels.domain_for(meta.labels, self.external)


def seen_as(meta: ObjectMeta, name: str, hidden: frozenset[str]) -> ObjectMeta:
    """Return a Route's metadata as it counts for one of its names; `hidden` ones are local."""
    if name not in hidden:
        return meta
    return replace(meta, labels=meta.labels | {LABEL_VISIBILITY: CLUSTER_LOCAL})


class InvalidDomain(ValueError):
    """The names make no host that DNS allows. The message is Knative's."""


def is_cluster_local(domains: Domains, meta: ObjectMeta) -> bool:
    """Tell whether the Route is hidden from the outside, by its label or by its domain."""
    return domains.of(meta).endswith(domains.cluster)


def hostname(domains: Domains, route: str, tag: str) -> str:
    """Return the first label of the host: the Route's name, with its tag if there is one.

    Raise InvalidDomain.
    """
    try:
        return tagged(domains.tag_template, route, tag) if tag else route
    except ConfigError as error:
        why = f"domain name error: error executing the TagTemplate: {error}"
        raise InvalidDomain(why) from error


def external_host(domains: Domains, meta: ObjectMeta, name: str) -> str:
    """Return a Route's host for the outside; `name` is a `hostname`. Raise InvalidDomain."""
    domain = domains.of(meta)
    try:
        host = domain_of(
            domains.domain_template, name, meta.namespace, domain, meta.labels, meta.annotations
        )
    except ConfigError as error:
        why = f"domain name error: error executing the DomainTemplate: {error}"
        raise InvalidDomain(why) from error
    return _checked(host)


def local_host(domains: Domains, namespace: str, name: str) -> str:
    """Return the whole host inside the cluster; `name` is a `hostname`. Raise InvalidDomain."""
    return _checked(f"{name}.{namespace}.svc.{domains.cluster}")


def local_hosts(domains: Domains, namespace: str, name: str) -> tuple[str, ...]:
    """Return all hosts inside the cluster, the short ones too. Raise InvalidDomain."""
    whole = local_host(domains, namespace, name)
    return (f"{name}.{namespace}", f"{name}.{namespace}.svc", whole)


def host_of(domains: Domains, meta: ObjectMeta, name: str) -> str:
    """Return the host that users of the Route see; `name` is a `hostname`. Raise InvalidDomain."""
    if is_cluster_local(domains, meta):
        return local_host(domains, meta.namespace, name)
    return external_host(domains, meta, name)


def url(domains: Domains, meta: ObjectMeta, name: str) -> str:
    """Return the URL that users of the Route see; `name` is a `hostname`. Raise InvalidDomain."""
    scheme = "http" if is_cluster_local(domains, meta) else domains.external_scheme
    return f"{scheme}://{host_of(domains, meta, name)}"


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
