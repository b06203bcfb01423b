"""Whether replicas get networks of their own: asked for, and allowed by this machine."""

from __future__ import annotations

from simulator.errors import KnaryError
from simulator.instance.options import ANY_NETWORK, HOST_NETWORK, OWN_NETWORK
from simulator.netns import obstacle


def settled(wanted: str) -> str:
    """Return "own" or "host" for what `--network` said. Raise KnaryError when it cannot be."""
    if wanted == HOST_NETWORK:
        return HOST_NETWORK
    why = obstacle()
    if not why:
        return OWN_NETWORK
    if wanted == ANY_NETWORK:
        return HOST_NETWORK
    raise KnaryError(
        f"replicas cannot have networks of their own here ({why}); "
        "see `knary doctor`, or use --network host"
    )
