"""knary.dev/v1 Fault: what is done on purpose to a part of a service's requests.

A kind of its own, so that the store, kubectl, resets and snapshots have it like any other: it is
there until it is deleted. Types and attributes are toxiproxy's toxics', with Envoy's abort.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from msgspec import Struct, field

from simulator.resources.meta import Resource

GROUP: Final = "knary.dev"

STREAMS: Final = ("downstream", "upstream")

_MS: Final = (0, 3_600_000)
_BYTES: Final = (0, 1 << 40)
# Each attribute's least and most, and those that a type cannot do without.
ATTRIBUTES: Final[Mapping[str, Mapping[str, tuple[int, int]]]] = {
    "latency": {"latency": _MS, "jitter": _MS},
    "bandwidth": {"rate": (1, 10_000_000)},
    "slow_close": {"delay": _MS},
    "timeout": {"timeout": _MS},
    "reset_peer": {"timeout": _MS},
    "slicer": {"average_size": (1, 1 << 40), "size_variation": _BYTES, "delay": (0, 60_000_000)},
    "limit_data": {"bytes": _BYTES},
    "abort": {"status": (400, 599)},
    "corrupt": {"bytes": _BYTES},
}
NEEDED: Final[Mapping[str, str]] = {
    "latency": "latency",
    "bandwidth": "rate",
    "slow_close": "delay",
    "slicer": "average_size",
    "limit_data": "bytes",
}


class FaultSpec(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Without a revision and a tag it is about all requests of the service."""

    service: str = ""
    revision: str = ""
    tag: str = ""
    type: str = ""
    # Factories, so that both are written even when nobody asked for another.
    stream: str = field(default_factory=lambda: "downstream")
    toxicity: float = field(default_factory=lambda: 1.0)
    attributes: dict[str, int] = field(default_factory=dict)


class Fault(Resource, frozen=True):
    API_VERSION: ClassVar[str] = f"{GROUP}/v1"
    KIND: ClassVar[str] = "Fault"

    spec: FaultSpec = field(default_factory=FaultSpec)
