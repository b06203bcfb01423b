"""What an operator may set about admission: `config-defaults`, `config-features`, and the part of
`config-autoscaler` that admission reads. Stock values of knative/serving 1.23.
"""

from __future__ import annotations

import msgspec

from simulator.config.current import Config
from simulator.config.defaults import DefaultsConfig

STOCK_FEATURES = frozenset({"multi-container", "kubernetes.podspec-volumes-emptydir"})


class Defaults(DefaultsConfig, frozen=True):
    """What config-defaults says, and of other maps what admission asks for besides.

    Names are the maps' keys; times in seconds. `features` names what is enabled, `allowed` what is
    neither that nor disabled: a field may then be set, and what it needs besides is still off.
    """

    pod_autoscaler_class: str = "kpa.autoscaling.knative.dev"
    max_scale_limit: int = 0
    allow_zero_initial_scale: bool = False
    features: frozenset[str] = STOCK_FEATURES
    allowed: frozenset[str] = frozenset()

    def permits(self, feature: str) -> bool:
        """Tell whether the feature is not disabled."""
        return feature in self.features or feature in self.allowed


STOCK = Defaults()


def defaults_of(config: Config) -> Defaults:
    """Return what the operator's ConfigMaps say about admission."""
    return Defaults(
        **msgspec.structs.asdict(config.defaults),
        features=config.features.enabled,
        allowed=config.features.allowed,
        pod_autoscaler_class=config.autoscaler.pod_autoscaler_class,
        max_scale_limit=config.autoscaler.max_scale_limit,
        allow_zero_initial_scale=config.autoscaler.allow_zero_initial_scale,
    )
