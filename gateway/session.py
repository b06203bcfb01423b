"""What HTTP/2 connections to clients and to revisions share: a transport, and when to write."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from gateway.http2.connection import Connection

if TYPE_CHECKING:
    from gateway.worker import Worker

WRITTEN_AT_ONCE_BYTES: Final = 64 * 1024


class Session:
    """A connection's bytes: read into the core, written when all that one read caused is there."""

    transport: asyncio.Transport

    def __init__(self, worker: Worker, core: Connection) -> None:
        self.worker = worker
        self.core = core
        self.encoder = worker.vocabulary.encoder
        self.is_waiting = False
        self.stopped_at = 0.0  # since when the peer takes nothing; 0: it does

    def read(self, data: bytes) -> None:
        """Read what the peer sent, and write what it causes, to whomever."""
        writes = self.worker.writes
        writes.begin()
        try:
            self.core.receive(data, self.worker.deadlines.now)
        finally:
            self.schedule()
            writes.end()

    def schedule(self) -> None:
        """Write soon what the core has for the peer; at once when it is much.

        The other side may be read many times in a row, and pauses only for what is written.
        """
        if not self.is_waiting:
            self.worker.writes.add(self)
        if self.core.sender.untaken > WRITTEN_AT_ONCE_BYTES:
            self.write_out()

    def write_out(self) -> None:
        """Write it now."""
        sender, transport = self.core.sender, self.transport
        data = sender.take()
        if data and not transport.is_closing():
            transport.write(data)
            while sender.can_flush:
                self.core.flush()
                transport.write(sender.take())
        self.on_written()

    def on_written(self) -> None:
        """See whether this was the end."""
        raise NotImplementedError

    def pause_writing(self) -> None:
        self.stopped_at = self.worker.loop.time()
        self.core.sender.is_stopped = True

    def resume_writing(self) -> None:
        self.stopped_at = 0.0
        self.core.sender.is_stopped = False
        self.core.flush()
        self.schedule()
