"""Label and field selectors: which objects a client means."""

from __future__ import annotations

from msgspec import Struct

from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo


class Selector(Struct, frozen=True):
    """A conjunction of label and field requirements. An empty one matches everything."""

    def matches(self, resource: Resource) -> bool:
        """Tell whether the object satisfies every requirement."""
        raise NotImplementedError


def parse_selector(info: KindInfo, labels: str = "", fields: str = "") -> Selector:
    """Return what `labelSelector` and `fieldSelector` ask for; raise BadRequest."""
    raise NotImplementedError
