"""The compiled table in use, and the turns of every split. `install` swaps it in one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random, SystemRandom

from gateway.contract import Backend, Delta, Route, RouteTable, Share, Split
from gateway.errors import NoRoute
from gateway.http1.head import check_host, host_of
from gateway.splitting.splitter import Splitter, make_splitter
from gateway.upstream.pool import BackendState, Replica, split_address

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

    __slots__ = ("row", "splitter", "targets")

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
        self._retired: dict[str, dict[str, Replica]] = {}  # by backend, by address
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
            fresh: dict[str, BackendState] = {}
            routes = [self._compiled(row, fresh) for row in delta.routes]
        except ValueError as error:
            raise RefusedTable(str(error)) from error
        self._backends.update(fresh)
        forgotten = [self._forget(key) for key in delta.routes_gone]
        forgotten += [self._forget(row.key) for row in delta.routes]
        for backend in delta.backends:
            self._update_backend(backend, listed=True)
        for route in routes:
            self._routes[route.row.key] = route
            for host in route.row.hosts:
                self._hosts[host] = route
            for target in route.targets:
                target.backend.routes += 1
        for key in delta.backends_gone:
            self._drop_backend(key)
        for route in filter(None, forgotten):
            for target in route.targets:
                self._drop_unused(target.backend)
        self._host_values.clear()

    def busy(self) -> tuple[str, ...]:
        """Return the addresses that are out of the table and still in use."""
        self._retired = {
            key: used for key, replicas in self._retired.items() if (used := _in_use(replicas))
        }
        return tuple({address: None for used in self._retired.values() for address in used})

    def _check(self, delta: Delta) -> None:
        leaving = {row.key for row in delta.routes} | set(delta.routes_gone)
        coming = {backend.key for backend in delta.backends}
        going = set(delta.backends_gone)
        for backend in delta.backends:
            for address in backend.addresses:
                split_address(address)
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
                state = self._backends.get(share.backend)
                stays = state is not None and state.listed and share.backend not in going
                if share.weight > 0 and not stays and share.backend not in coming:
                    raise ValueError(f"route {row.key!r} names no backend: {share.backend!r}")

    def _compiled(self, row: Route, fresh: dict[str, BackendState]) -> CompiledRoute:
        """Return the route, ready for use; backends that are new to it go into `fresh`."""
        shares = [share for share in row.split.shares if share.weight > 0]
        if len({share.backend for share in shares}) < len(shares):
            raise ValueError(f"route {row.key!r} names a backend twice")
        targets = tuple(
            Target(
                self._backends.get(share.backend)
                or fresh.setdefault(share.backend, BackendState(share.backend)),
                share,
            )
            for share in shares
        )
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

    def _update_backend(self, backend: Backend, *, listed: bool) -> None:
        key = backend.key
        state = self._backends.get(key)
        if state is None:
            state = self._backends[key] = BackendState(key)
        state.listed = listed
        retired = state.update(backend, self._on_idle, _in_use(self._retired.pop(key, {})))
        if retired:
            self._retired[key] = retired

    def _drop_backend(self, key: str) -> None:
        """Take its replicas away; it is gone when no route names it either."""
        state = self._backends.get(key)
        if state is not None:
            self._update_backend(Backend(key), listed=False)
            self._drop_unused(state)

    def _drop_unused(self, state: BackendState) -> None:
        if not state.listed and not state.routes and not state.gone:
            del self._backends[state.key]
            state.gone = True
            state.announce()

    def _forget(self, key: str) -> CompiledRoute | None:
        route = self._routes.pop(key, None)
        if route is None:
            return None
        for target in route.targets:
            target.backend.routes -= 1
        for host in route.row.hosts:
            if self._hosts.get(host) is route:
                del self._hosts[host]
        return route


def _in_use(replicas: Mapping[str, Replica]) -> dict[str, Replica]:
    return {address: replica for address, replica in replicas.items() if replica.in_flight}


def _same_turns(old: Split, new: Split) -> bool:
    """Tell whether only what rides along changed, so that the splitter can go on as it is."""
    return (
        [(share.backend, share.weight) for share in old.shares]
        == [(share.backend, share.weight) for share in new.shares]
        and old.splitter == new.splitter
        and old.seed == new.seed
    )
