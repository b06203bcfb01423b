"""One run's log, read forward: from its last lines, since a moment, with a moment before each line.

Source: the kubelet's `pkg/kubelet/kuberuntime/logs/logs.go`: the tail is taken first, what is too
old is left out of it, and a limit counts the moments' bytes too.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from msgspec import Struct

from simulator.replicalogs.files import LOG, MARKS, PREVIOUS
from simulator.replicalogs.marks import MARK_BYTES, Moments, stamp, unpacked

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Wanted(Struct, frozen=True):
    """What of a log is wanted (core/v1 PodLogOptions)."""

    previous: bool = False
    tail_lines: int | None = None
    since_ns: int | None = None  # nanoseconds since 1970
    timestamps: bool = False


class LogTail:
    """Reads the log of the newest run of `pod`, or of the run before it.

    A file that is made only after the first look is read from its start: all of it is new. The
    file that was found stays the one that is read, whatever happens to its name. Synchronous;
    `close` may come from another thread while one reads. Folder and file are opened one below the
    other, and neither may be a link: a replica that puts one there shows nothing but its own log.
    """

    def __init__(
        self, folder: Path, namespace: str, pod: str, wanted: Wanted, chunk_bytes: int
    ) -> None:
        self._folder = folder
        self._namespace = namespace
        self._name = f"{pod}{LOG}{PREVIOUS if wanted.previous else ''}"
        self._wanted = wanted
        self._chunk_bytes = chunk_bytes
        self._file: int | None = None
        self._marks: int | None = None
        self._marks_offset = 0
        self._moments = Moments()
        self._offset = 0
        self._begins_line = True
        self._is_shown = True  # the line that `_offset` is in
        self._is_first_look = True
        self._is_closed = False
        self.times_emptied = 0  # the log grew too large, and was begun anew in place
        self._lock = threading.Lock()

    @property
    def is_there(self) -> bool:
        """Tell whether there is a log by now."""
        with self._lock:
            return self._opened() is not None

    def size(self) -> int:
        """Return how many bytes of the file there are to read now."""
        with self._lock:
            file = self._opened()
            return 0 if file is None else max(0, os.fstat(file).st_size - self._offset)

    def is_current(self) -> bool:
        """Tell whether what is read still has the log's name: no run began since, none is gone."""
        with self._lock:
            if self._file is None:
                return not self._is_closed
            try:
                named = (self._folder / self._namespace / self._name).lstat()
            except OSError:
                return False
            return os.path.samestat(named, os.fstat(self._file))

    def read(self, bytes_max: int | None = None) -> tuple[int, bytes]:
        """Return the next bytes: how many they are in the file, and what is shown of them.

        (0, b"") when there are none yet, and after `close`.
        """
        with self._lock:
            file = self._opened()
            if file is None:
                return 0, b""
            now = os.fstat(file)
            # The log is emptied in place when it grew too large.
            if now.st_size < self._offset:
                self._offset = 0
                self.times_emptied += 1
                self._begins_line = True
                self._forget_marks()
            wanted = self._chunk_bytes if bytes_max is None else min(self._chunk_bytes, bytes_max)
            part = os.pread(file, wanted, self._offset)
            shown = part
            if part and (self._wanted.timestamps or self._wanted.since_ns is not None):
                self._read_marks()
                shown = self._dated(part, now.st_mtime_ns)
            self._offset += len(part)
            return len(part), shown

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            for descriptor in (self._file, self._marks):
                if descriptor is not None:
                    os.close(descriptor)
            self._file = self._marks = None

    def _dated(self, part: bytes, changed_ns: int) -> bytes:
        """Return the lines that are new enough, each after its moment if that is wanted."""
        shown = []
        offset = self._offset
        since_ns = self._wanted.since_ns
        *whole, rest = part.split(b"\n")
        for line in [*(one + b"\n" for one in whole), *([rest] if rest else [])]:
            if self._begins_line:
                at_ns = self._moments.at_ns(offset, changed_ns)
                self._is_shown = since_ns is None or at_ns >= since_ns
                if self._is_shown and self._wanted.timestamps:
                    shown.append(stamp(at_ns).encode() + b" ")
            if self._is_shown:
                shown.append(line)
            self._begins_line = line.endswith(b"\n")
            offset += len(line)
        return b"".join(shown)

    def _read_marks(self) -> None:
        """Take the marks that came; fewer than there were are new ones."""
        if self._marks is None:
            return
        if os.fstat(self._marks).st_size < self._marks_offset:
            self._forget_marks()
        while data := os.pread(self._marks, self._chunk_bytes * 16, self._marks_offset):
            marks = unpacked(data)
            if not marks:
                return
            self._moments.add(marks)
            self._marks_offset += len(marks) * MARK_BYTES

    def _forget_marks(self) -> None:
        self._moments.clear()
        self._marks_offset = 0

    def _opened(self) -> int | None:
        """Return the file, opened if it is there by now and this is not closed."""
        if self._file is None and not self._is_closed:
            is_first, self._is_first_look = self._is_first_look, False
            self._file, self._marks = self._open()
            lines = self._wanted.tail_lines
            if self._file is not None and lines is not None and is_first:
                self._offset = self._start_of_last(self._file, lines)
        return self._file

    def _open(self) -> tuple[int | None, int | None]:
        """Return the descriptors of the log and of its marks, as far as these are there."""
        try:
            outer = os.open(self._folder, os.O_DIRECTORY | os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None, None
        try:
            inner = os.open(self._namespace, os.O_DIRECTORY | _READ, dir_fd=outer)
        except OSError:
            return None, None
        finally:
            os.close(outer)
        file = None
        try:
            file = os.open(self._name, _READ, dir_fd=inner)
            return file, os.open(self._name + MARKS, _READ, dir_fd=inner)
        except OSError:  # a log without marks is as old as its last change
            return file, None
        finally:
            os.close(inner)

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
