"""The control plane's side of the launcher: one connection, made again whenever it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator.launcher.protocol import (
    LINE_BYTES_MAX,
    Command,
    Hello,
    LineReader,
    ProtocolError,
    Report,
    encode,
    report,
)

log = logging.getLogger(__name__)

_READ_BYTES = 256 * 1024


@dataclass(frozen=True)
class ClientSettings:
    """The client's bounds."""

    reconnect_s_min: float = 0.01
    reconnect_s_max: float = 0.5
    output_bytes_max: int = 16 * 1024 * 1024
    line_bytes_max: int = LINE_BYTES_MAX


DEFAULTS = ClientSettings()


@dataclass(frozen=True)
class Disconnected:
    """The connection ended. A `Hello` and a whole `Listing` follow when there is one again."""


LauncherEvent = Report | Disconnected


class LauncherClient:
    """Sends commands; whatever the launcher reports goes to the one who runs it, in order."""

    def __init__(self, socket: Path, settings: ClientSettings = DEFAULTS) -> None:
        self._socket = socket
        self._settings = settings
        self._writer: asyncio.StreamWriter | None = None

    @property
    def is_connected(self) -> bool:
        return self._writer is not None

    def send(self, command: Command) -> None:
        """Send a command; without a connection it is dropped.

        Nothing is lost by that: the `Listing` that begins the next connection says what the
        launcher knows, and whoever takes it commands anew.
        """
        if self._writer is None:
            return
        self._writer.write(encode(command))
        if self._writer.transport.get_write_buffer_size() > self._settings.output_bytes_max:
            log.error("the launcher does not read its commands; connecting anew")
            self._writer.transport.abort()

    async def run(self, take: Callable[[LauncherEvent], None]) -> None:
        """Connect, and hand every report to `take`, until cancelled."""
        pause_s = self._settings.reconnect_s_min
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(str(self._socket))
            except OSError:  # not there yet, or being restarted
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self._settings.reconnect_s_max)
                continue
            pause_s = self._settings.reconnect_s_min
            self._writer = writer
            try:
                await self._read(reader, take)
            except (OSError, ProtocolError) as error:
                log.warning("lost the launcher: %s", error)
            finally:
                self._writer = None
                writer.close()
            take(Disconnected())
            await asyncio.sleep(pause_s)

    async def _read(
        self, reader: asyncio.StreamReader, take: Callable[[LauncherEvent], None]
    ) -> None:
        """Hand over what comes, until the connection ends."""
        lines = LineReader(self._settings.line_bytes_max)
        while data := await reader.read(_READ_BYTES):
            for line in lines.feed(data):
                message = report(line)
                if isinstance(message, Hello):
                    log.info("connected to the launcher, process %d", message.pid)
                take(message)
