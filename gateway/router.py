"""The compiled table in use, and the turns of every split. `install` swaps it in one step."""

from __future__ import annotations

from collections.abc import Callable
from random import Random, SystemRandom

from gateway.contract import Backend, Delta, Route, RouteTable, Share, Split
from gateway.errors import NoRoute
from gateway.http1.head import check_host, host_of
from gateway.splitting.splitter import Splitter, make_splitter
from gateway.upstream.pool import BackendState, Replica

HOST_VALUES_MAX = 4096


class RefusedTable(Exception):
    """The table does not compile; the one before stays."""


class Target:
    """One share of a route, ready for use: the backend, and the lines its requests carry."""

    __slots__ = ("backend", "lines")

    def __init__(self, backend: BackendState, share: Share) -> None:
        self.backend = backend
        self.lines = "".join(f"{name}: {value}\r\n" for name, value in share.headers).encode(
            "latin-1"
        )


class CompiledRoute:
    """A route's targets and whose turn it is. The turns go on over a change of the split."""

    __slots__ = ("owed", "row", "splitter", "targets")

    def __init__(self, row: Route, targets: tuple[Target, ...], splitter: Splitter) -> None:
        self.row = row
        self.targets = targets
        self.splitter = splitter

    def pick(self) -> Target:
        """Return the target of the next request."""
        return self.targets[self.splitter.pick()]

    def owed_now(self) -> dict[str, int]:
        """Return each target's credit by name, to carry it on."""
        names = [target.backend.key for target in self.targets]
        return dict(zip(names, self.splitter.credit, strict=True))


class Router:
    """Host to route, and backends by name. A request keeps the target that it was given."""

    def __init__(self, worker: int, on_idle: Callable[[str], None]) -> None:
        self._worker = worker
        self._on_idle = on_idle
        self._retired: dict[str, Replica] = {}
        self._routes: dict[str, CompiledRoute] = {}
        self._hosts: dict[str, CompiledRoute] = {}
        self._host_values: dict[bytes, CompiledRoute] = {}
        self._backends: dict[str, BackendState] = {}

    def match(self, host: bytes) -> CompiledRoute:
        """Return the route of a Host value. Raise BadMessage or NoRoute."""
        route = self._host_values.get(host)
        if route is None:
            route = self._resolve(host)
        return route

    def _resolve(self, host: bytes) -> CompiledRoute:
        if not host:
            raise NoRoute
        check_host(host)
        route = self._hosts.get(host_of(host))
        if route is None:
            raise NoRoute
        if len(self._host_values) >= HOST_VALUES_MAX:
            self._host_values.clear()
        self._host_values[host] = route
        return route

    def replace(self, table: RouteTable) -> None:
        """Serve this whole table from the next request on. Raise RefusedTable, change nothing."""
        self.install(
            Delta(
                routes=tuple(table.routes.values()),
                backends=tuple(table.backends.values()),
                routes_gone=tuple(key for key in self._routes if key not in table.routes),
                backends_gone=tuple(key for key in self._backends if key not in table.backends),
            )
        )

    def install(self, delta: Delta) -> None:
        """Serve these rows from the next request on. Raise RefusedTable, and change nothing.

        The cost is that of the rows that changed, not of the table.
        """
        try:
            self._check(delta)
            routes = [self._compiled(row) for row in delta.routes]
        except (ValueError, UnicodeError) as error:
            raise RefusedTable(str(error)) from error
        for key in delta.routes_gone:
            self._forget(key)
        for row in delta.routes:
            self._forget(row.key)
        for backend in delta.backends:
            self._update_backend(backend)
        for route in routes:
            self._routes[route.row.key] = route
            for host in route.row.hosts:
                self._hosts[host] = route
            for target in route.targets:
                target.backend.routes += 1
        for key in delta.backends_gone:
            self._drop_backend(key)
        self._host_values.clear()

    def busy(self) -> tuple[str, ...]:
        """Return the addresses that are out of the table and still in use."""
        self._retired = {
            address: replica for address, replica in self._retired.items() if replica.in_flight
        }
        return tuple(self._retired)

    def _check(self, delta: Delta) -> None:
        leaving = {row.key for row in delta.routes} | set(delta.routes_gone)
        coming = {backend.key for backend in delta.backends}
        hosts: dict[str, str] = {}
        for row in delta.routes:
            for host in row.hosts:
                held = self._hosts.get(host)
                other = hosts.setdefault(host, row.key)
                if held and held.row.key not in leaving:
                    other = held.row.key
                if other != row.key:
                    raise ValueError(f"host {host!r} is in routes {other!r} and {row.key!r}")
            for share in row.split.shares:
                known = share.backend in coming or share.backend in self._backends
                if share.weight > 0 and not known:
                    raise ValueError(f"route {row.key!r} names no backend: {share.backend!r}")

    def _compiled(self, row: Route) -> CompiledRoute:
        shares = [share for share in row.split.shares if share.weight > 0]
        targets = tuple(Target(self._backend(share.backend), share) for share in shares)
        before = self._routes.get(row.key)
        if before and _same_turns(before.row.split, row.split):
            splitter = before.splitter
        else:
            splitter = make_splitter(
                row.split.splitter,
                {share.backend: share.weight for share in shares},
                before.owed_now() if before else {},
                self._random(row.split),
            )
        return CompiledRoute(row, targets, splitter)

    def _random(self, split: Split) -> Random:
        """Return dice of the split's own: seeded ones repeat, per worker, after a restart."""
        seed = SystemRandom().getrandbits(64) if split.seed is None else split.seed
        return Random(f"{seed}/{split.key}/{self._worker}")  # noqa: S311 (not a secret)

    def _backend(self, key: str) -> BackendState:
        state = self._backends.get(key)
        if state is None:
            state = self._backends[key] = BackendState(key)
        return state

    def _update_backend(self, backend: Backend) -> None:
        state = self._backend(backend.key)
        before = state.replicas
        state.update(backend, self._on_idle)
        for replica in before:
            if replica.retired and replica.in_flight:
                self._retired[replica.address] = replica

    def _drop_backend(self, key: str) -> None:
        if key in self._backends:
            self._update_backend(Backend(key))
            if not self._backends[key].routes:
                del self._backends[key]

    def _forget(self, key: str) -> None:
        route = self._routes.pop(key, None)
        if route is None:
            return
        for target in route.targets:
            target.backend.routes -= 1
        for host in route.row.hosts:
            if self._hosts.get(host) is route:
                del self._hosts[host]


def _same_turns(old: Split, new: Split) -> bool:
    """Tell whether only what rides along changed, so that the splitter can go on as it is."""
    return (
        [(share.backend, share.weight) for share in old.shares]
        == [(share.backend, share.weight) for share in new.shares]
        and old.splitter == new.splitter
        and old.seed == new.seed
    )
