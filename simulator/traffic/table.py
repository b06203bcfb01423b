"""All Ingresses, Revisions and Pods as one RouteTable, at the cost of what changed.

Kourier's rule decides what an Ingress may have: a new generation is programmed only when every
revision that it sends requests to has a ready replica, and until then what was programmed before
goes on being served. A host belongs to the Ingress that had it first; another one that wants it
is refused whole (net-kourier `pkg/generator/caches.go`, ErrDomainConflict). A DomainMapping's
Ingress has hosts and no route of its own: they join the hosts of the route that they lead to.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from gateway.contract import Backend, Route, RouteTable
from simulator.resources.core import Pod
from simulator.resources.faults import Fault
from simulator.resources.inforce import ours
from simulator.resources.meta import Key
from simulator.resources.networking import Ingress, IngressRule
from simulator.resources.serving import Revision
from simulator.traffic.backends import Backends
from simulator.traffic.faults import service_of as service_with
from simulator.traffic.faults import with_faults
from simulator.traffic.hosts import HostRegister, MappingRegister
from simulator.traffic.rows import (
    HostMapping,
    TrafficSettings,
    backends_of,
    mappings_of,
    routes_of,
    service_of,
)


class Programmed(Struct, frozen=True, gc=False):
    """The table has this generation of the Ingress, from `rules`, split as annotations ask."""

    generation: int | None
    rules: tuple[IngressRule, ...]
    annotations: dict[str, str] = {}


class Waiting(Struct, frozen=True, gc=False):
    """Of this generation, these have no ready replica yet, or nobody serves them.

    Revisions are named as backends are, and hosts that mappings lead to by themselves.
    """

    generation: int | None
    missing: tuple[str, ...]


class Conflicting(Struct, frozen=True, gc=False):
    """This generation wants a host that another Ingress has."""

    generation: int | None
    host: str


Verdict = Programmed | Waiting | Conflicting
Row = TypeVar("Row", Route, Backend)


class Compiled(Struct, frozen=True, gc=False):
    """The newest table, and the Ingresses that were judged anew for it."""

    table: RouteTable
    judged: tuple[Key, ...]


class _Wanted(Struct, frozen=True, gc=False):
    """What the rules of an Ingress ask for, whether or not they may have it."""

    routes: tuple[Route, ...] = ()
    mappings: tuple[HostMapping, ...] = ()
    backends: frozenset[str] = frozenset()


class _Served(Struct, frozen=True, gc=False):
    """What the table has of one Ingress. `hosts` are those that it holds against others."""

    routes: tuple[Route, ...] = ()
    mappings: tuple[HostMapping, ...] = ()
    hosts: frozenset[str] = frozenset()
    backends: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()  # backends and targets of its spec: it may wait for them


class TableCompiler:
    """Takes objects as they change; `compile` gives the next table.

    Rows that did not change are the same objects as in the table before; so are whole maps.
    """

    def __init__(self, settings: TrafficSettings) -> None:
        self._settings = settings
        self._table = RouteTable()
        self._ingresses: dict[Key, Ingress] = {}
        self._programmed: dict[Key, Programmed] = {}
        self._verdicts: dict[Key, Verdict] = {}
        self._served: dict[Key, _Served] = {}
        self._faults: dict[Key, Fault] = {}
        self._hosts = HostRegister()
        self._mappings = MappingRegister()
        self._backends = Backends()
        self._interested: dict[str, set[Key]] = {}  # by backend or target: who uses it, or would
        self._ingresses_changed: dict[Key, None] = {}
        self._backends_changed: dict[str, None] = {}
        self._route_changes: dict[str, Route | None] = {}

    @property
    def table(self) -> RouteTable:
        """The newest table."""
        return self._table

    def verdict(self, ingress: Ingress) -> Verdict | None:
        """Return what the newest table makes of this Ingress, as it was last taken.

        None when it was not taken yet: what was made of an earlier one of its name is not its.
        """
        taken = self._ingresses.get(ingress.key)
        if taken is None or taken.uid != ingress.uid:
            return None
        return self._verdicts.get(ingress.key)

    # What changed ------------------------------------------------------------------------------

    def renew(self, settings: TrafficSettings) -> None:
        """Let every row be made anew, by these settings."""
        self._settings = settings
        self._ingresses_changed |= dict.fromkeys(self._ingresses)

    def put_revision(self, revision: Revision) -> None:
        self._touch_backend(self._backends.put_revision(revision))

    def drop_revision(self, revision: Revision) -> None:
        self._touch_backend(self._backends.drop_revision(revision))

    def put_pod(self, pod: Pod) -> None:
        """Take a new or changed replica; one that is being deleted gets no more requests."""
        self._touch_backend(self._backends.put_pod(pod))

    def drop_pod(self, pod: Pod) -> None:
        self._touch_backend(self._backends.drop_pod(pod))

    def put_ingress(self, ingress: Ingress) -> None:
        """Take a new or changed Ingress; one that is being deleted is served no more."""
        key = ingress.key
        before = self._ingresses.get(key)
        if before is not None and (ingress.is_deleting or before.uid != ingress.uid):
            self.drop_ingress(before)
            before = None
        if ingress.is_deleting:
            return
        self._ingresses[key] = ingress
        if before is not None and _asks_the_same(before, ingress):
            return
        if before is None and ingress.status.programmed:
            # After a restart, go on from what the gateway was last known to serve.
            status = ingress.status
            self._programmed[key] = Programmed(status.programmed_generation, status.programmed)
        self._ingresses_changed[key] = None

    def drop_ingress(self, ingress: Ingress) -> None:
        key = ingress.key
        if self._ingresses.pop(key, None) is not None:
            self._verdicts.pop(key, None)
            self._programmed.pop(key, None)
            self._ingresses_changed[key] = None

    def put_fault(self, fault: Fault) -> None:
        """Take a new or changed fault; one that is being deleted does nothing more."""
        if fault.is_deleting:
            self.drop_fault(fault)
            return
        if (before := self._faults.get(fault.key)) is not None:
            self._strike(before)
        self._faults[fault.key] = fault
        self._strike(fault)

    def drop_fault(self, fault: Fault) -> None:
        if (before := self._faults.pop(fault.key, None)) is not None:
            self._strike(before)

    def _strike(self, fault: Fault) -> None:
        """Serve anew what the fault is about."""
        service = service_with(fault)
        mine = [key for key, one in self._ingresses.items() if service_of(one) == service]
        self._ingresses_changed |= dict.fromkeys(mine)

    # The table ---------------------------------------------------------------------------------

    def compile(self, version: int) -> Compiled:
        """Return the table of all that was taken; the one before when nothing of it changed."""
        steps = self.compiling(version)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                compiled: Compiled = done.value
                return compiled

    def compiling(self, version: int) -> Generator[None, None, Compiled]:
        """Do the same in steps of a few milliseconds; a small change has no more than one.

        Between two steps objects may be taken: this table may have them, the next one has.
        """
        rows_per_step = self._settings.rows_per_step
        judged: dict[Key, None] = {}
        while self._ingresses_changed:
            changed, self._ingresses_changed = self._ingresses_changed, {}
            # The same order every time, so that a contested host has the same owner every time.
            for number, key in enumerate(sorted(changed, key=self._seniority), 1):
                self._reprogram(key)
                if number % self._settings.ingresses_per_step == 0:
                    yield
            judged |= changed
        # What is taken from here on is for the next table: nothing is reprogrammed any more.
        touched, self._backends_changed = self._backends_changed, {}
        route_changes, self._route_changes = self._route_changes, {}
        backend_changes: dict[str, Backend | None] = {}
        for number, backend in enumerate(touched, 1):
            backend_changes[backend] = self._backend(backend)
            if number % rows_per_step == 0:
                yield
        routes = yield from _with_changes(self._table.routes, route_changes, rows_per_step)
        backends = yield from _with_changes(self._table.backends, backend_changes, rows_per_step)
        if routes is not self._table.routes or backends is not self._table.backends:
            self._table = RouteTable(version, routes, backends)
        return Compiled(self._table, tuple(judged))

    def _seniority(self, key: Key) -> tuple[int, str, Key]:
        """Sort who leaves first, then who was programmed before, then by age and name."""
        ingress = self._ingresses.get(key)
        if ingress is None:
            return (0, "", key)
        rank = 1 if key in self._programmed else 2
        return (rank, ingress.metadata.creation_timestamp or "", key)

    def _reprogram(self, key: Key) -> None:
        """Decide about one Ingress, and put its rows in the place of those it had."""
        before = self._served.pop(key, _Served())
        after = _Served()
        ingress = self._ingresses.get(key)
        if ingress is not None:
            wanted = self._wanted(ingress, ingress.spec.rules)
            verdict = self._verdicts[key] = self._judge(ingress, wanted)
            if isinstance(verdict, Programmed):
                self._programmed[key] = verdict
            after = self._served[key] = self._serve(ingress, wanted)
        self._replace_routes(before, after)
        self._ingresses_changed |= dict.fromkeys(
            self._hosts.replace(key, before.hosts, after.hosts)
        )
        self._wake_waiting(after.hosts - before.hosts)
        self._replace_mappings(key, before, after)
        self._replace_interest(key, before.backends | before.wanted, after.backends | after.wanted)
        for backend in before.backends ^ after.backends:
            self._backends_changed[backend] = None

    def _wanted(self, ingress: Ingress, rules: tuple[IngressRule, ...]) -> _Wanted:
        routes = routes_of(ingress, rules, self._settings)
        return _Wanted(routes, mappings_of(rules, self._settings), backends_of(routes))

    def _judge(self, ingress: Ingress, wanted: _Wanted) -> Verdict:
        key, generation = ingress.key, ingress.metadata.generation
        programmed = self._programmed.get(key)
        annotations = ours(ingress.metadata.annotations)
        if programmed is not None and programmed.generation == generation:
            return msgspec.structs.replace(programmed, annotations=annotations)
        for hosts in (*map(_hosts_of, wanted.routes), *(one.hosts for one in wanted.mappings)):
            if (host := self._hosts.contested(key, hosts)) is not None:
                return Conflicting(generation, host)
        missing = {one for one in wanted.backends if not self._backends.ready_addresses(one)}
        missing |= {one.target for one in wanted.mappings if self._hosts.owner(one.target) is None}
        if missing:
            return Waiting(generation, tuple(sorted(missing)))
        return Programmed(generation, ingress.spec.rules, annotations)

    def _serve(self, ingress: Ingress, wanted: _Wanted) -> _Served:
        """Return the rows of an Ingress, without a route whose host another one has by now."""
        key = ingress.key
        programmed = self._programmed.get(key)
        if programmed is None:
            has = _Wanted()
        elif programmed.rules == ingress.spec.rules:
            has = wanted
        else:
            has = self._wanted(ingress, programmed.rules)
        routes = tuple(
            route for route in has.routes if self._hosts.contested(key, _hosts_of(route)) is None
        )
        mappings = tuple(
            one for one in has.mappings if self._hosts.contested(key, one.hosts) is None
        )
        owned = (*map(_hosts_of, routes), *(one.hosts for one in mappings))
        return _Served(
            tuple(self._in_service(route) for route in routes),
            mappings,
            frozenset(host for hosts in owned for host in hosts),
            has.backends,
            wanted.backends | {one.target for one in wanted.mappings},
        )

    def _in_service(self, route: Route) -> Route:
        """Return the route with what it has beyond its rules: faults, and mapped hosts."""
        if self._faults:
            route = with_faults(route, self._faults.values(), self._settings.seed)
        mapped = self._mappings.leading_to(route.local_hosts)
        return msgspec.structs.replace(route, hosts=route.hosts + mapped) if mapped else route

    def _replace_routes(self, before: _Served, after: _Served) -> None:
        for route in before.routes:
            self._route_changes[route.key] = None
        for route in after.routes:
            self._route_changes[route.key] = route

    def _replace_mappings(self, key: Key, before: _Served, after: _Served) -> None:
        """Put the Ingress's mappings in place, and serve anew those that they lead to."""
        for target in self._mappings.replace(key, before.mappings, after.mappings):
            if (owner := self._hosts.owner(target)) is not None:
                self._ingresses_changed[owner] = None

    def _replace_interest(self, key: Key, before: frozenset[str], after: frozenset[str]) -> None:
        for one in before - after:
            interested = self._interested.get(one, set())
            interested.discard(key)
            if not interested:
                self._interested.pop(one, None)
        for one in after:
            self._interested.setdefault(one, set()).add(key)

    def _touch_backend(self, backend: str | None) -> None:
        """Note that a backend's row changed, and judge anew who waits for it."""
        if backend is not None:
            self._backends_changed[backend] = None
            self._wake_waiting((backend,))

    def _wake_waiting(self, appeared: Iterable[str]) -> None:
        """Judge anew who waits for one of these, backends or hosts."""
        for one in appeared:
            for key in self._interested.get(one, ()):
                if isinstance(self._verdicts.get(key), Waiting):
                    self._ingresses_changed[key] = None

    def _backend(self, key: str) -> Backend | None:
        """Return the row of a revision, or None when no route sends it requests."""
        interested = self._interested.get(key, ())
        if not any(key in self._served[user].backends for user in interested):
            return None
        return self._backends.row(key)


def _hosts_of(route: Route) -> tuple[str, ...]:
    return (*route.hosts, *route.local_hosts)


def _asks_the_same(before: Ingress, after: Ingress) -> bool:
    """Tell whether only what the gateway does not act on changed, such as the status."""
    return (
        before.metadata.generation == after.metadata.generation
        and before.spec == after.spec
        and service_of(before) == service_of(after)
        and ours(before.metadata.annotations) == ours(after.metadata.annotations)
    )


def _with_changes(
    rows: dict[str, Row], changes: Mapping[str, Row | None], rows_per_step: int
) -> Generator[None, None, dict[str, Row]]:
    """Return the rows with the changes, in steps; the same map when they change nothing.

    A row that is equal to the one in its place is left out: the old object stays.
    """
    changed: dict[str, Row] | None = None
    for number, (key, row) in enumerate(changes.items(), 1):
        if number % rows_per_step == 0:
            yield
        if rows.get(key) == row:
            continue
        if changed is None:
            changed = dict(rows)
        if row is None:
            del changed[key]
        else:
            changed[key] = row
    return rows if changed is None else changed
