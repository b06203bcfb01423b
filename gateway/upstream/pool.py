"""A backend's replicas, and the idle connections to each. Assignment is one synchronous step."""

from __future__ import annotations

import math
from asyncio import Future, TimerHandle
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gateway.contract import Backend, parse_address
from gateway.gates import Gate

if TYPE_CHECKING:
    from gateway.upstream.h1 import UpstreamConnection
    from gateway.upstream.h2 import UpstreamSession
    from gateway.upstream.lease import Lease
    from gateway.worker import Worker

# queue-proxy's breaker: containerConcurrency requests at work, ten times as many waiting
# (knative/serving `pkg/queue/breaker.go`, `cmd/queue`).
QUEUE_PER_CONCURRENCY = 10
UNLIMITED = 65_535


class Replica:
    """One address. It outlives its place in the table until no request uses it."""

    def __init__(self, backend: BackendState, address: str) -> None:
        self.backend = backend
        self.address = address
        where = parse_address(address)
        self.host, self.port, self.network = where.host, where.port, where.network
        self.in_flight = 0
        self.gate: Gate | None = None  # when its requests are limited
        self.idle: deque[UpstreamConnection] = deque()
        self.sessions: list[UpstreamSession] = []  # of a revision that speaks h2c
        self.is_dialled = False  # a session is on its way
        self.retired = False
        self.suspect = False  # it refused its last connection
        self.refused_until = 0.0  # then, or while one request tries it: not before this time
        self.slow_until = 0.0  # it let a connection hang: the others first until then

    def release(self) -> None:
        """Count one request less; let the next one in that waits for it."""
        self.in_flight -= 1
        if self.gate is not None:
            self.gate.leave()
            self.backend.wake_one()
        if self.retired and not self.in_flight:
            self.backend.on_idle(self.address)

    def reuse(self, now: float, idle_s_max: float) -> Lease | None:
        """Return an idle connection that is fresh enough to use, or a stream, or None."""
        for session in self.sessions:
            if session.can_open:
                return session.lease()
        idle = self.idle
        while idle:
            connection = idle.pop()
            if now - connection.idle_since < idle_s_max and not connection.is_closing():
                return connection
            connection.abandon()  # and those below it are older still
        return None

    def sweep(self, now: float, idle_s_max: float) -> None:
        """Close the connections that were idle for too long to be used again."""
        while self.idle and now - self.idle[0].idle_since >= idle_s_max:
            self.idle.popleft().abandon()

    def retire(self) -> None:
        """Take no more requests; close idle connections, those in use when they are done."""
        self.retired = True
        while self.idle:
            self.idle.pop().abandon()
        for session in list(self.sessions):
            session.retire()

    def is_crowded(self, sessions_max: int) -> bool:
        """Tell whether a request to h2c has to wait: all streams are taken, or one is dialling."""
        if self.backend.protocol != "h2c" or any(one.can_open for one in self.sessions):
            return False
        lasting = [one for one in self.sessions if not one.is_leaving]
        return self.is_dialled or len(lasting) >= sessions_max


