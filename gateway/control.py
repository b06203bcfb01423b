"""The worker's end of the control link: tables in, acknowledgements out.

When the link breaks the worker goes on with the table that it has, and connects again.
"""

from __future__ import annotations

import asyncio
import logging
import os
from time import perf_counter_ns

from gateway.build import build
from gateway.contract import (
    Ack,
    Begin,
    Commit,
    Delta,
    FrameError,
    FrameReader,
    FromWorker,
    Hello,
    Idle,
    Refused,
    RouteTable,
    encode,
    to_worker,
)
from gateway.metrics.figures import WorkerFigures
from gateway.router import RefusedTable, Router
from gateway.settings import Startup

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024


class ControlLink:
    """Keeps the router's table the control plane's; tells it what is still in use."""

    def __init__(self, startup: Startup) -> None:
        self._startup = startup
        self._writer: asyncio.StreamWriter | None = None
        self._router: Router | None = None
        self._pending: list[Delta] = []
        self._whole = False
        self.first_table = asyncio.Event()
        self.figures = WorkerFigures()  # the worker's, once it has its metrics

    def on_idle(self, address: str) -> None:
        """Report that the last request of a retired replica is over."""
        if self._router is None or address not in self._router.busy():
            self._send(Idle(address))

    async def run(self, router: Router) -> None:
        """Stay connected for ever; returns only when cancelled."""
        self._router = router
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(
                    self._startup.control_socket
                )
            except OSError:
                await asyncio.sleep(self._startup.settings.control_reconnect_s)
                continue
            try:
                self._send(Hello(self._startup.worker, os.getpid(), build=build()))
                await self._receive(reader, router)
            except (OSError, FrameError) as error:
                log.warning("control link: %s", error)
            finally:
                self._writer.close()
                self._writer = None
            await asyncio.sleep(self._startup.settings.control_reconnect_s)

    async def _receive(self, reader: asyncio.StreamReader, router: Router) -> None:
        frames = FrameReader()
        self._pending, self._whole = [], False
        while data := await reader.read(READ_BYTES):
            for body in frames.feed(data):
                match message := to_worker(body):
                    case Begin():
                        self._pending, self._whole = [], True
                    case Delta():
                        self._pending.append(message)
                        if not self._whole:
                            continue
                        await asyncio.sleep(0)  # a whole table comes in chunks: serve in between
                    case Commit():
                        self._commit(router, message.version)

    def _commit(self, router: Router, version: int) -> None:
        pending, self._pending = self._pending, []
        whole, self._whole = self._whole, False
        figures = self.figures
        begun_ns = perf_counter_ns()
        try:
            if whole:
                router.replace(_table(version, pending))
            else:
                router.install(_joined(pending))
        except RefusedTable as error:
            log.error("table %d refused: %s", version, error)
            figures.tables_refused += 1
            self._send(Refused(version, str(error)))
            return
        figures.tables_installed += 1
        figures.table_version = version
        figures.table_install_us = (perf_counter_ns() - begun_ns) // 1000
        self.first_table.set()
        self._send(Ack(version, router.busy()))

    def _send(self, message: FromWorker) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(encode(message))


def _table(version: int, deltas: list[Delta]) -> RouteTable:
    return RouteTable(
        version,
        {row.key: row for delta in deltas for row in delta.routes},
        {row.key: row for delta in deltas for row in delta.backends},
    )


def _joined(deltas: list[Delta]) -> Delta:
    """Return one delta for several, later rows over earlier ones."""
    if len(deltas) == 1:
        return deltas[0]
    routes: dict[str, object] = {}
    backends: dict[str, object] = {}
    for delta in deltas:
        for key in delta.routes_gone:
            routes[key] = None
        for key in delta.backends_gone:
            backends[key] = None
        routes.update((row.key, row) for row in delta.routes)
        backends.update((row.key, row) for row in delta.backends)
    return Delta(
        routes=tuple(row for row in routes.values() if row),  # type: ignore[misc]
        backends=tuple(row for row in backends.values() if row),  # type: ignore[misc]
        routes_gone=tuple(key for key, row in routes.items() if row is None),
        backends_gone=tuple(key for key, row in backends.items() if row is None),
    )
