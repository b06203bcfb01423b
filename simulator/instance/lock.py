"""Locks that the kernel drops with their holder: one per data folder, one per gateway port.

SO_REUSEPORT lets a second process of the same user bind a taken port silently and steal half of
its connections, so a port needs a lock of its own.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from simulator.errors import KnaryError

_HOLDER_BYTES_MAX = 64


class Taken(KnaryError):
    """Someone else holds the lock. `pid` is who took it, as far as is known."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"{path} is locked" + (f" by process {pid}" if pid else ""))
        self.pid = pid


class Lock:
    """An exclusive lock on a file, held until `release` or the end of its last holder.

    `fileno` may be passed to a child: then the lock is free only when the child is gone too.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path) -> Lock:
        """Take the lock or raise Taken at once; raise OSError when the file cannot be opened."""
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            if not _locked(descriptor):
                pid = _holder(descriptor)
                os.close(descriptor)
                raise Taken(path, pid)
            if _is_file(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, b"%d" % os.getpid(), 0)
                return cls(path, descriptor)
            # Its holder removed the file between our open and our lock: that lock is nobody's.
            os.close(descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def release(self) -> None:
        """Remove the file and drop the lock. Not for a lock that a child still holds."""
        if _is_file(self._descriptor, self.path):
            self.path.unlink()
        os.close(self._descriptor)


def take_within(path: Path, wait_s_max: float, pause: Callable[[float], None]) -> Lock:
    """Take a lock that the children of a killed parent may hold for a moment longer.

    Raise Taken at once when the process that took it is alive, and else after `wait_s_max`.
    `pause` waits that many seconds.
    """
    step_s = 0.02
    for _ in range(int(wait_s_max / step_s)):
        try:
            return Lock.take(path)
        except Taken as taken:
            if taken.pid is None or is_alive(taken.pid):
                raise
            pause(step_s)
    return Lock.take(path)


def port_lock_path(address: str, port: int) -> Path:
    """Return the file that stands for a gateway port among this user's instances."""
    return Path(tempfile.gettempdir()) / f"knary-{os.getuid()}-{address}-{port}.lock"


def port_lock_pattern() -> str:
    """Return the pattern of the names of this user's port locks."""
    return f"knary-{os.getuid()}-*-*.lock"


def is_held(path: Path) -> bool:
    """Tell whether someone holds the lock. Raise OSError when there is no such file."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        return not _locked(descriptor)
    finally:
        os.close(descriptor)


def remove_if_free(path: Path) -> None:
    """Remove the file of a lock that nobody holds. Raise OSError when there is no such file.

    Who takes it at this moment may see it taken, by the dead process that the file names: such a
    lock is worth a short wait (`take_within`).
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if _locked(descriptor) and _is_file(descriptor, path):
            path.unlink()
    finally:
        os.close(descriptor)


def is_alive(pid: int) -> bool:
    """Tell whether a process of that id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _locked(descriptor: int) -> bool:
    """Lock the open file; tell whether that was possible."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> int | None:
    text = os.pread(descriptor, _HOLDER_BYTES_MAX, 0)
    return int(text) if text.isdigit() else None


def _is_file(descriptor: int, path: Path) -> bool:
    """Tell whether the path still names the file that is open."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
