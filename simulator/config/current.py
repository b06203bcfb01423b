"""All of Knative's ConfigMaps as one value, as they are stored now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from simulator.config.defaults import DefaultsConfig, read_defaults
from simulator.config.domain import DomainConfig, read_domain
from simulator.config.features import FeaturesConfig, read_features
from simulator.config.network import NetworkConfig, read_network
from simulator.config.parsing import ConfigError
from simulator.resources.core import ConfigMap
from simulator.resources.meta import R, Resource

NAMESPACE = "knative-serving"
DEFAULTS, DOMAIN, FEATURES, NETWORK = (
    "config-defaults",
    "config-domain",
    "config-features",
    "config-network",
)

READERS: dict[str, Callable[[Mapping[str, str]], Struct]] = {
    DEFAULTS: read_defaults,
    DOMAIN: read_domain,
    FEATURES: read_features,
    NETWORK: read_network,
}

# What an operator expects to find, and to be accepted; what nobody reads yet has no effect.
NAMES = (
    "config-autoscaler",
    DEFAULTS,
    "config-deployment",
    DOMAIN,
    FEATURES,
    "config-gc",
    NETWORK,
    "config-observability",
)


class Config(Struct, frozen=True):
    """What the operator set, or Knative's stock."""

    defaults: DefaultsConfig = DefaultsConfig()
    domain: DomainConfig = DomainConfig()
    features: FeaturesConfig = FeaturesConfig()
    network: NetworkConfig = NetworkConfig()


STOCK = Config()


class Maps(Protocol):
    """Where objects are read from: the store, or a reader of it."""

    def get(self, kind: type[R], namespace: str, name: str) -> R | None: ...


def config_of(maps: Maps) -> Config:
    """Return the maps as they are stored; one that is missing, or cannot be read, is stock."""
    return Config(
        defaults=_read(maps, DEFAULTS, read_defaults, STOCK.defaults),
        domain=_read(maps, DOMAIN, read_domain, STOCK.domain),
        features=_read(maps, FEATURES, read_features, STOCK.features),
        network=_read(maps, NETWORK, read_network, STOCK.network),
    )


def is_config(obj: Resource) -> bool:
    """Tell whether the object is one of these maps."""
    meta = obj.metadata
    return isinstance(obj, ConfigMap) and meta.namespace == NAMESPACE and meta.name in NAMES


def check(name: str, data: Mapping[str, str]) -> None:
    """Raise ConfigError when the map of that name may not be so."""
    if name in READERS:
        READERS[name](data)


def _read(maps: Maps, name: str, reader: Callable[[Mapping[str, str]], Any], stock: Any) -> Any:
    found = maps.get(ConfigMap, NAMESPACE, name)
    if found is None or not found.data:
        return stock
    try:
        return reader(found.data)
    except ConfigError:
        return stock
