"""`config-features`: what is on, off or left to each object.

Source: knative/serving `pkg/apis/config/features.go`. A value that is no flag changes nothing, and
is not refused either.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

ENABLED, ALLOWED, DISABLED = "Enabled", "Allowed", "Disabled"
ALLOW_ROOT_BOUNDED = "AllowRootBounded"  # of SECURE_POD_DEFAULTS alone, in the place of Allowed
SECURE_POD_DEFAULTS = "secure-pod-defaults"
TAG_HEADER_BASED_ROUTING = "tag-header-based-routing"

_FLAGS = {flag.lower(): flag for flag in (ENABLED, ALLOWED, DISABLED)}
_SECURE_FLAGS = {flag.lower(): flag for flag in (ENABLED, ALLOW_ROOT_BOUNDED, DISABLED)}
_STOCK = {
    "multi-container": ENABLED,
    "kubernetes.podspec-volumes-emptydir": ENABLED,
}


class FeaturesConfig(Struct, frozen=True):
    """Flags by their key; what is not there is Disabled."""

    flags: dict[str, str] = field(default_factory=lambda: dict(_STOCK))

    @property
    def tag_header_based_routing(self) -> bool:
        """Tell whether requests may choose a tag by a header; Allowed is not enough."""
        return self.flags.get(TAG_HEADER_BASED_ROUTING) == ENABLED

    @property
    def enabled(self) -> frozenset[str]:
        """Return the keys that are Enabled."""
        return frozenset(key for key, flag in self.flags.items() if flag == ENABLED)

    @property
    def allowed(self) -> frozenset[str]:
        """Return the keys that are neither Enabled nor Disabled."""
        return frozenset(key for key, flag in self.flags.items() if flag not in (ENABLED, DISABLED))


def read_features(data: Mapping[str, str]) -> FeaturesConfig:
    """Return what the map says."""
    given = {key: flag for key, text in data.items() if (flag := _flag(key, text)) is not None}
    return FeaturesConfig(_STOCK | given)


def _flag(key: str, text: str) -> str | None:
    flags = _SECURE_FLAGS if key == SECURE_POD_DEFAULTS else _FLAGS
    return flags.get(text.lower())