class BackendState:
    """A revision's replicas now, and who waits for one."""

    def __init__(self, key: str, worker: Worker, on_idle: Callable[[str], None]) -> None:
        self.key = key
        self.name = key.rpartition("/")[2].encode()
        self.on_idle = on_idle
        self.replicas: list[Replica] = []
        self.timeout_s = 0.0
        self.response_start_s = 0.0
        self.idle_s = 0.0
        self.has_inner_timeouts = False
        self.concurrency = 0
        self.protocol = "http1"
        self.waiting = 0
        self.routes = 0  # how many splits name it
        self.listed = False  # the table has a row of it
        self.gone = False  # neither: who waits for it is routed anew
        self._worker = worker
        self._idle_s_max = worker.settings.upstream_idle_s_max
        self._troubled = False  # some replica may be one to avoid
        self._waiters: list[tuple[int, Future[None]]] = []  # by place in the line
        self._last_place = 0
        self._look: TimerHandle | None = None
        self._take_row(Backend(key))

    def has_room_to_wait(self) -> bool:
        """Tell whether one more request may wait."""
        most, waiting = self._worker.settings.replica_waiters_max, self.waiting
        if self.concurrency and self.replicas:
            most = min(most, QUEUE_PER_CONCURRENCY * self.concurrency * len(self.replicas))
            if (gate := self.replicas[0].gate) is not None:
                waiting += gate.waiting_elsewhere()
                if waiting >= most and gate.bury():  # no longer: their worker has died
                    waiting = self.waiting + gate.waiting_elsewhere()
        return waiting < most

    def count_waiting(self, change: int) -> Gate | None:
        """Count who waits for room, for the other workers to see; where, is returned."""
        gate = self.replicas[0].gate if self.concurrency and self.replicas else None
        if gate is not None:
            gate.wait(change)
        return gate

    def update(self, backend: Backend, retired: Mapping[str, Replica]) -> dict[str, Replica]:
        """Take over the replicas of a new table; those that stay keep their connections.

        `retired` are this backend's former replicas that are still in use: one that comes back
        is the same, so that an address has one count of requests. Return the ones that now are.
        """
        self._take_row(backend)
        known = dict(retired) | {replica.address: replica for replica in self.replicas}
        self.replicas = [
            known.pop(address) if address in known else Replica(self, address)
            for address in backend.addresses
        ]
        for replica in self.replicas:
            replica.backend = self  # one that comes back may be of a state that is gone
            replica.retired = False
            self._limit(replica)
        self._troubled = True  # and may be one to avoid
        for replica in known.values():
            replica.retire()
            self._worker.forget_network(replica.network)
        self.wake_all()
        return {address: replica for address, replica in known.items() if replica.in_flight}

    def _take_row(self, backend: Backend) -> None:
        self.timeout_s = backend.timeout_s
        self.response_start_s = backend.response_start_s
        self.idle_s = backend.idle_s
        self.has_inner_timeouts = backend.response_start_s > 0 or backend.idle_s > 0
        self.concurrency = backend.concurrency
        self.protocol = backend.protocol

    def _limit(self, replica: Replica) -> None:
        """Put a gate before the replica; one that is there stays, as requests count on it."""
        if replica.gate is not None:
            replica.gate.limit = self.concurrency or UNLIMITED
            self._worker.watch_room(self, replica.address)
        elif self.concurrency:
            replica.gate = self._worker.gate(self, replica.address, replica.in_flight)

    # Assignment.

    def lease(self, now: float) -> Lease | None:
        """Return a connection that is ready for a request, to the least busy replica, or None."""
        replicas = self.replicas
        if len(replicas) == 1 and not self._troubled and not self.concurrency:
            replica = replicas[0]
        else:
            chosen = self.choose(now) if not self.waiting or not self.concurrency else None
            if chosen is None:
                return None
            replica = chosen
        # In this order: another worker may take the room that `choose` saw.
        if replica.gate is None:
            replica.in_flight += 1
        elif not enter(replica):
            return None
        if replica.idle:  # as `reuse` does, written out: most requests find their connection here
            latest = replica.idle.pop()
            if now - latest.idle_since < self._idle_s_max and not latest.is_closing():
                return latest
            latest.abandon()
        connection = replica.reuse(now, self._idle_s_max)
        if connection is None:
            replica.release()
        return connection

    def choose(self, now: float) -> Replica | None:
        """Return the replica with the fewest requests, of those that may take one now.

        One that let a connection hang comes last.
        """
        able = self.replicas
        if self._troubled:
            able = [replica for replica in able if now >= replica.refused_until]
            prompt = [replica for replica in able if now >= replica.slow_until]
            self._troubled = len(prompt) < len(self.replicas)
            able = prompt or able
        if self.concurrency:
            able = [one for one in able if one.gate is None or one.gate.has_room()]
        return min(able, key=_in_flight) if able else None

    def is_saturated(self, now: float) -> bool:
        """Tell whether only its own limit keeps it from taking more requests."""
        return self.concurrency > 0 and any(now >= one.refused_until for one in self.replicas)

    # Trouble.

    def refused(self, replica: Replica) -> None:
        """Note that the replica refused a connection; one who waits tries it again soon."""
        settings, loop = self._worker.settings, self._worker.loop
        replica.suspect = True
        self._avoid(replica, math.inf)
        loop.call_later(settings.redial_s, _try_again, replica)

    def hung(self, replica: Replica) -> None:
        """Note that the replica let a connection hang: the others come first for a while."""
        replica.slow_until = self._worker.loop.time() + self._worker.settings.replica_avoid_s
        self.refused(replica)

    def trying(self, replica: Replica) -> None:
        """Let no other request try a replica that refused the last one."""
        if replica.suspect:
            self._avoid(replica, math.inf)

    def try_again(self, replica: Replica) -> None:
        """Let one request try the replica."""
        replica.refused_until = 0.0
        self.wake_one()

    def connected(self, replica: Replica) -> None:
        """Note that the replica takes connections."""
        if replica.suspect:
            replica.suspect = False
            replica.refused_until = 0.0
            self.wake_all()

    def _avoid(self, replica: Replica, until: float) -> None:
        replica.refused_until = until
        self._troubled = True

    # Waiting, in order.

    def take_place(self) -> int:
        """Return the next place in the line: who looks in vain keeps its own."""
        self._last_place += 1
        return self._last_place

    def is_next(self, place: int) -> bool:
        """Tell whether nobody waits who came before; it matters where room is limited."""
        return not self.concurrency or not self._waiters or place < self._waiters[0][0]

    def wait(self, place: int) -> Future[None]:
        """Return what is done when it is worth trying again; end it with `leave`."""
        waiter: Future[None] = self._worker.loop.create_future()
        insort(self._waiters, (place, waiter))
        return waiter

    def leave(self, place: int, waiter: Future[None], used: bool) -> None:
        """Wait no more; a call that is not used goes to the next one."""
        at = bisect_left(self._waiters, place, key=_place)
        if at < len(self._waiters) and self._waiters[at][1] is waiter:
            del self._waiters[at]
        elif not used:
            self.wake_one()

    def look_soon(self) -> None:
        """Let the first of those who wait look again before long, whoever else calls it or not.

        One look for all of them: if each looked by itself, a thousand would keep a worker busy.
        """
        if self._look is None:
            self._look = self._worker.loop.call_later(
                self._worker.settings.room_check_s, self._look_again
            )

    def _look_again(self) -> None:
        self._look = None
        self.wake_one()
        if self._waiters:
            self.look_soon()

    def pass_on(self, now: float) -> None:
        """One has got in; there may be room for the next: not all news of room arrives."""
        if self._waiters and self.choose(now) is not None:
            self.wake_one()

    def wake_one(self) -> None:
        """Let the one try that has waited longest."""
        while self._waiters:
            _, waiter = self._waiters.pop(0)
            if not waiter.done():
                waiter.set_result(None)
                return

    def wake_all(self) -> None:
        """Let all that wait try again."""
        waiters, self._waiters = self._waiters, []
        for _, waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def enter(replica: Replica) -> bool:
    """Count one request more on the replica; tell whether its limit lets it in."""
    if replica.gate is not None and not replica.gate.enter():
        return False
    replica.in_flight += 1
    return True


def _try_again(replica: Replica) -> None:
    """Let one request try the replica, of whatever state of its backend it is by now."""
    replica.backend.try_again(replica)


def _in_flight(replica: Replica) -> int:
    return replica.in_flight


def _place(waiter: tuple[int, Future[None]]) -> int:
    return waiter[0]
