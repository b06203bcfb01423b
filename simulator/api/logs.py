"""A replica's log: the file that its process writes, as it is or as it grows."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

from simulator.api.exchange import PLAIN, Request, Stream
from simulator.api.reads import found
from simulator.api.settings import ApiSettings
from simulator.errors import BadRequest
from simulator.resources.core import Pod
from simulator.resources.meta import Key
from simulator.store.objects import Store

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_KEPT = ("sinceSeconds", "sinceTime", "timestamps", "previous")


class Logs:
    """Reads `FOLDER/NAMESPACE/POD.log`. Its bytes go out as they are, terminal escapes too."""

    def __init__(self, store: Store, folder: Path, settings: ApiSettings) -> None:
        self._store = store
        self._folder = folder
        self._settings = settings

    def open(self, request: Request) -> Stream:
        """Return the log's end, and with `follow` what is added until the Pod is gone.

        Raise NotFound or BadRequest.
        """
        pod = found(self._store, request.target)
        if not isinstance(pod, Pod):
            raise BadRequest("only a pod has a log")
        query = request.query
        for name in _NOT_KEPT:
            if query.text(name) not in ("", "0", "false"):
                raise BadRequest(
                    f"{name} is not supported: logs are kept as the replica wrote them"
                )
        container = query.text("container")
        if container and container not in {one.name for one in pod.spec.containers}:
            raise BadRequest(f"container {container} is not valid for pod {pod.metadata.name}")
        tail_lines, limit_bytes = query.integer("tailLines"), query.integer("limitBytes")
        if (tail_lines or 0) < 0 or (limit_bytes is not None and limit_bytes < 1):
            raise BadRequest("tailLines must not be negative, limitBytes must be positive")
        ended = asyncio.Event()
        tail = LogTail(self._folder, pod.key, tail_lines, self._settings.log_chunk_bytes)
        parts = self._follow(pod, tail, ended) if query.boolean("follow") else _whole(tail)
        return Stream(_limited(parts, limit_bytes), ended.set, PLAIN)

    async def _follow(
        self, pod: Pod, tail: LogTail, ended: asyncio.Event
    ) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                # Asked before the last read: what a Pod wrote before it went is still sent.
                current = self._store.get(Pod, *pod.key)
                is_last = current is None or current.uid != pod.uid or ended.is_set()
                while part := await asyncio.to_thread(tail.read):
                    yield part
                if is_last:
                    return
                try:
                    async with asyncio.timeout(self._settings.log_poll_interval_s):
                        await ended.wait()
                except TimeoutError:
                    continue
        finally:
            tail.close()


async def _whole(tail: LogTail) -> AsyncGenerator[bytes, None]:
    """Yield what is there now; a log that grows faster than it is read still ends."""
    try:
        left = await asyncio.to_thread(tail.size)
        while left > 0 and (part := await asyncio.to_thread(tail.read)):
            yield part[:left]
            left -= len(part)
    finally:
        tail.close()


async def _limited(
    parts: AsyncGenerator[bytes, None], limit_bytes: int | None
) -> AsyncGenerator[bytes, None]:
    left = limit_bytes
    try:
        async for part in parts:
            if left is None:
                yield part
                continue
            yield part[:left]
            left -= len(part)
            if left <= 0:
                return
    finally:
        await parts.aclose()


class LogTail:
    """The end of one log file, read forward from its last `lines` (None: from its start).

    A file that is made only after the first look is read from its start: all of it is new.
    Synchronous; `close` may come from another thread while one reads. Folder and file are opened
    one below the other, and neither may be a link: a replica that puts one there shows nothing
    but its own log.
    """

    def __init__(self, folder: Path, key: Key, lines: int | None, chunk_bytes: int) -> None:
        self._folder = folder
        self._key = key
        self._lines = lines
        self._chunk_bytes = chunk_bytes
        self._file: int | None = None
        self._offset = 0
        self._is_closed = False
        self._lock = threading.Lock()

    def size(self) -> int:
        """Return how many bytes there are to read now."""
        with self._lock:
            file = self._opened()
            return 0 if file is None else max(0, os.fstat(file).st_size - self._offset)

    def read(self) -> bytes:
        """Return the next bytes, b"" when there are none yet, and after `close`."""
        with self._lock:
            file = self._opened()
            if file is None:
                return b""
            # The log is emptied in place when it grew too large.
            if os.fstat(file).st_size < self._offset:
                self._offset = 0
            part = os.pread(file, self._chunk_bytes, self._offset)
            self._offset += len(part)
            return part

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _opened(self) -> int | None:
        """Return the file, opened if it is there by now and this is not closed."""
        if self._file is None and not self._is_closed:
            lines, self._lines = self._lines, None
            self._file = self._open()
            if self._file is not None and lines is not None:
                self._offset = self._start_of_last(self._file, lines)
        return self._file

    def _open(self) -> int | None:
        try:
            outer = os.open(self._folder, os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC)
            try:
                inner = os.open(self._key.namespace, os.O_DIRECTORY | _READ, dir_fd=outer)
            finally:
                os.close(outer)
            try:
                return os.open(f"{self._key.name}.log", _READ, dir_fd=inner)
            finally:
                os.close(inner)
        except OSError:
            return None

    def _start_of_last(self, file: int, lines: int) -> int:
        """Return the offset at which the last `lines` lines start."""
        end = os.fstat(file).st_size
        if lines == 0:
            return end
        # The newline that ends the last line does not separate it from another one.
        newlines = -1 if end and os.pread(file, 1, end - 1) == b"\n" else 0
        position = end
        while position > 0:
            start = max(0, position - self._chunk_bytes)
            block = os.pread(file, position - start, start)
            found_at = len(block)
            while (found_at := block.rfind(b"\n", 0, found_at)) >= 0:
                newlines += 1
                if newlines == lines:
                    return start + found_at + 1
            position = start
        return 0
