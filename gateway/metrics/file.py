"""The shared file that a worker writes its counts into: opened, locked, mapped."""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from typing import Final

from gateway.metrics.layout import (
    CELLS_MAX,
    LAYOUT_VERSION,
    MAGIC,
    SLOTS_MAX,
    W_CELLS,
    W_CELLS_MAX,
    W_MAGIC,
    W_PID,
    W_SEQUENCE,
    W_VERSION,
    W_WORKER,
    file_bytes,
)

LOCK_ATTEMPTS: Final = 3
LOCK_ATTEMPT_S: Final = 0.005


class MetricsFile:
    """A mapped file. `words` are its 64-bit words, `data` its bytes."""

    def __init__(self, descriptor: int, worker: int, cells_max: int) -> None:
        """Take over an open file whose lock is held; what another layout left is cleared.

        It is as in the midst of a flush then: who goes on from it ends that.
        """
        self._descriptor = descriptor
        self.cells_max = cells_max
        length = file_bytes(cells_max)
        if os.fstat(descriptor).st_size != length:
            _make_room(descriptor, length)
        self._map = mmap.mmap(descriptor, length)
        self.data = memoryview(self._map)
        self.words = self.data.cast("Q")
        words = self.words
        if (words[W_MAGIC], words[W_VERSION], words[W_CELLS_MAX]) != (
            MAGIC,
            LAYOUT_VERSION,
            cells_max,
        ):
            self._map[:] = bytes(length)
            words[W_VERSION] = LAYOUT_VERSION
            words[W_CELLS_MAX] = cells_max
            words[W_WORKER] = worker
            words[W_MAGIC] = MAGIC  # last: from here on it can be read
        # Odd, whether or not its last writer died in a flush: until all is taken over.
        words[W_SEQUENCE] += 1 + words[W_SEQUENCE] % 2
        words[W_CELLS] = min(words[W_CELLS], cells_max)

    def close(self) -> None:
        """Let go of the file; what was counted stays in it."""
        self.words[W_PID] = 0
        self.words.release()
        self.data.release()
        self._map.close()
        os.close(self._descriptor)


def open_file(path: str, worker: int, cells_max: int = CELLS_MAX) -> MetricsFile:
    """Open the first file of `path`, `path`.1, … that no other process writes.

    A predecessor that still drains keeps its own. Raise OSError when there is no room on the disk,
    or every file is taken.
    """
    for slot in range(SLOTS_MAX):
        name = f"{path}.{slot}" if slot else path
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(descriptor):
            os.close(descriptor)
            continue
        try:
            return MetricsFile(descriptor, worker, cells_max)
        except OSError:
            os.close(descriptor)
            raise
    raise OSError(f"all {SLOTS_MAX} files at {path} are written by others")


def _locked(descriptor: int) -> bool:
    """Lock the file; tell whether that was possible. A reader holds it for some microseconds."""
    for _ in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_ATTEMPT_S)  # before the worker serves: there is no loop to hold up
        else:
            return True
    return False


def _make_room(descriptor: int, length: int) -> None:
    """Give the file its whole length on the disk. Raise OSError when that is full.

    A hole in it would be filled at a store, and a store cannot fail: SIGBUS would end the worker.
    """
    os.ftruncate(descriptor, 0)
    allocate = getattr(os, "posix_fallocate", None)  # macOS has none
    if allocate is not None:
        allocate(descriptor, 0, length)
        return
    written = 0
    while written < length:
        written += os.pwrite(descriptor, bytes(min(1 << 20, length - written)), written)
