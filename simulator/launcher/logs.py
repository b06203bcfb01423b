"""The replicas' log files, bounded: the writers are the replicas themselves, with O_APPEND.

So nothing stands between a replica and its file: no launcher that is slow, or dead, holds it up.
When it wrote what is learned by looking, from the file's size and time of change.
"""

from __future__ import annotations

import contextlib
import os
import stat

from simulator.replicalogs.files import MARKS, PREVIOUS
from simulator.replicalogs.marks import MARK_BYTES, Mark, packed, thinned, unpacked

_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW
_COPY_BYTES = 1024 * 1024


def open_for_append(path: str) -> int:
    """Open a log, made readable by its owner alone. Raise OSError."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _FLAGS, 0o600)


def begin(path: str) -> None:
    """Keep what the run before logged as PATH.previous, and begin an empty log.

    A disk that refuses shows in the replica's start, which opens the same file.
    """
    with contextlib.suppress(FileNotFoundError):
        os.replace(path, path + PREVIOUS)
        with contextlib.suppress(FileNotFoundError):
            os.replace(path + MARKS, path + PREVIOUS + MARKS)
    # A reader that finds the log finds its marks.
    for one in (path + MARKS, path):
        os.close(open_for_append(one))


def look(path: str, before: Mark, marks_max: int) -> Mark:
    """Return the log's size and time of change now, marked beside it if they are not `before`.

    A log that is shorter was emptied, maybe by the replica (`> /dev/stdout` does that).

    Of too many marks every other one is dropped. A disk that refuses costs moments, nothing else.
    """
    try:
        found = os.lstat(path)
    except OSError:
        return before
    now = Mark(found.st_size, found.st_mtime_ns)
    if now.size == before.size or not stat.S_ISREG(found.st_mode):
        return before
    with contextlib.suppress(OSError):
        target = os.open(path + MARKS, os.O_RDWR | os.O_APPEND | os.O_CREAT | _FLAGS, 0o600)
        try:
            count = os.fstat(target).st_size // MARK_BYTES
            if now.size < before.size:
                os.ftruncate(target, 0)
            elif count >= marks_max:
                kept = thinned(unpacked(os.pread(target, count * MARK_BYTES, 0)))
                os.ftruncate(target, 0)
                os.write(target, packed(kept))
            os.write(target, packed([now]))
        finally:
            os.close(target)
    return now


def bound(path: str, bytes_max: int) -> bool:
    """Keep the newest part of a log that grew too large in PATH.1, and empty it; tell if so.

    The replica holds the file open, so it is emptied in place, not renamed. What is written
    between the copy and the cut is lost: a bounded disk is worth more than a flood's last lines.
    Errors of the disk are left for the next time.
    """
    try:
        if os.stat(path).st_size <= bytes_max:
            return False
    except OSError:
        return False
    with contextlib.suppress(OSError):
        source = os.open(path, os.O_RDWR | _FLAGS)
        try:
            _copy_tail(source, f"{path}.1", bytes_max)
        finally:
            # First the marks: they must not speak of what is written after the cut.
            with contextlib.suppress(OSError):
                os.truncate(path + MARKS, 0)
            # Cut even when there is no room for a copy.
            os.ftruncate(source, 0)
            os.close(source)
    return True


def _copy_tail(source: int, target_path: str, bytes_max: int) -> None:
    target = os.open(target_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _FLAGS, 0o600)
    try:
        end = os.fstat(source).st_size
        at = max(0, end - bytes_max)
        while at < end and (part := os.pread(source, min(_COPY_BYTES, end - at), at)):
            at += os.write(target, part)
    finally:
        os.close(target)


def tail(path: str, bytes_max: int) -> str:
    """Return the end of a log, at most `bytes_max` bytes of it; "" when it cannot be read."""
    try:
        source = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        return ""
    try:
        end = os.fstat(source).st_size
        at = max(0, end - bytes_max)
        return os.pread(source, min(end - at, bytes_max), at).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(source)
