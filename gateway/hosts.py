"""What one listener answers for: from the Host of a request to its route."""

from __future__ import annotations

from gateway.errors import NoRoute
from gateway.http1.head import check_host, host_of
from gateway.routes import CompiledRoute

HOST_VALUES_MAX = 65_536
HOST_VALUE_BYTES_MAX = 260  # a longer one is no usual name with its port, and is not kept
EVERY_HOST = "*"  # in a route's hosts: any that no other route has


class HostTable:
    """What one listener answers for: Host to route."""

    def __init__(self) -> None:
        self._routes: dict[str, CompiledRoute] = {}
        self._values: dict[bytes, CompiledRoute] = {}  # Host values as clients wrote them
        self._values_of: dict[CompiledRoute, list[bytes]] = {}

    def match(self, value: bytes) -> CompiledRoute:
        """Return the route of a Host value. Raise BadMessage or NoRoute."""
        route = self._values.get(value)
        if route is None:
            route = self._resolve(value)
        return route

    def holder(self, host: str) -> CompiledRoute | None:
        """Return the route that has this host (lower case, no port)."""
        return self._routes.get(host)

    def _resolve(self, value: bytes) -> CompiledRoute:
        if not value:
            raise NoRoute
        check_host(value)
        route = self._routes.get(host_of(value)) or self._routes.get(EVERY_HOST)
        if route is None:
            raise NoRoute
        if len(value) > HOST_VALUE_BYTES_MAX:
            return route
        if len(self._values) >= HOST_VALUES_MAX:
            self._values.clear()
            self._values_of.clear()
        self._values[value] = route
        self._values_of.setdefault(route, []).append(value)
        return route

    def put(self, route: CompiledRoute, hosts: tuple[str, ...]) -> None:
        if (default := self._routes.get(EVERY_HOST)) is not None:
            self.forget_values(default)  # some may be this route's from now on
        for host in hosts:
            self._routes[host] = route

    def forget(self, route: CompiledRoute, hosts: tuple[str, ...]) -> None:
        """Take the hosts from this route, but for those that another one has by now."""
        for host in hosts:
            if self._routes.get(host) is route:
                del self._routes[host]
        self.forget_values(route)

    def forget_values(self, route: CompiledRoute) -> None:
        """Look its Host values up anew."""
        for value in self._values_of.pop(route, ()):
            self._values.pop(value, None)
