"""Reads the replicas' log files of one folder, whole or as they grow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from simulator.replicalogs.files import LOG, PREVIOUS
from simulator.replicalogs.reading import LogTail, Wanted

READ_BYTES = 65_536
LINE_BYTES_MAX = 65_536  # a longer line is shown in parts


class Line(NamedTuple):
    """A line without its end, and the replica that printed it."""

    pod: str
    text: str


class LogFiles:
    """The logs in `folder`/`namespace` of the replicas of which something is `wanted`.

    A replica that comes later is found then, and all of its log is new. So is all that its next
    run writes, after the last words of the run that was read.
    """

    def __init__(
        self,
        folder: Path,
        namespace: str,
        wanted: Callable[[str], Wanted | None],
        limit_bytes: int | None = None,
    ) -> None:
        self._folder = folder
        self._namespace = namespace
        self._wanted = wanted
        self._limit_bytes = limit_bytes
        self._open: dict[str, _OneLog] = {}
        self._seen: dict[str, None] = {}
        self._is_first_look = True

    @property
    def pods(self) -> tuple[str, ...]:
        """Return the replicas whose logs were read so far, those that are gone too."""
        return tuple(self._seen)

    @property
    def has_all(self) -> bool:
        """Tell whether of each log as much was read as may be."""
        return bool(self._open) and all(log.left == 0 for log in self._open.values())

    def read(self) -> Iterator[Line]:
        """Yield the whole lines that are new since the last call, log by log."""
        is_first, self._is_first_look = self._is_first_look, False
        for pod in sorted({*self._found(), *self._open}):
            log = self._open.get(pod) or self._begin(pod, is_first=is_first)
            while log is not None:
                # Asked before the last read: what a run wrote before it ended is still shown.
                is_current = log.tail.is_current()
                yield from log.lines()
                if is_current:
                    break
                yield from log.rest()
                log.tail.close()
                del self._open[pod]
                log = self._begin(pod, is_first=False)

    def rest(self) -> Iterator[Line]:
        """Yield what each log has after its last line end: the end of a log that is done."""
        for log in self._open.values():
            yield from log.rest()

    def close(self) -> None:
        for log in self._open.values():
            log.tail.close()

    def _begin(self, pod: str, *, is_first: bool) -> _OneLog | None:
        """Return the log of the replica, from where it is to be shown; None if there is none."""
        wanted = self._wanted(pod)
        if wanted is None:
            return None
        if not is_first:
            wanted = replace(wanted, tail_lines=None)
        tail = LogTail(self._folder, self._namespace, pod, wanted, READ_BYTES)
        if not tail.is_there:
            tail.close()
            return None
        self._seen[pod] = None
        self._open[pod] = _OneLog(pod, tail, self._limit_bytes)
        return self._open[pod]

    def _found(self) -> list[str]:
        try:
            names = os.listdir(self._folder / self._namespace)
        except FileNotFoundError:
            return []
        return [
            name.removesuffix(PREVIOUS).removesuffix(LOG)
            for name in names
            if name.endswith((LOG, LOG + PREVIOUS))
        ]


class _OneLog:
    """One run's log, cut into lines; of its bytes at most `left` more."""

    def __init__(self, pod: str, tail: LogTail, left: int | None) -> None:
        self.tail = tail
        self.left = left
        self._pod = pod
        self._rest = b""
        self._times_emptied = 0

    def lines(self) -> Iterator[Line]:
        """Yield the whole lines that are new."""
        while self.left != 0:
            count, shown = self.tail.read()
            if not count:
                return
            if self.tail.times_emptied > self._times_emptied:
                self._times_emptied = self.tail.times_emptied
                yield from self.rest()
            if self.left is not None:
                shown = shown[: self.left]
                self.left -= len(shown)
            *whole, self._rest = (self._rest + shown).split(b"\n")
            if len(self._rest) > LINE_BYTES_MAX or self.left == 0:
                whole, self._rest = [*whole, *([self._rest] if self._rest else [])], b""
            for line in whole:
                yield self._line(line)

    def rest(self) -> Iterator[Line]:
        """Yield what there is after the last line end."""
        if self._rest:
            yield self._line(self._rest)
        self._rest = b""

    def _line(self, line: bytes) -> Line:
        return Line(self._pod, line.decode("utf-8", "replace").removesuffix("\r"))
