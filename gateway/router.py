"""The compiled table in use, and the turns of every split. `install` swaps it in one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random, SystemRandom
from typing import TYPE_CHECKING

from gateway.contract import Backend, Delta, Route, RouteTable, Share, Split
from gateway.errors import NoRoute
from gateway.forwarding import HeaderRules
from gateway.http1.head import check_host, host_of
from gateway.metrics.cell import Cell
from gateway.metrics.registry import Metrics
from gateway.splitting.splitter import Splitter, make_splitter
from gateway.upstream.pool import BackendState, Replica, split_address

if TYPE_CHECKING:
    from gateway.worker import Worker

HOST_VALUES_MAX = 65_536
HOST_VALUE_BYTES_MAX = 260  # a longer one is no usual name with its port, and is not kept
EVERY_HOST = "*"  # in a route's hosts: any that no other route has


class RefusedTable(Exception):
    """The table does not compile; the one before stays."""


class Target:
    """One share of a split, ready for use: the backend, and what its requests carry."""

    def __init__(self, backend: BackendState, share: Share, route: Route) -> None:
        self.backend = backend
        self.weight = share.weight
        self.rules = HeaderRules(share.headers, route.host)
        self.cell: Cell | None = None  # what its requests amount to, from the first one on
        self._route = route

    def open_cell(self, metrics: Metrics) -> Cell:
        """Return its cell; asked for by its first request, as a table may name more than fit."""
        route = self._route
        cell = self.cell = metrics.cell(route.service, self.backend.key, route.tag)
        return cell


class CompiledSplit:
    """A split's targets and whose turn it is. The turns go on over a change of the split."""

    def __init__(
        self, row: Split, targets: tuple[Target, ...], splitter: Splitter, turns: int
    ) -> None:
        self.row = row
        self.targets = targets
        self.splitter = splitter
        self.turns = turns  # so many requests had theirs

    def pick(self) -> Target:
        """Return the target of the next request."""
        self.turns += 1
        return self.targets[self.splitter.pick()]

    def pick_explained(self) -> tuple[Target, str]:
        """Return the target of the next request, and how likely it was, as header parameters."""
        chances = self.splitter.chances()
        target = self.pick()
        chance = chances[self.targets.index(target)]
        total = sum(each.weight for each in self.targets)
        return target, (
            f"revision={target.backend.name.decode()}; share={target.weight / total:.4g}; "
            f"splitter={self.row.splitter}; turn={self.turns}; chance={chance:.4g}"
        )

    def owed_now(self) -> dict[str, int]:
        """Return each target's credit by name, to carry it on."""
        names = [target.backend.key for target in self.targets]
        return dict(zip(names, self.splitter.credit, strict=True))


class CompiledRoute:
    """A route's split, and the splits of its header rules."""

    def __init__(
        self, row: Route, split: CompiledSplit, rules: tuple[tuple[bytes, CompiledSplit], ...]
    ) -> None:
        self.row = row
        self.split = split
        self.rules = rules  # (a header line, its name in lower case; split)

    def split_for(self, lines: list[bytes]) -> CompiledSplit:
        """Return the split of the first rule that a header line meets, else the route's own."""
        for wanted, split in self.rules:
            for line in lines:
                name, _, value = line.partition(b": ")
                if name.lower() + b": " + value == wanted:
                    return split
        return self.split

    def pick_explained(self, lines: list[bytes]) -> tuple[Target, str]:
        """Return the target of the next request, and why it is that one, as header parameters."""
        split = self.split_for(lines)
        target, chance = split.pick_explained()
        rule = "host" if split is self.split else "header"
        tag = f"; tag={self.row.tag}" if self.row.tag else ""
        return target, f'route="{self.row.service or self.row.key}"{tag}; rule={rule}; {chance}'

    def splits(self) -> list[CompiledSplit]:
        """Return all its splits."""
        return [self.split, *(split for _, split in self.rules)]


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
            self._forget_values(default)  # some may be this route's from now on
        for host in hosts:
            self._routes[host] = route

    def forget(self, route: CompiledRoute, hosts: tuple[str, ...]) -> None:
        """Take the hosts from this route, but for those that another one has by now."""
        for host in hosts:
            if self._routes.get(host) is route:
                del self._routes[host]
        self._forget_values(route)

    def _forget_values(self, route: CompiledRoute) -> None:
        for value in self._values_of.pop(route, ()):
            self._values.pop(value, None)


