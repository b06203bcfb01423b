"""Reads the replicas' log files of one folder, whole or as they grow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

READ_BYTES = 65_536
LINE_BYTES_MAX = 65_536  # a longer line is shown in parts
TAIL_BYTES_MAX = 16 * 1024 * 1024
SUFFIX = ".log"


class Line(NamedTuple):
    """A line without its end, and the replica that printed it."""

    pod: str
    text: str


class LogFiles:
    """The logs in `folder` of the replicas whose name `is_wanted`; new ones are found later.

    A log that became shorter was emptied by knary, to bound it, and another file is the log of the
    next run: reading starts anew.
    """

    def __init__(self, folder: Path, is_wanted: Callable[[str], bool]) -> None:
        self._folder = folder
        self._is_wanted = is_wanted
        self._offsets: dict[str, int] = {}
        self._files: dict[str, int] = {}  # the inode that was read
        self._rests: dict[str, bytes] = {}
        self._seen: dict[str, None] = {}

    @property
    def pods(self) -> tuple[str, ...]:
        """Return the replicas whose logs were read so far, those that are gone too."""
        return tuple(self._seen)

    def skip_to_tail(self, lines: int) -> None:
        """Leave out all but the last lines of each log that is there."""
        for pod in self._find():
            self._offsets[pod] = _tail_offset(self._path(pod), lines)

    def read(self) -> Iterator[Line]:
        """Yield the whole lines that are new since the last call, log by log."""
        for pod in self._find():
            yield from self._read_one(pod)

    def rest(self) -> Iterator[Line]:
        """Yield what each log has after its last line end: the end of a log that is done."""
        for pod, rest in self._rests.items():
            if rest:
                yield Line(pod, rest.decode("utf-8", "replace"))
        self._rests.clear()

    def _read_one(self, pod: str) -> Iterator[Line]:
        try:
            with self._path(pod).open("rb") as file:
                self._seen[pod] = None
                now = os.fstat(file.fileno())
                offset = self._offsets.get(pod, 0)
                is_anew = offset > now.st_size or self._files.get(pod, now.st_ino) != now.st_ino
                self._files[pod] = now.st_ino
                file.seek(0 if is_anew else offset)
                rest = b"" if is_anew else self._rests.pop(pod, b"")
                while data := file.read(READ_BYTES):
                    *whole, rest = (rest + data).split(b"\n")
                    if len(rest) > LINE_BYTES_MAX:
                        whole, rest = [*whole, rest], b""
                    for line in whole:
                        yield Line(pod, line.decode("utf-8", "replace").removesuffix("\r"))
                self._offsets[pod] = file.tell()
                self._rests[pod] = rest
        except FileNotFoundError:
            self._offsets.pop(pod, None)

    def _find(self) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        pods = (name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))
        return sorted(pod for pod in pods if self._is_wanted(pod))

    def _path(self, pod: str) -> Path:
        return self._folder / f"{pod}{SUFFIX}"


def _tail_offset(path: Path, lines: int) -> int:
    """Return where the last lines of a file begin."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if lines == 0:
            return size
        start = max(0, size - TAIL_BYTES_MAX)
        file.seek(start)
        tail = file.read(size - start)
    position = len(tail) - 1 if tail.endswith(b"\n") else len(tail)
    for _ in range(lines):
        position = tail.rfind(b"\n", 0, position)
        if position < 0:
            return start
    return start + position + 1
