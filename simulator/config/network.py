"""`config-network`: how hosts are named and who may map domains.

Source: knative/networking `pkg/config/config.go`; stock values of 1.23.
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml
from msgspec import Struct

from simulator.config.parsing import ConfigError, boolean_of, integer_of, text_of
from simulator.config.templates import render
from simulator.resources.wording import quoted

DOMAIN_TEMPLATE = "{{.Name}}.{{.Namespace}}.{{.Domain}}"
TAG_TEMPLATE = "{{.Tag}}-{{.Name}}"
HTTP_PROTOCOLS = ("enabled", "disabled", "redirected")

_RENAMED = {
    "autocreateClusterDomainClaims": "autocreate-cluster-domain-claims",
    "defaultExternalScheme": "default-external-scheme",
    "domainTemplate": "domain-template",
    "httpProtocol": "http-protocol",
    "rolloutDuration": "rollout-duration",
    "tagTemplate": "tag-template",
}


class NetworkConfig(Struct, frozen=True):
    """Without TLS `http_protocol` changes nothing; it is read to be refused when it is unknown."""

    domain_template: str = DOMAIN_TEMPLATE
    tag_template: str = TAG_TEMPLATE
    rollout_duration_s: int = 0
    autocreate_cluster_domain_claims: bool = False
    default_external_scheme: str = "http"
    http_protocol: str = "enabled"


def read_network(data: Mapping[str, str]) -> NetworkConfig:
    """Return what the map says. Raise ConfigError."""
    stock = NetworkConfig()
    data = _renamed(data)
    network = NetworkConfig(
        domain_template=text_of(data, "domain-template", stock.domain_template),
        tag_template=text_of(data, "tag-template", stock.tag_template),
        rollout_duration_s=integer_of(data, "rollout-duration", stock.rollout_duration_s),
        autocreate_cluster_domain_claims=boolean_of(
            data,
            "autocreate-cluster-domain-claims",
            default=stock.autocreate_cluster_domain_claims,
        ),
        default_external_scheme=text_of(
            data, "default-external-scheme", stock.default_external_scheme
        ),
        http_protocol=data.get("http-protocol", "").lower() or stock.http_protocol,
    )
    for key in ("enable-mesh-pod-addressability", "internal-encryption"):
        boolean_of(data, key, default=False)
    _check_selector(data.get("namespace-wildcard-cert-selector", ""))
    if network.rollout_duration_s < 0:
        raise ConfigError(
            f"rollout-duration must be a positive integer, but was {network.rollout_duration_s}"
        )
    host = domain_of(network.domain_template, "foo", "bar", "baz.com", {}, {})
    if not host.partition("/")[0]:
        raise ConfigError("empty hostname")
    if "/" in host:
        raise ConfigError(f"domain template has url path: {host[host.index('/') :]}")
    tagged(network.tag_template, "foo", "v2")
    if network.http_protocol not in HTTP_PROTOCOLS:
        raise ConfigError(
            f"httpProtocol {data['http-protocol']} in config-network ConfigMap is not supported"
        )
    for key in ("system-internal-tls", "cluster-local-domain-tls"):
        if data.get(key, "").lower() not in ("", "enabled", "disabled"):
            raise ConfigError(
                f"{key} with value: {quoted(data[key])} in config-network ConfigMap"
                " is not supported"
            )
    return network


def _renamed(data: Mapping[str, str]) -> dict[str, str]:
    """Return the map with today's name for each key; where both are there, that one counts."""
    return {_RENAMED[key]: text for key, text in data.items() if key in _RENAMED} | dict(data)


def _check_selector(text: str) -> None:
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(" ".join(str(error).split())) from error
    if found is not None and not isinstance(found, dict):
        raise ConfigError("namespace-wildcard-cert-selector: want a label selector")


def domain_of(
    template: str,
    name: str,
    namespace: str,
    domain: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
) -> str:
    """Return the host by a `domain-template`; `name` has its tag already. Raise ConfigError."""
    if template == DOMAIN_TEMPLATE:
        return f"{name}.{namespace}.{domain}"
    return render(
        template,
        {
            "Name": name,
            "Namespace": namespace,
            "Domain": domain,
            "Annotations": annotations,
            "Labels": labels,
        },
    )


def tagged(template: str, name: str, tag: str) -> str:
    """Return a route's name with its tag, by a `tag-template`. Raise ConfigError."""
    if template == TAG_TEMPLATE:
        return f"{tag}-{name}"
    return render(template, {"Name": name, "Tag": tag})
