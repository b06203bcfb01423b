"""The cold path: wait for a replica that answers, and connect to it. Bounded in time and number."""

from __future__ import annotations

import asyncio

from gateway.errors import NoReplica, QueueFull
from gateway.upstream.h1 import UpstreamConnection
from gateway.upstream.pool import BackendState, Replica
from gateway.worker import Worker


async def dial(worker: Worker, backend: BackendState) -> UpstreamConnection:
    """Return a new connection to a replica, leased; wait for one to come up if need be.

    Raise QueueFull, NoReplica. A dial that was refused is tried again: no byte was sent.
    """
    settings = worker.settings
    if backend.waiting >= settings.replica_waiters_max:
        raise QueueFull
    backend.waiting += 1
    try:
        async with asyncio.timeout(settings.replica_wait_s_max):
            while True:
                replica = backend.choose(worker.loop.time(), settings.redial_s)
                if replica is None:
                    await _change(backend, settings.redial_s)
                elif connection := await _connect(worker, replica):
                    return connection
    except TimeoutError as error:
        raise NoReplica(backend.key) from error
    finally:
        backend.waiting -= 1


async def _connect(worker: Worker, replica: Replica) -> UpstreamConnection | None:
    """Return a connection, or None when the replica did not take it. It is leased meanwhile."""
    replica.in_flight += 1
    try:
        async with asyncio.timeout(worker.settings.upstream_connect_s_max):
            _, connection = await worker.loop.create_connection(
                lambda: UpstreamConnection(worker, replica), replica.host, replica.port
            )
    except (OSError, TimeoutError):
        replica.refused_at = worker.loop.time()
        replica.release()
        return None
    except BaseException:
        replica.release()
        raise
    return connection


async def _change(backend: BackendState, redial_s: float) -> None:
    """Wait until the replicas change, or until it is time to try the same ones again."""
    try:
        async with asyncio.timeout(redial_s):
            await backend.changed.wait()
    except TimeoutError:
        pass
