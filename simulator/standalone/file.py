"""The file of routes on disk: read at the start, and again whenever it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from simulator.clock import Clock
from simulator.standalone.options import FileSettings
from simulator.standalone.reading import ROUTES_BYTES_MAX, Configuration, RoutesError, parse_routes

_Stamp = tuple[int, int, int] | None  # mtime in ns, size, inode; None when there is no file


def read_routes(file: Path) -> Configuration:
    """Return what the file asks for. Raise RoutesError, which names the file as it was given."""
    try:
        with file.open("rb") as opened:
            raw = opened.read(ROUTES_BYTES_MAX + 1)
        if len(raw) > ROUTES_BYTES_MAX:
            raise RoutesError(f"{file}: larger than {ROUTES_BYTES_MAX} bytes")
        return parse_routes(raw.decode(), str(file))
    except OSError as error:
        raise RoutesError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RoutesError(f"{file}: not UTF-8: {error.reason} at byte {error.start}") from error


class RoutesFile:
    """One file, and whether it is still the one that was read."""

    def __init__(self, file: Path, *, clock: Clock, settings: FileSettings) -> None:
        self._file = file
        self._clock = clock
        self._settings = settings
        self._asked = asyncio.Event()
        self._seen: _Stamp = None

    def read(self) -> Configuration:
        """Return what the file asks for now; `follow` looks for what changes after that.

        Raise RoutesError.
        """
        self._seen = self._stamp()
        return read_routes(self._file)

    def ask(self) -> None:
        """Have the file read now, changed or not."""
        self._asked.set()

    async def follow(
        self, take: Callable[[Configuration], None], refuse: Callable[[str], None]
    ) -> None:
        """Until cancelled, call one of these after each change; `refuse` is told why not."""
        while True:
            if not await self._is_due():
                continue
            self._seen = self._stamp()
            try:
                # A thread: a file of thousands of routes takes longer than the link may wait.
                wanted = await asyncio.to_thread(read_routes, self._file)
            except RoutesError as error:
                refuse(str(error))
            else:
                take(wanted)

    async def _is_due(self) -> bool:
        """Wait for the next look; tell whether to read."""
        if await self._asked_within(self._settings.poll_s):
            return True
        if self._stamp() == self._seen:
            return False
        until = self._clock.monotonic() + self._settings.settle_s_max
        before, now = None, self._stamp()
        while before != now and self._clock.monotonic() < until:
            if await self._asked_within(self._settings.settle_s):
                return True
            before, now = now, self._stamp()
        return True

    async def _asked_within(self, wait_s: float) -> bool:
        try:
            async with asyncio.timeout(wait_s):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    def _stamp(self) -> _Stamp:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size, status.st_ino)
