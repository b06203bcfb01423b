"""The cold path: wait for a replica that answers, and connect to it. Bounded in time and number."""

from __future__ import annotations

import asyncio

from gateway.errors import BackendGone, NoReplica, QueueFull
from gateway.upstream.h1 import connect
from gateway.upstream.h2 import connect_session
from gateway.upstream.lease import Lease
from gateway.upstream.pool import BackendState, Replica, enter
from gateway.worker import Worker


async def dial(worker: Worker, backend: BackendState) -> Lease:
    """Return a lease of a replica; wait for one to come up, or to have room, if need be.

    Raise QueueFull, NoReplica, or BackendGone when it left the table. A dial that was refused is
    tried again: no byte was sent. Who waits for room waits until the request's own deadline.
    """
    settings, loop = worker.settings, worker.loop
    if not backend.has_room_to_wait():
        raise QueueFull
    place = backend.take_place()
    gives_up = loop.time() + settings.replica_wait_s_max
    patience_s = settings.replica_wait_s_max + settings.room_check_s
    backend.waiting += 1
    worker.waiting += 1
    try:
        while True:
            if backend.gone:
                raise BackendGone
            now = loop.time()
            replica = backend.choose(now)
            if replica is not None and replica.is_crowded(worker.http2.upstream_connections_max):
                await _call(backend, place, now + patience_s)
            elif replica is not None and backend.is_next(place) and enter(replica):
                backend.pass_on(now)
                if lease := await _connected(worker, replica):
                    return lease
            elif backend.is_saturated(now):
                await _room(backend, place, now + patience_s)
                gives_up = loop.time() + settings.replica_wait_s_max
            elif now < gives_up:
                await _turn(backend, place, gives_up)
            else:
                raise NoReplica(backend.key)
    finally:
        backend.waiting -= 1
        worker.waiting -= 1


async def _room(backend: BackendState, place: int, until: float) -> None:
    """Wait for room, and let the other workers see it."""
    gate = backend.count_waiting(1)
    try:
        await _call(backend, place, until)
    finally:
        if gate is not None:
            gate.wait(-1)


async def _call(backend: BackendState, place: int, until: float) -> None:
    """Wait for a call; one that is lost, perhaps with another worker, is made up for soon."""
    backend.look_soon()
    await _turn(backend, place, until)


async def _turn(backend: BackendState, place: int, until: float) -> None:
    """Wait until it is worth trying again, at most until then."""
    waiter = backend.wait(place)
    called = False
    try:
        async with asyncio.timeout_at(until):
            await waiter
        called = True
    except TimeoutError:
        pass
    finally:
        backend.leave(place, waiter, called)


async def _connected(worker: Worker, replica: Replica) -> Lease | None:
    """Return a lease, or None when the replica did not take a connection. It is counted already."""
    settings, loop = worker.settings, worker.loop
    if idle := replica.reuse(loop.time(), settings.upstream_idle_s_max):
        return idle
    replica.backend.trying(replica)
    worker.metrics.worker.dials += 1
    try:
        async with asyncio.timeout(settings.upstream_connect_s_max):
            connection = await _open(worker, replica)
        if connection.is_closing():  # accepted and closed before this task had its turn
            connection.abandon()
            raise ConnectionResetError
    except TimeoutError:
        worker.metrics.worker.dial_failures += 1
        replica.backend.hung(replica)
        replica.release()
        return None
    except OSError:
        worker.metrics.worker.dial_failures += 1
        replica.backend.refused(replica)
        replica.release()
        return None
    except BaseException:
        replica.release()
        replica.backend.try_again(replica)  # nobody knows: let the next one
        raise
    replica.backend.connected(replica)
    return connection


async def _open(worker: Worker, replica: Replica) -> Lease:
    """Return a new connection, or a stream of one. Raise OSError."""
    if replica.backend.protocol != "h2c":
        return await connect(worker, replica)
    replica.is_dialled = True  # who comes meanwhile waits for its streams
    try:
        return await connect_session(worker, replica)
    finally:
        replica.is_dialled = False
        replica.backend.wake_all()
