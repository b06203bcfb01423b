"""All of Knative's ConfigMaps as one value, as they are stored now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from msgspec import Struct

from simulator.config.autoscaler import AutoscalerConfig, read_autoscaler
from simulator.config.components import check_leader_election, check_logging
from simulator.config.defaults import DefaultsConfig, read_defaults
from simulator.config.deployment import DeploymentConfig, read_deployment
from simulator.config.domain import DomainConfig, read_domain
from simulator.config.features import FeaturesConfig, read_features
from simulator.config.network import NetworkConfig, read_network
from simulator.config.observability import ObservabilityConfig, read_observability
from simulator.config.parsing import (
    ANNOTATION_EXAMPLE_CHECKSUM,
    EXAMPLE,
    ConfigError,
    example_checksum,
    without_example,
)
from simulator.config.revisiongc import RevisionGcConfig, read_revision_gc
from simulator.resources.core import ConfigMap
from simulator.resources.meta import R, Resource
from simulator.resources.wording import quoted

NAMESPACE = "knative-serving"

AUTOSCALER = "config-autoscaler"
DEFAULTS = "config-defaults"
DEPLOYMENT = "config-deployment"
DOMAIN = "config-domain"
FEATURES = "config-features"
GC = "config-gc"
LEADER_ELECTION = "config-leader-election"
LOGGING = "config-logging"
NETWORK = "config-network"
OBSERVABILITY = "config-observability"

READERS: dict[str, Callable[[Mapping[str, str]], Struct]] = {
    AUTOSCALER: read_autoscaler,
    DEFAULTS: read_defaults,
    DEPLOYMENT: read_deployment,
    DOMAIN: read_domain,
    FEATURES: read_features,
    GC: read_revision_gc,
    LEADER_ELECTION: check_leader_election,
    LOGGING: check_logging,
    NETWORK: read_network,
    OBSERVABILITY: read_observability,
}
NAMES = tuple(READERS)


class Config(Struct, frozen=True):
    """What the operator set, or Knative's stock."""

    autoscaler: AutoscalerConfig = AutoscalerConfig()
    defaults: DefaultsConfig = DefaultsConfig()
    deployment: DeploymentConfig = DeploymentConfig()
    domain: DomainConfig = DomainConfig()
    features: FeaturesConfig = FeaturesConfig()
    gc: RevisionGcConfig = RevisionGcConfig()
    network: NetworkConfig = NetworkConfig()
    observability: ObservabilityConfig = ObservabilityConfig()


STOCK = Config()


class Maps(Protocol):
    """Where objects are read from: the store, or a reader of it."""

    def get(self, kind: type[R], namespace: str, name: str) -> R | None: ...


def config_of(maps: Maps) -> Config:
    """Return the maps as they are stored; one that is missing, or cannot be read, is stock."""
    return Config(
        autoscaler=_read(maps, AUTOSCALER, STOCK.autoscaler),
        defaults=_read(maps, DEFAULTS, STOCK.defaults),
        deployment=_read(maps, DEPLOYMENT, STOCK.deployment),
        domain=_read(maps, DOMAIN, STOCK.domain),
        features=_read(maps, FEATURES, STOCK.features),
        gc=_read(maps, GC, STOCK.gc),
        network=_read(maps, NETWORK, STOCK.network),
        observability=_read(maps, OBSERVABILITY, STOCK.observability),
    )


def is_config(obj: Resource, *names: str) -> bool:
    """Tell whether the object is one of these maps; without names, any of them."""
    meta = obj.metadata
    return (
        isinstance(obj, ConfigMap) and meta.namespace == NAMESPACE and meta.name in (names or NAMES)
    )


def check(config_map: ConfigMap) -> None:
    """Raise ConfigError when one of these maps may not be so (knative/pkg `webhook/configmaps`)."""
    data, annotations = config_map.data, config_map.metadata.annotations
    checksum = annotations.get(ANNOTATION_EXAMPLE_CHECKSUM)
    if EXAMPLE in data and checksum not in (None, example_checksum(data[EXAMPLE])):
        raise ConfigError(
            f"the update modifies a key in {quoted(EXAMPLE)} which is probably not what you want."
            " Instead, copy the respective setting to the top-level of the ConfigMap, directly"
            f" below {quoted('data')}"
        )
    READERS[config_map.metadata.name](without_example(data))


def _read(maps: Maps, name: str, stock: Any) -> Any:
    found = maps.get(ConfigMap, NAMESPACE, name)
    if found is None or not found.data:
        return stock
    return _parsed(name, tuple(found.data.items())) or stock


# Controllers ask at every turn, and the maps hardly ever change. The bound: a few of each.
@lru_cache(maxsize=64)
def _parsed(name: str, data: tuple[tuple[str, str], ...]) -> Struct | None:
    """Return what a map says, or None when it cannot be read."""
    try:
        return READERS[name](without_example(dict(data)))
    except ConfigError:
        return None
