"""The answers that never end: how many there may be, and how they end when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from simulator.errors import Unavailable

_CHECKS_PER_TIMEOUT = 4


class Sending:
    """One stream. `since` is when a part was given to the connection, None while there is none."""

    __slots__ = ("abort", "end", "since")

    def __init__(self, end: Callable[[], None], abort: Callable[[], None]) -> None:
        self.end = end
        self.abort = abort
        self.since: float | None = None


class Streams:
    """The watches and logs that are being sent.

    One coarse timer for all of them looks who has not taken a part for `write_timeout_s`, and
    breaks that connection: a timer per part would cost more than sending it.
    """

    def __init__(self, streams_max: int, write_timeout_s: float) -> None:
        self._streams_max = streams_max
        self._write_timeout_s = write_timeout_s
        self._sending: dict[Sending, None] = {}
        self._check: asyncio.TimerHandle | None = None
        self._is_stopping = False

    def __len__(self) -> int:
        return len(self._sending)

    def require_room(self) -> None:
        """Raise Unavailable when there are too many."""
        if self._is_stopping:
            raise Unavailable("knary is stopping")
        if len(self._sending) >= self._streams_max:
            raise Unavailable(f"too many watches: at most {self._streams_max} at once")

    @contextmanager
    def counted(self, end: Callable[[], None], abort: Callable[[], None]) -> Iterator[Sending]:
        """Count one stream for as long as the block runs; `abort` breaks its connection."""
        sending = Sending(end, abort)
        self._sending[sending] = None
        if self._is_stopping:
            end()
        if self._check is None:
            self._check_later()
        try:
            yield sending
        finally:
            del self._sending[sending]

    def end_all(self) -> None:
        """Let every stream end, and those that are about to begin."""
        self._is_stopping = True
        for sending in tuple(self._sending):
            sending.end()

    def _check_later(self) -> None:
        delay_s = self._write_timeout_s / _CHECKS_PER_TIMEOUT
        self._check = asyncio.get_running_loop().call_later(delay_s, self._break_stalled)

    def _break_stalled(self) -> None:
        self._check = None
        oldest = asyncio.get_running_loop().time() - self._write_timeout_s
        for sending in tuple(self._sending):
            if sending.since is not None and sending.since <= oldest:
                sending.abort()
        if self._sending:
            self._check_later()
