"""The worker's end of the control link: tables in, acknowledgements out.

When the link breaks the worker goes on with the table that it has, and connects again.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from time import perf_counter_ns

from gateway.build import build
from gateway.changes import Change
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
    encode,
    to_worker,
)
from gateway.metrics.figures import WorkerFigures
from gateway.router import RefusedTable, Router
from gateway.settings import Startup

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
ROWS_AT_ONCE_MAX = 200  # a change of more rows is installed in steps, with requests in between
FROZEN_ROWS_MIN = 1000  # after a change of more rows the collector looks at none of them again


class ControlLink:
    """Keeps the router's table the control plane's; tells it what is still in use."""

    def __init__(self, startup: Startup) -> None:
        self._startup = startup
        self._writer: asyncio.StreamWriter | None = None
        self._router: Router | None = None
        self.first_table = asyncio.Event()
        self.turns = "own"  # or how the worker shares them with the others
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
                self._send(
                    Hello(self._startup.worker, os.getpid(), build=build(), turns=self.turns)
                )
                await self._receive(reader, router)
            except (OSError, FrameError) as error:
                log.warning("control link: %s", error)
            finally:
                self._writer.close()
                self._writer = None
            await asyncio.sleep(self._startup.settings.control_reconnect_s)

    async def _receive(self, reader: asyncio.StreamReader, router: Router) -> None:
        frames = FrameReader()
        change, whole = Change(), False
        try:
            while data := await reader.read(READ_BYTES):
                for body in frames.feed(data):
                    match message := to_worker(body):
                        case Begin():
                            change, whole = Change(), True
                            gc.disable()
                        case Delta():
                            change.take(message)
                            if change.rows() > ROWS_AT_ONCE_MAX:
                                await asyncio.sleep(0)  # many come in chunks: serve in between
                        case Commit():
                            await self._commit(router, message.version, change, whole=whole)
                            change, whole = Change(), False
        finally:
            gc.enable()  # also when the link broke within a whole table

    async def _commit(self, router: Router, version: int, change: Change, *, whole: bool) -> None:
        figures = self.figures
        rows = change.rows()
        begun_ns = perf_counter_ns()
        # A million new objects set off collections of the whole heap, a second each: none is
        # wanted before all are there, and none has to look at them ever again.
        gc.disable()
        try:
            for _ in router.whole_steps(change) if whole else router.steps(change):
                if rows > ROWS_AT_ONCE_MAX:
                    await asyncio.sleep(0)
        except RefusedTable as error:
            log.error("table %d refused: %s", version, error)
            figures.tables_refused += 1
            self._send(Refused(version, str(error)))
            return
        finally:
            if rows > FROZEN_ROWS_MIN:
                gc.freeze()
            gc.enable()
        figures.tables_installed += 1
        figures.table_version = version
        figures.table_install_us = (perf_counter_ns() - begun_ns) // 1000
        self.first_table.set()
        self._send(Ack(version, router.busy()))

    def _send(self, message: FromWorker) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(encode(message))
