"""The cold path: wait for a replica that answers, and connect to it. Bounded in time and number."""

from __future__ import annotations

import asyncio

from gateway.errors import BackendGone, NoReplica, QueueFull
from gateway.upstream.h1 import UpstreamConnection
from gateway.upstream.pool import BackendState, Replica
from gateway.worker import Worker


async def dial(worker: Worker, backend: BackendState) -> UpstreamConnection:
    """Return a new connection to a replica, leased; wait for one to come up if need be.

    Raise QueueFull, NoReplica, or BackendGone when it left the table. A dial that was refused is
    tried again: no byte was sent.
    """
    settings = worker.settings
    if backend.waiting >= settings.replica_waiters_max:
        raise QueueFull
    backend.waiting += 1
    try:
        async with asyncio.timeout(settings.replica_wait_s_max):
            while True:
                if backend.gone:
                    raise BackendGone
                replica = backend.choose(worker.loop.time())
                if replica is None:
                    await _change(backend, settings.redial_s)
                elif connection := await _connect(worker, backend, replica):
                    return connection
    except TimeoutError as error:
        raise NoReplica(backend.key) from error
    finally:
        backend.waiting -= 1


async def _connect(
    worker: Worker, backend: BackendState, replica: Replica
) -> UpstreamConnection | None:
    """Return a connection, or None when the replica did not take it. It is leased meanwhile."""
    settings, loop = worker.settings, worker.loop
    replica.in_flight += 1
    try:
        async with asyncio.timeout(settings.upstream_connect_s_max):
            _, connection = await loop.create_connection(
                lambda: UpstreamConnection(worker, replica), replica.host, replica.port
            )
        if connection.is_closing():  # accepted and closed before this task had its turn
            connection.close()
            raise ConnectionResetError
    except OSError as error:  # TimeoutError is one
        now = loop.time()
        hung = isinstance(error, TimeoutError)
        slow_until = now + settings.replica_avoid_s if hung else 0.0
        backend.avoid(replica, refused_until=now + settings.redial_s, slow_until=slow_until)
        replica.release()
        return None
    except BaseException:
        replica.release()
        raise
    return connection


async def _change(backend: BackendState, redial_s: float) -> None:
    """Wait until the replicas change, or until it is time to try the same ones again."""
    try:
        async with asyncio.timeout(redial_s if backend.replicas else None):
            await backend.changed.wait()
    except TimeoutError:
        pass
