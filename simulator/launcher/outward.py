"""From a replica's own network to ports of this machine's loopback: bytes both ways, in a thread.

The thread stays in the network in which its process began, so what it dials is there; the sockets
it accepts from were made in the replicas' networks.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Mapping
from functools import partial
from typing import Final

log = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
_PART_BYTES = 64 * 1024


class Outward:
    """Forwards what comes in at listeners. `open` and `close` may be called by another thread."""

    def __init__(self, connections_max: int) -> None:
        self._connections_max = connections_max  # of one replica
        self._loop = asyncio.new_event_loop()
        self._serving: dict[str, list[asyncio.Task[None]]] = {}
        self._stopping = asyncio.Event()
        self._runs = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outward", daemon=True)

    def start(self) -> None:
        """Begin; unless it is stopped the thread ends with its process."""
        self._thread.start()
        self._runs.wait()

    def stop(self) -> None:
        """Close everything, and end the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def open(self, id_: str, listeners: Mapping[int, socket.socket]) -> None:
        """Forward what comes in at each listener to the same port of this machine."""
        self._loop.call_soon_threadsafe(self._open, id_, listeners)

    def close(self, id_: str) -> None:
        """Forward nothing more for that replica, and cut what is under way."""
        self._loop.call_soon_threadsafe(self._close, id_)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._live())

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            self._runs.set()
            await self._stopping.wait()
            for id_ in tuple(self._serving):
                self._close(id_)

    def _open(self, id_: str, listeners: Mapping[int, socket.socket]) -> None:
        room = asyncio.Semaphore(self._connections_max)
        self._serving[id_] = [
            self._tasks.create_task(self._serve(listener, port, room))
            for port, listener in listeners.items()
        ]

    def _close(self, id_: str) -> None:
        for task in self._serving.pop(id_, []):
            task.cancel()

    async def _serve(self, listener: socket.socket, port: int, room: asyncio.Semaphore) -> None:
        """Accept and forward until cancelled; then end what was accepted."""
        with listener:
            async with asyncio.TaskGroup() as forwarding:
                while True:
                    await room.acquire()  # who comes when there is none waits in the kernel
                    try:
                        client, _ = await self._loop.sock_accept(listener)
                    except OSError as error:
                        room.release()
                        log.warning("cannot accept for port %d: %s", port, error)
                        await asyncio.sleep(1.0)
                        continue
                    task = forwarding.create_task(_forward(client, port))
                    task.add_done_callback(partial(_leave, room))


def _leave(room: asyncio.Semaphore, task: asyncio.Task[None]) -> None:
    del task
    room.release()


async def _forward(client: socket.socket, port: int) -> None:
    """Carry bytes both ways until both sides have ended, or one has failed."""
    try:
        inner_reader, inner = await asyncio.open_connection(sock=client)
        try:
            outer_reader, outer = await asyncio.open_connection(LOOPBACK, port)
        except BaseException:
            inner.transport.abort()  # nobody listens there
            raise
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(_carry(inner_reader, outer))
                ways.create_task(_carry(outer_reader, inner))
        except BaseException:
            inner.transport.abort()
            outer.transport.abort()
            raise
        inner.close()
        outer.close()
    except* OSError:
        pass  # one side broke, and so did the other: both know


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Carry one way to its end, as fast as the target takes it. Raise OSError."""
    while data := await source.read(_PART_BYTES):
        target.write(data)
        await target.drain()
    target.write_eof()
