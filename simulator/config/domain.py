"""`config-domain`: which domain a Route is in, by its labels.

Source: knative/serving `pkg/reconciler/route/config/domain.go`. Where that falls back to the
cluster's own domain, a Route here is in the instance's (`knary up --domain`).
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml
from msgspec import Struct

from simulator.config.parsing import ConfigError
from simulator.resources.names import dns_1123_subdomain_problems


class DomainConfig(Struct, frozen=True):
    """Domains, each with the labels that a Route must have to be in it; none is any Route."""

    selectors: dict[str, dict[str, str]] = {}

    def domain_for(self, labels: Mapping[str, str], default: str) -> str:
        """Return the domain whose selector says most; of equals the first by name."""
        fitting = [
            (-len(selector), domain)
            for domain, selector in self.selectors.items()
            if all(labels.get(key) == value for key, value in selector.items())
        ]
        return min(fitting)[1] if fitting else default


def read_domain(data: Mapping[str, str]) -> DomainConfig:
    """Return what the map says. Raise ConfigError."""
    return DomainConfig({domain: _selector(domain, text) for domain, text in data.items()})


def _selector(domain: str, text: str) -> dict[str, str]:
    if dns_1123_subdomain_problems(domain):
        raise ConfigError(f"{domain!r} is no domain name; write one like example.com")
    try:
        found = yaml.safe_load(text) or {}
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{domain}: {' '.join(str(error).split())}") from error
    selector = found.get("selector") or {} if isinstance(found, dict) else None
    if not isinstance(selector, dict) or not all(
        isinstance(part, str) for pair in selector.items() for part in pair
    ):
        raise ConfigError(f"{domain}: want nothing, or `selector:` with labels and their values")
    return selector