class Router:
    """Host to route, and backends by name. A request keeps the target that it was given.

    `hosts` is the external listener's table, `local_hosts` the cluster-local one's, which has all.
    """

    def __init__(self, worker: Worker, number: int, on_idle: Callable[[str], None]) -> None:
        self._worker = worker
        self._number = number
        self._on_idle = on_idle
        self._retired: dict[str, dict[str, Replica]] = {}  # by backend, by address
        self._routes: dict[str, CompiledRoute] = {}
        self._backends: dict[str, BackendState] = {}
        self.hosts = HostTable()
        self.local_hosts = HostTable()

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
            self._put(route)
        for key in delta.backends_gone:
            self._drop_backend(key)
        for split in (split for route in filter(None, forgotten) for split in route.splits()):
            for target in split.targets:
                self._drop_unused(target.backend)

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
            for host in (*row.hosts, *row.local_hosts):
                held = self.local_hosts.holder(host)
                other = hosts.setdefault(host, row.key)
                if held and held.row.key not in leaving:
                    other = held.row.key
                if other != row.key:
                    raise ValueError(f"host {host!r} is in routes {other!r} and {row.key!r}")
            for share in (share for split in _splits(row) for share in split.shares):
                state = self._backends.get(share.backend)
                stays = state is not None and state.listed and share.backend not in going
                if share.weight > 0 and not stays and share.backend not in coming:
                    raise ValueError(f"route {row.key!r} names no backend: {share.backend!r}")

    def _compiled(self, row: Route, fresh: dict[str, BackendState]) -> CompiledRoute:
        """Return the route, ready for use; backends that are new to it go into `fresh`."""
        before = self._routes.get(row.key)
        known = {split.row.key: split for split in before.splits()} if before else {}
        made = [
            self._compiled_split(row, split, known.get(split.key), fresh) for split in _splits(row)
        ]
        wanted = [f"{rule.name.lower()}: {rule.value}\r\n".encode("latin-1") for rule in row.rules]
        return CompiledRoute(row, made[0], tuple(zip(wanted, made[1:], strict=True)))

    def _compiled_split(
        self,
        row: Route,
        split: Split,
        before: CompiledSplit | None,
        fresh: dict[str, BackendState],
    ) -> CompiledSplit:
        shares = [share for share in split.shares if share.weight > 0]
        if len({share.backend for share in shares}) < len(shares):
            raise ValueError(f"route {row.key!r} names a backend twice")
        targets = tuple(Target(self._backend(share.backend, fresh), share, row) for share in shares)
        if before and _same_turns(before.row, split):
            splitter = before.splitter
        else:
            splitter = make_splitter(
                split.splitter,
                {share.backend: share.weight for share in shares},
                before.owed_now() if before else {},
                self._random(split),
            )
        return CompiledSplit(split, targets, splitter, before.turns if before else 0)

    def _backend(self, key: str, fresh: dict[str, BackendState]) -> BackendState:
        state = self._backends.get(key) or fresh.get(key)
        if state is None:
            state = fresh[key] = BackendState(key, self._worker, self._on_idle)
        return state

    def _random(self, split: Split) -> Random:
        """Return dice of the split's own: seeded ones repeat, per worker, after a restart."""
        seed = SystemRandom().getrandbits(64) if split.seed is None else split.seed
        return Random(f"{seed}/{split.key}/{self._number}")  # noqa: S311 (not a secret)

    def _put(self, route: CompiledRoute) -> None:
        row = route.row
        self._routes[row.key] = route
        self.hosts.put(route, row.hosts)
        self.local_hosts.put(route, row.hosts + row.local_hosts)
        for split in route.splits():
            for target in split.targets:
                target.backend.routes += 1

    def _update_backend(self, backend: Backend, *, listed: bool) -> None:
        key = backend.key
        state = self._backends[key] = self._backend(key, {})
        state.listed = listed
        retired = state.update(backend, _in_use(self._retired.pop(key, {})))
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
            state.wake_all()

    def _forget(self, key: str) -> CompiledRoute | None:
        route = self._routes.pop(key, None)
        if route is None:
            return None
        for split in route.splits():
            for target in split.targets:
                target.backend.routes -= 1
        self.hosts.forget(route, route.row.hosts)
        self.local_hosts.forget(route, route.row.hosts + route.row.local_hosts)
        return route


def _splits(row: Route) -> list[Split]:
    return [row.split, *(rule.split for rule in row.rules)]


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
