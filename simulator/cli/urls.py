"""Where a service is reached from this machine. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from simulator.errors import KnaryError


class Reach(NamedTuple):
    """The host that the gateway routes by, and an address that a browser opens."""

    host: str
    browser: str


def reach_of(service: dict[str, Any], tag: str | None, gateway: str, domain: str) -> Reach:
    """Return how to reach a service, or the revision behind a tag of it.

    Every outside host "X.DOMAIN" is served as "X.localhost" too, which resolvers keep on this
    machine (RFC 6761, 6.3). Raise KnaryError when the service has no such address.
    """
    name = service["metadata"]["name"]
    status = service.get("status", {})
    url = status.get("url", "")
    if tag is not None:
        targets = status.get("traffic") or ()
        tags = {target["tag"]: target.get("url", "") for target in targets if target.get("tag")}
        if tag not in tags:
            known = ", ".join(sorted(tags)) or "none"
            raise KnaryError(f"service '{name}' has no tag '{tag}'; it has: {known}")
        url = tags[tag]
    host = urlsplit(url).hostname or ""
    if not host:
        raise KnaryError(
            f"service '{name}' has no address yet: see `knary service describe {name}`"
        )
    if host.endswith(".svc.cluster.local"):
        raise KnaryError(
            f"service '{name}' is cluster-local: it has no address outside; give it one with"
            f" `knary service update {name} --no-cluster-local`"
        )
    port = urlsplit(gateway).port or 80
    local = f"{host.removesuffix('.' + domain)}.localhost" if host.endswith("." + domain) else host
    return Reach(host, f"http://{local}:{port}" if port != 80 else f"http://{local}")
