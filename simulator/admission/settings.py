"""What an operator may set about admission: `config-defaults`, `config-features`, and the part of
`config-autoscaler` that admission reads. Stock values of knative/serving 1.23.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from simulator.config.current import Config

STOCK_FEATURES = frozenset({"multi-container", "kubernetes.podspec-volumes-emptydir"})


class Defaults(Struct, frozen=True):
    """Names are the config maps' keys; times in seconds. `features` names what is enabled."""

    revision_timeout_seconds: int = 300
    max_revision_timeout_seconds: int = 600
    revision_response_start_timeout_seconds: int = 300
    revision_idle_timeout_seconds: int = 0
    container_name_template: str = "user-container"
    init_container_name_template: str = "init-container"
    container_concurrency: int = 0
    container_concurrency_max_limit: int = 1000
    allow_container_concurrency_zero: bool = True
    enable_service_links: bool | None = False
    revision_requests: dict[str, str] = {}
    revision_limits: dict[str, str] = {}
    pod_autoscaler_class: str = "kpa.autoscaling.knative.dev"
    max_scale_limit: int = 0
    allow_zero_initial_scale: bool = False
    features: frozenset[str] = STOCK_FEATURES


STOCK = Defaults()


def defaults_of(config: Config) -> Defaults:
    """Return what the operator's ConfigMaps say about admission."""
    return Defaults(**msgspec.structs.asdict(config.defaults), features=config.features.permitted)
