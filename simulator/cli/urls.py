"""Where a service is reached from this machine. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from simulator.errors import KnaryError

INSIDE = ".svc.cluster.local"


class Gateway(NamedTuple):
    """The gateway's two base URLs and the domain of the hosts for the outside."""

    outside: str
    inside: str
    domain: str

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Gateway:
        """Return that of an instance's description."""
        names = ("gateway", "gatewayLocal", "domain")
        return cls(*(str(description.get(name, "")) for name in names))


class Reach(NamedTuple):
    """The host that the gateway routes by, its base URL, and an address that a browser opens."""

    host: str
    gateway: str
    browser: str


def reach_of(service: dict[str, Any], tag: str | None, gateway: Gateway) -> Reach:
    """Return how to reach a service, or the revision behind a tag of it.

    Every outside host "X.DOMAIN" is served as "X.localhost" too, which resolvers keep on this
    machine (RFC 6761, 6.3), and "X.svc.cluster.local" as "X.svc.localhost". Raise KnaryError when
    the service has no such address.
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
    return _through(gateway, host)


def _through(gateway: Gateway, host: str) -> Reach:
    base, local = gateway.outside, host
    if host.endswith(INSIDE):
        base, local = gateway.inside, f"{host.removesuffix(INSIDE)}.svc.localhost"
    elif host.endswith(f".{gateway.domain}"):
        local = f"{host.removesuffix(f'.{gateway.domain}')}.localhost"
    port = urlsplit(base).port or 80
    return Reach(host, base, f"http://{local}:{port}" if port != 80 else f"http://{local}")


def grpc_hint(service: dict[str, Any], reach: Reach) -> str:
    """Return the line that calls a gRPC service by hand; "" when its port speaks HTTP/1.1."""
    template = service.get("spec", {}).get("template", {}).get("spec", {})
    containers = template.get("containers") or ()
    ports = [port for container in containers for port in container.get("ports") or ()]
    if not any(port.get("name") == "h2c" for port in ports):
        return ""
    where = urlsplit(reach.gateway)
    address = f"{where.hostname}:{where.port or 80}"
    return f"gRPC: grpcurl -plaintext -authority {reach.host} {address} list"
