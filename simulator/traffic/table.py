"""All Ingresses, Revisions and Pods as one RouteTable, at the cost of what changed.

Kourier's rule decides what an Ingress may have: a new generation is programmed only when every
revision that it sends requests to has a ready replica, and until then what was programmed before
goes on being served. A host belongs to the Ingress that had it first; another one that wants it
is refused whole (net-kourier `pkg/generator/caches.go`, ErrDomainConflict).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct

from gateway.contract import Backend, Route, RouteTable
from simulator.resources.core import Pod
from simulator.resources.meta import Key
from simulator.resources.networking import Ingress, IngressRule
from simulator.resources.serving import ANNOTATION_SPLITTER, LABEL_REVISION_UID, Revision
from simulator.traffic.rows import (
    TrafficSettings,
    backend_key,
    backends_of,
    external_rules,
    is_served_by,
    protocol_of,
    ready_address,
    routes_of,
    timeout_s_of,
)


class Programmed(Struct, frozen=True):
    """The table has this generation of the Ingress, from `rules`."""

    generation: int | None
    rules: tuple[IngressRule, ...]


class Waiting(Struct, frozen=True):
    """Of this generation, these revisions have no ready replica yet."""

    generation: int | None
    revisions: tuple[str, ...]


class Conflicting(Struct, frozen=True):
    """This generation wants a host that another Ingress has."""

    generation: int | None
    host: str


Verdict = Programmed | Waiting | Conflicting
Row = TypeVar("Row", Route, Backend)


class Compiled(Struct, frozen=True):
    """The newest table, and the Ingresses that were judged anew for it."""

    table: RouteTable
    judged: tuple[Key, ...]


class _Served(Struct, frozen=True):
    """What the table has of one Ingress."""

    routes: tuple[Route, ...] = ()
    backends: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()  # the backends of its spec, which may have to wait

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(host for route in self.routes for host in route.hosts)


class _Revision(Struct, frozen=True):
    uid: str
    protocol: str
    timeout_s: float


class _Replica(Struct, frozen=True):
    """A Pod that takes requests, and the uid of the revision that it was made for."""

    address: str
    revision_uid: str


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
        self._owners: dict[str, Key] = {}  # by host
        self._contenders: dict[str, set[Key]] = {}  # by host: who was refused it
        self._interested: dict[str, set[Key]] = {}  # by backend: who uses it, or would
        self._revisions: dict[str, _Revision] = {}  # by backend
        self._addresses: dict[str, dict[str, _Replica]] = {}  # by backend, then by pod
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

    def put_revision(self, revision: Revision) -> None:
        key = backend_key(*revision.key)
        row = _Revision(revision.uid, protocol_of(revision), timeout_s_of(revision))
        if self._revisions.get(key) != row:
            self._revisions[key] = row
            self._touch_backend(key)

    def drop_revision(self, revision: Revision) -> None:
        key = backend_key(*revision.key)
        if self._revisions.pop(key, None) is not None:
            self._touch_backend(key)

    def put_pod(self, pod: Pod) -> None:
        """Take a new or changed replica; one that is being deleted gets no more requests."""
        self._set_address(pod, ready_address(pod))

    def drop_pod(self, pod: Pod) -> None:
        self._set_address(pod, None)

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

    # The table ---------------------------------------------------------------------------------

    def compile(self, version: int) -> Compiled:
        """Return the table of all that was taken; the one before when nothing of it changed."""
        judged: dict[Key, None] = {}
        while self._ingresses_changed:
            changed, self._ingresses_changed = self._ingresses_changed, {}
            # The same order every time, so that a contested host has the same owner every time.
            for key in sorted(changed, key=self._seniority):
                self._reprogram(key)
            judged |= changed
        backend_changes = {key: self._backend(key) for key in self._backends_changed}
        routes = _with_changes(self._table.routes, self._route_changes)
        backends = _with_changes(self._table.backends, backend_changes)
        self._backends_changed, self._route_changes = {}, {}
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
            verdict = self._verdicts[key] = self._judge(ingress)
            if isinstance(verdict, Programmed):
                self._programmed[key] = verdict
            after = self._served[key] = self._serve(ingress)
        self._replace_routes(before, after)
        self._replace_hosts(key, before.hosts, after.hosts)
        self._replace_interest(key, before.backends | before.wanted, after.backends | after.wanted)
        for backend in before.backends ^ after.backends:
            self._backends_changed[backend] = None

    def _judge(self, ingress: Ingress) -> Verdict:
        generation = ingress.metadata.generation
        programmed = self._programmed.get(ingress.key)
        if programmed is not None and programmed.generation == generation:
            return programmed
        for route in routes_of(ingress, ingress.spec.rules, self._settings):
            if (host := self._contested(ingress.key, route)) is not None:
                return Conflicting(generation, host)
        missing = sorted(
            backend
            for backend in backends_of(ingress.spec.rules)
            if not self._ready_addresses(backend)
        )
        if missing:
            return Waiting(generation, tuple(missing))
        return Programmed(generation, ingress.spec.rules)

    def _serve(self, ingress: Ingress) -> _Served:
        """Return the rows of an Ingress, without a route whose host another one has by now."""
        programmed = self._programmed.get(ingress.key)
        rules = () if programmed is None else programmed.rules
        routes = tuple(
            route
            for route in routes_of(ingress, rules, self._settings)
            if self._contested(ingress.key, route) is None
        )
        served = backends_of(external_rules(rules))
        return _Served(routes, served, backends_of(ingress.spec.rules))

    def _contested(self, key: Key, route: Route) -> str | None:
        """Return a host of the route that is another Ingress's; remember who wants it."""
        for host in route.hosts:
            if self._owners.get(host, key) != key:
                self._contenders.setdefault(host, set()).add(key)
                return host
        return None

    def _replace_routes(self, before: _Served, after: _Served) -> None:
        for route in before.routes:
            self._route_changes[route.key] = None
        for route in after.routes:
            self._route_changes[route.key] = route

    def _replace_hosts(self, key: Key, before: frozenset[str], after: frozenset[str]) -> None:
        for host in before - after:
            del self._owners[host]
            for contender in self._contenders.pop(host, ()):
                self._ingresses_changed[contender] = None
        for host in after:
            self._owners[host] = key

    def _replace_interest(self, key: Key, before: frozenset[str], after: frozenset[str]) -> None:
        for backend in before - after:
            interested = self._interested.get(backend, set())
            interested.discard(key)
            if not interested:
                self._interested.pop(backend, None)
        for backend in after:
            self._interested.setdefault(backend, set()).add(key)

    def _set_address(self, pod: Pod, address: str | None) -> None:
        backend, name = is_served_by(pod), pod.metadata.name
        if backend is None:
            return
        uid = pod.metadata.labels.get(LABEL_REVISION_UID, "")
        replica = None if address is None else _Replica(address, uid)
        known = self._addresses.get(backend, {})
        if known.get(name) == replica:
            return
        others = {pod_: at for pod_, at in known.items() if pod_ != name}
        if replica is not None:
            others[name] = replica
        if others:
            self._addresses[backend] = others
        else:
            del self._addresses[backend]
        self._touch_backend(backend)

    def _touch_backend(self, backend: str) -> None:
        """Note that a backend's row changed, and judge anew who waits for it."""
        self._backends_changed[backend] = None
        for key in self._interested.get(backend, ()):
            if isinstance(self._verdicts.get(key), Waiting):
                self._ingresses_changed[key] = None

    def _ready_addresses(self, backend: str) -> tuple[str, ...]:
        """Return where the revision takes requests.

        What is left of an earlier revision of its name has another uid, and gets none.
        """
        revision = self._revisions.get(backend)
        return tuple(
            sorted(
                replica.address
                for replica in self._addresses.get(backend, {}).values()
                if revision is None or replica.revision_uid in ("", revision.uid)
            )
        )

    def _backend(self, key: str) -> Backend | None:
        """Return the row of a revision, or None when no route sends it requests."""
        interested = self._interested.get(key, ())
        if not any(key in self._served[user].backends for user in interested):
            return None
        addresses = self._ready_addresses(key)
        revision = self._revisions.get(key)
        if revision is None:
            return Backend(key, addresses)
        return Backend(key, addresses, revision.protocol, revision.timeout_s)


def _asks_the_same(before: Ingress, after: Ingress) -> bool:
    """Tell whether only what the gateway does not act on changed, such as the status."""
    return (
        before.metadata.generation == after.metadata.generation
        and before.spec == after.spec
        and before.metadata.annotations.get(ANNOTATION_SPLITTER)
        == after.metadata.annotations.get(ANNOTATION_SPLITTER)
    )


def _with_changes(rows: dict[str, Row], changes: Mapping[str, Row | None]) -> dict[str, Row]:
    """Return the rows with the changes; the same map when they change nothing.

    A row that is equal to the one in its place is left out: the old object stays.
    """
    real = {key: row for key, row in changes.items() if rows.get(key) != row}
    if not real:
        return rows
    changed = dict(rows)
    for key, row in real.items():
        if row is None:
            del changed[key]
        else:
            changed[key] = row
    return changed
