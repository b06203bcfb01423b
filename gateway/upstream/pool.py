"""A backend's replicas, and the idle connections to each. Assignment is one synchronous step."""

from __future__ import annotations

from asyncio import Event
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gateway.contract import Backend

if TYPE_CHECKING:
    from gateway.upstream.h1 import UpstreamConnection


class Replica:
    """One address. It outlives its place in the table until no request uses it."""

    __slots__ = (
        "address",
        "host",
        "idle",
        "in_flight",
        "on_idle",
        "port",
        "refused_until",
        "retired",
        "slow_until",
    )

    def __init__(self, address: str, on_idle: Callable[[str], None]) -> None:
        self.address = address
        self.host, self.port = split_address(address)
        self.in_flight = 0
        self.idle: deque[UpstreamConnection] = deque()
        self.retired = False
        self.refused_until = 0.0  # it refused a connection: not before then
        self.slow_until = 0.0  # it let a connection hang: the others first until then
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

    __slots__ = (
        "backend",
        "changed",
        "gone",
        "key",
        "listed",
        "name",
        "replicas",
        "routes",
        "timeout_s",
        "troubled_until",
        "waiting",
    )

    def __init__(self, key: str) -> None:
        self.key = key
        self.name = key.rpartition("/")[2].encode()
        self.backend = Backend(key)
        self.replicas: list[Replica] = []
        self.timeout_s = self.backend.timeout_s
        self.changed = Event()  # set, and replaced, whenever the replicas change
        self.waiting = 0
        self.routes = 0  # how many routes name it
        self.listed = False  # the table has a row of it
        self.gone = False  # neither: who waits for it is routed anew
        self.troubled_until = 0.0  # until then a replica may be one to avoid

    def update(
        self, backend: Backend, on_idle: Callable[[str], None], retired: Mapping[str, Replica]
    ) -> dict[str, Replica]:
        """Take over the replicas of a new table; those that stay keep their connections.

        `retired` are this backend's former replicas that are still in use: one that comes back
        is the same, so that an address has one count of requests. Return the ones that now are.
        """
        self.backend = backend
        self.timeout_s = backend.timeout_s
        known = dict(retired) | {replica.address: replica for replica in self.replicas}
        self.replicas = [
            known.pop(address) if address in known else Replica(address, on_idle)
            for address in backend.addresses
        ]
        for replica in self.replicas:
            replica.retired = False
        for replica in known.values():
            replica.retire()
        self.announce()
        return {address: replica for address, replica in known.items() if replica.in_flight}

    def announce(self) -> None:
        """Wake who waits for a replica."""
        self.changed.set()
        self.changed = Event()

    def avoid(self, replica: Replica, *, refused_until: float, slow_until: float = 0.0) -> None:
        """Note that the replica did not take a connection."""
        replica.refused_until = refused_until
        replica.slow_until = slow_until
        self.troubled_until = max(self.troubled_until, refused_until, slow_until)

    def choose(self, now: float) -> Replica | None:
        """Return the replica with the fewest requests, of those that did not just refuse.

        One that let a connection hang comes last.
        """
        able = [replica for replica in self.replicas if now >= replica.refused_until]
        prompt = [replica for replica in able if now >= replica.slow_until] or able
        return min(prompt, key=_in_flight) if prompt else None

    def lease(self, now: float, idle_s_max: float) -> UpstreamConnection | None:
        """Return an idle connection to the least busy replica, fresh enough to use, or None."""
        replicas = self.replicas
        if not replicas:
            return None
        replica: Replica | None = replicas[0]
        if len(replicas) > 1:
            troubled = now < self.troubled_until
            replica = self.choose(now) if troubled else min(replicas, key=_in_flight)
        if replica is None:
            return None
        idle = replica.idle
        while idle:
            connection = idle.pop()
            if now - connection.idle_since < idle_s_max and not connection.is_closing():
                replica.in_flight += 1
                return connection
            connection.close()  # and those below it are older still
        return None


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of "HOST:PORT". Raise ValueError."""
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"an address is HOST:PORT, not {address!r}")
    return host.strip("[]"), int(port)


def _in_flight(replica: Replica) -> int:
    return replica.in_flight
