"""The compiled table in use, and how another one takes its place.

A change of few rows is swapped in one step; one of many in steps of about a millisecond, between
which requests are served, by the old row or by the new one of each route.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random, SystemRandom
from typing import TYPE_CHECKING

from msgspec import structs

from gateway.changes import Change
from gateway.contract import Backend, Delta, Route, RouteTable, Split, parse_address
from gateway.hosts import HostTable
from gateway.routes import CompiledRoute, CompiledSplit, Target, faults_of, splits_of
from gateway.splitting.splitter import Splitter, account_name, make_shared, make_splitter
from gateway.sticky.bycookie import CookieStickiness
from gateway.sticky.bykey import KeyStickiness
from gateway.sticky.places import Positions
from gateway.sticky.stickiness import Stickiness, is_possible
from gateway.upstream.pool import BackendState, Replica

if TYPE_CHECKING:
    from gateway.worker import Worker

ROUTES_PER_STEP, BACKENDS_PER_STEP = 8, 64  # about a millisecond's work each


class RefusedTable(Exception):
    """The table does not compile; the one before stays."""


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
        self._rows: dict[str, Backend] = {}  # of the backends that the table lists
        self.hosts = HostTable()
        self.local_hosts = HostTable()

    def replace(self, table: RouteTable) -> None:
        """Serve this whole table from the next request on. Raise RefusedTable, change nothing."""
        change = Change()
        change.routes.update(table.routes)
        change.backends.update(table.backends)
        for _ in self.whole_steps(change):
            pass

    def install(self, delta: Delta) -> None:
        """Serve these rows from the next request on. Raise RefusedTable, and change nothing.

        The cost is that of the rows that changed, not of the table.
        """
        change = Change()
        change.take(delta)
        for _ in self.steps(change):
            pass

    def whole_steps(self, change: Change) -> Iterator[None]:
        """Do as `steps` for a change that holds all rows there are to be; else they are gone."""
        # A control plane that starts again sends mostly what is served: comparing costs less.
        for number, key in enumerate(list(self._routes), 1):
            route = change.routes.get(key)
            if route is None:
                change.routes[key] = None
            elif route == self._routes[key].row:
                del change.routes[key]
            if number % BACKENDS_PER_STEP == 0:
                yield
        for number, key in enumerate(list(self._backends), 1):
            backend = change.backends.get(key)
            if backend is None:
                change.backends[key] = None
            elif backend == self._rows.get(key):
                del change.backends[key]
            if number % BACKENDS_PER_STEP == 0:
                yield
        yield from self.steps(change)

    def steps(self, change: Change) -> Iterator[None]:
        """Serve the change when the last step is done; between steps requests may be served.

        Raise RefusedTable before anything is changed. Then row by row is served, each one whole:
        first backends, then routes; a host that moves has a route at every moment.
        """
        try:
            yield from self._steps(change)
        finally:
            if self._worker.ledger is not None:
                self._worker.ledger.sweep()

    def _steps(self, change: Change) -> Iterator[None]:
        fresh: dict[str, BackendState] = {}
        made: list[CompiledRoute] = []
        try:
            yield from self._check(change)
            for row in change.routes.values():
                if row is not None:
                    made.append(self._compiled(row, fresh))
                    if len(made) % ROUTES_PER_STEP == 0:
                        yield
        except ValueError as error:
            raise RefusedTable(str(error)) from error
        done = 0  # all that are fresh are of the change: what routes name and it has not, is listed
        for backend in change.backends.values():
            if backend is not None:
                self._update_backend(backend, fresh, listed=True)
                if (done := done + 1) % BACKENDS_PER_STEP == 0:
                    yield
        yield from self._swap(change, made)

    def _swap(self, change: Change, made: list[CompiledRoute]) -> Iterator[None]:
        """Put the new routes in the place of the old, and forget those, and what only they used."""
        old: list[CompiledRoute] = []
        for number, route in enumerate(made, 1):
            before = self._routes.get(route.row.key)
            if before is not None:
                old.append(before)
                if before.took_turns_since(route):  # requests were served between two steps
                    route = self._compiled(route.row, {})  # noqa: PLW2901
            self._put(route)
            if before is not None:
                self.hosts.forget_values(before)
                self.local_hosts.forget_values(before)
            if number % ROUTES_PER_STEP == 0:
                yield
        old += [
            self._routes.pop(key) for key, row in change.routes.items() if self._leaves(key, row)
        ]
        for number, route in enumerate(old, 1):
            self._forget(route)
            if number % ROUTES_PER_STEP == 0:
                yield
        for number, (key, backend) in enumerate(change.backends.items(), 1):
            if backend is None:
                self._drop_backend(key)
            if number % BACKENDS_PER_STEP == 0:
                yield
        while old:  # one by one: to free a hundred thousand targets takes its time, too
            for target in (target for split in old.pop().splits() for target in split.targets):
                self._drop_unused(target.backend)
            if len(old) % ROUTES_PER_STEP == 0:
                yield

    def _leaves(self, key: str, row: Route | None) -> bool:
        return row is None and key in self._routes

    def busy(self) -> tuple[str, ...]:
        """Return the addresses that are out of the table and still in use."""
        self._retired = {
            key: used for key, replicas in self._retired.items() if (used := _in_use(replicas))
        }
        return tuple({address: None for used in self._retired.values() for address in used})

    def _check(self, change: Change) -> Iterator[None]:
        """Raise ValueError when rows contradict each other, or those that stay."""
        routes, backends = change.routes, change.backends
        for number, backend in enumerate(backends.values(), 1):
            for address in backend.addresses if backend is not None else ():
                parse_address(address)
            if number % BACKENDS_PER_STEP == 0:
                yield
        hosts: dict[str, str] = {}
        for number, row in enumerate(routes.values(), 1):
            if row is not None:
                self._check_route(row, change, hosts)
            if number % ROUTES_PER_STEP == 0:
                yield

    def _check_route(self, row: Route, change: Change, hosts: dict[str, str]) -> None:
        for host in (*row.hosts, *row.local_hosts):
            held = self.local_hosts.holder(host)
            other = hosts.setdefault(host, row.key)
            if held and held.row.key not in change.routes:
                other = held.row.key
            if other != row.key:
                raise ValueError(f"host {host!r} is in routes {other!r} and {row.key!r}")
        for share in (share for split in splits_of(row) for share in split.shares):
            if share.weight > 0 and share.backend not in change.backends:
                state = self._backends.get(share.backend)
                if state is None or not state.listed:
                    raise ValueError(f"route {row.key!r} names no backend: {share.backend!r}")
            elif share.weight > 0 and change.backends[share.backend] is None:
                raise ValueError(f"route {row.key!r} names no backend: {share.backend!r}")

    def _compiled(self, row: Route, fresh: dict[str, BackendState]) -> CompiledRoute:
        """Return the route, ready for use; backends that are new to it go into `fresh`."""
        before = self._routes.get(row.key)
        known = {split.row.key: split for split in before.splits()} if before else {}
        made = [
            self._compiled_split(row, split, known.get(split.key), fresh)
            for split in splits_of(row)
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
        if before and before.row.epoch != split.epoch:
            before = None
        targets = tuple(
            Target(
                self._backend(share.backend, fresh),
                share,
                row,
                faults_of(share, row, self._number, before),
            )
            for share in shares
        )
        if before and _same_turns(before.row, split):
            splitter, is_alone = before.splitter, before.is_alone
        else:
            weights = {share.backend: share.weight for share in shares}
            splitter, is_alone = self._splitter(row, split, weights, before)
        turns, sticky = before.turns if before else 0, self._sticky(row, split, before)
        made = CompiledSplit(split, targets, splitter, turns, sticky)
        made.is_alone = is_alone
        return made

    def _splitter(
        self, row: Route, split: Split, weights: dict[str, int], before: CompiledSplit | None
    ) -> tuple[Splitter, bool]:
        """Return a splitter whose turns all workers take, or else one of this worker's own.

        And whether it is the latter though it need not be.
        """
        ledger, key = (
            self._worker.ledger,
            f"{split.key}\0{split.epoch}" if split.epoch else split.key,
        )
        name = account_name(split.splitter, key, len(weights))
        owed, dice = before.owed_now() if before else {}, self._random(row, split)
        account = ledger.account(name) if ledger is not None and name else None
        if account is not None:
            return make_shared(split.splitter, weights, owed, dice, account), False
        last = before.splitter if before else None
        made = make_splitter(split.splitter, weights, owed, dice, last)
        return made, bool(ledger is not None and name)

    def _sticky(self, row: Route, split: Split, before: CompiledSplit | None) -> Stickiness | None:
        """Return what the split's sessions are kept by, if it has any."""
        shares = [share for share in split.shares if share.weight > 0]
        if not split.sticky or not is_possible(shares):
            return None
        if before is not None and before.sticky is not None:
            positions = before.sticky.positions
        else:
            positions = Positions(self._random(row, split).getrandbits(32))
        worker = self._worker
        key, idle_s_max = worker.session_key, worker.settings.session_idle_s_max
        if split.sticky == "cookie":
            return CookieStickiness(split, key, positions, idle_s_max)
        return KeyStickiness(split, key, positions, idle_s_max, worker.known_sessions())

    def _backend(self, key: str, fresh: dict[str, BackendState]) -> BackendState:
        state = self._backends.get(key) or fresh.get(key)
        if state is None:
            state = fresh[key] = BackendState(key, self._worker, self._on_idle)
        return state

    def _random(self, row: Route, split: Split) -> Random:
        """Return dice of the split's own: seeded ones repeat, per worker, after a restart.

        Also for a service that was deleted and made again, whose route has another key.
        """
        if split.seed is None:
            return Random(SystemRandom().getrandbits(64))  # noqa: S311 (not a secret)
        names = (row.service or row.key, row.tag, split.key.removeprefix(row.key))
        return Random(f"{split.seed}/{'/'.join(names)}/{self._number}")  # noqa: S311

    def _put(self, route: CompiledRoute) -> None:
        row, ledger = route.row, self._worker.ledger
        self._routes[row.key] = route
        self.hosts.put(route, row.hosts)
        self.local_hosts.put(route, row.hosts + row.local_hosts)
        for split in route.splits():
            for target in split.targets:
                target.backend.routes += 1
            self._worker.metrics.worker.splits_alone += split.is_alone
            if ledger is not None and split.shared is not None:
                ledger.hold(split.shared.account)

    def _update_backend(
        self, backend: Backend, fresh: dict[str, BackendState], *, listed: bool
    ) -> None:
        key = backend.key
        state = self._backends[key] = self._backend(key, fresh)
        state.listed = listed
        if listed:
            self._rows[key] = backend
        else:
            self._rows.pop(key, None)
        retired = state.update(backend, _in_use(self._retired.pop(key, {})))
        if retired:
            self._retired[key] = retired

    def _drop_backend(self, key: str) -> None:
        """Take its replicas away; it is gone when no route names it either."""
        state = self._backends.get(key)
        if state is not None:
            # Its requests under way keep its waits.
            row = structs.replace(self._rows.get(key, Backend(key)), addresses=())
            self._update_backend(row, {}, listed=False)
            self._drop_unused(state)

    def _drop_unused(self, state: BackendState) -> None:
        if not state.listed and not state.routes and not state.gone:
            del self._backends[state.key]
            state.gone = True
            state.wake_all()

    def _forget(self, route: CompiledRoute) -> None:
        """Take what is still this route's from it."""
        ledger = self._worker.ledger
        for split in route.splits():
            for target in split.targets:
                target.backend.routes -= 1
            self._worker.metrics.worker.splits_alone -= split.is_alone
            if ledger is not None and split.shared is not None:
                ledger.drop(split.shared.account)
        self.hosts.forget(route, route.row.hosts)
        self.local_hosts.forget(route, route.row.hosts + route.row.local_hosts)


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
