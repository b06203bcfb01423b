"""A backend's replicas, and the idle connections to each. Assignment is one synchronous step."""

from __future__ import annotations

from asyncio import Event
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.contract import Backend

if TYPE_CHECKING:
    from gateway.upstream.h1 import UpstreamConnection


class Replica:
    """One address. It outlives its place in the table until no request uses it."""

    __slots__ = ("address", "host", "idle", "in_flight", "on_idle", "port", "refused_at", "retired")

    def __init__(self, address: str, on_idle: Callable[[str], None]) -> None:
        host, _, port = address.rpartition(":")
        self.address = address
        self.host = host.strip("[]")
        self.port = int(port)
        self.in_flight = 0
        self.idle: deque[UpstreamConnection] = deque()
        self.retired = False
        self.refused_at = 0.0
        self.on_idle = on_idle

    def release(self) -> None:
        """Count one request less; tell when it was the last of a retired replica."""
        self.in_flight -= 1
        if self.retired and not self.in_flight:
            self.on_idle(self.address)

    def retire(self) -> None:
        """Take no more requests; close idle connections, those in use when they are done."""
        self.retired = True
        while self.idle:
            self.idle.pop().close()


class BackendState:
    """A revision's replicas now, and who waits for one."""

    __slots__ = ("backend", "changed", "key", "name", "replicas", "routes", "timeout_s", "waiting")

    def __init__(self, key: str) -> None:
        self.key = key
        self.name = key.rpartition("/")[2].encode()
        self.backend = Backend(key)
        self.replicas: list[Replica] = []
        self.timeout_s = self.backend.timeout_s
        self.changed = Event()  # set, and replaced, whenever the replicas change
        self.waiting = 0
        self.routes = 0  # how many routes name it

    def update(self, backend: Backend, on_idle: Callable[[str], None]) -> None:
        """Take over the replicas of a new table; those that stay keep their connections."""
        self.backend = backend
        self.timeout_s = backend.timeout_s
        known = {replica.address: replica for replica in self.replicas}
        self.replicas = [
            known.pop(address) if address in known else Replica(address, on_idle)
            for address in backend.addresses
        ]
        for gone in known.values():
            gone.retire()
        self.changed.set()
        self.changed = Event()

    def choose(self, now: float, redial_s: float) -> Replica | None:
        """Return the replica with the fewest requests, of those that did not just refuse."""
        replicas = self.replicas
        if len(replicas) == 1:
            only = replicas[0]
            return only if now - only.refused_at > redial_s else None
        able = [replica for replica in replicas if now - replica.refused_at > redial_s]
        return min(able, key=_in_flight) if able else None

    def lease(self, now: float, idle_s_max: float) -> UpstreamConnection | None:
        """Return an idle connection to the least busy replica, fresh enough to use, or None."""
        replicas = self.replicas
        if not replicas:
            return None
        replica = replicas[0] if len(replicas) == 1 else min(replicas, key=_in_flight)
        idle = replica.idle
        if idle:
            connection = idle.pop()
            if now - connection.idle_since < idle_s_max:
                replica.in_flight += 1
                return connection
            connection.close()
            while idle:  # older still
                idle.pop().close()
        return None


def _in_flight(replica: Replica) -> int:
    return replica.in_flight
