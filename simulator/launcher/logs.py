"""The replicas' log files, bounded: the writers are the replicas themselves, with O_APPEND."""

from __future__ import annotations

import contextlib
import os

_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW
_COPY_BYTES = 1024 * 1024


def open_for_append(path: str) -> int:
    """Open a log, made readable by its owner alone. Raise OSError."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _FLAGS, 0o600)


def size(path: str) -> int:
    """Return the file's size in bytes; 0 when there is none."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def bound(path: str, bytes_max: int) -> bool:
    """Keep the newest part of a log that grew too large in PATH.1, and empty it; tell if so.

    The replica holds the file open, so it is emptied in place, not renamed. What is written
    between the copy and the cut is lost: a bounded disk is worth more than a flood's last lines.
    Errors of the disk are left for the next time.
    """
    if size(path) <= bytes_max:
        return False
    with contextlib.suppress(OSError):
        source = os.open(path, os.O_RDWR | _FLAGS)
        try:
            _copy_tail(source, f"{path}.1", bytes_max)
        finally:
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


def tail(path: str, since: int, bytes_max: int) -> str:
    """Return the end of what was logged after offset `since`, at most `bytes_max` bytes of it.

    After the log was emptied in between, all that is there counts. "" when it cannot be read.
    """
    try:
        source = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        return ""
    try:
        end = os.fstat(source).st_size
        start = since if since <= end else 0
        at = max(start, end - bytes_max)
        return os.pread(source, min(end - at, bytes_max), at).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(source)
