"""`config-features`: what is on, off or left to each object.

Source: knative/serving `pkg/apis/config/features.go`. A value that is no flag changes nothing, and
is not refused either.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

ENABLED, ALLOWED, DISABLED = "Enabled", "Allowed", "Disabled"
TAG_HEADER_BASED_ROUTING = "tag-header-based-routing"

_FLAGS = {flag.lower(): flag for flag in (ENABLED, ALLOWED, DISABLED)}
_STOCK = {
    "multi-container": ENABLED,
    "kubernetes.podspec-volumes-emptydir": ENABLED,
    "kubernetes.podspec-dryrun": ALLOWED,
}


class FeaturesConfig(Struct, frozen=True):
    """Flags by their key; what is not there is Disabled."""

    flags: dict[str, str] = field(default_factory=lambda: dict(_STOCK))

    @property
    def tag_header_based_routing(self) -> bool:
        """Tell whether requests may choose a tag by a header; Allowed is not enough."""
        return self.flags.get(TAG_HEADER_BASED_ROUTING) == ENABLED

    @property
    def permitted(self) -> frozenset[str]:
        """Return the keys that are Enabled or Allowed: what validation lets pass."""
        return frozenset(key for key, flag in self.flags.items() if flag != DISABLED)


def read_features(data: Mapping[str, str]) -> FeaturesConfig:
    """Return what the map says."""
    given = {key: _FLAGS[text.lower()] for key, text in data.items() if text.lower() in _FLAGS}
    return FeaturesConfig(_STOCK | given)
