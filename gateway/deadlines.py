"""Deadlines on a coarse tick: one timer per worker looks at what is under way.

A timer per request would cost more than the request's parsing; the tick costs a pass over the
open connections, ten times a second for requests and once a second for idle connections.
"""

from __future__ import annotations

import logging
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from typing import Protocol

from gateway.settings import Settings

log = logging.getLogger(__name__)

IDLE_TICKS = 10  # connections are looked at on every tenth tick


class Waiting(Protocol):
    """A client's connection."""

    def check_requests(self, now: float, tick_s: float) -> None:
        """End the requests whose time is over."""

    def check(self, now: float) -> None:
        """Close the connection when it has been silent for too long."""

    def drain(self) -> None:
        """Take no further request."""

    def abort(self) -> None:
        """Break the connection."""


class Deadlines:
    """The worker's one timer. `now` is the loop's time at the last tick."""

    def __init__(
        self,
        loop: AbstractEventLoop,
        settings: Settings,
        on_tick: Callable[[float], None],
        on_second: Callable[[float], None],
    ) -> None:
        self._loop = loop
        self._tick_s = settings.tick_s
        self._ticks = 0
        self._timer: TimerHandle | None = None
        self._on_tick = on_tick
        self._on_second = on_second
        self.now = loop.time()
        self.connections: set[Waiting] = set()

    def start(self) -> None:
        self._timer = self._loop.call_later(self._tick_s, self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._tick_s, self._tick)  # whatever happens below
        self.now = now = self._loop.time()
        # Requests are found by their connections: a set of their own would cost each 0.2 us.
        for connection in list(self.connections):
            try:
                connection.check_requests(now, self._tick_s)
            except Exception:
                self._break(connection)
        self._on_tick(now)
        self._ticks += 1
        if self._ticks % IDLE_TICKS == 0:
            self._on_second(now)
            for connection in list(self.connections):
                try:
                    connection.check(now)
                except Exception:
                    self._break(connection)

    def _break(self, connection: Waiting) -> None:
        """End a connection that is in trouble: the others' deadlines do not wait for its cure."""
        log.exception("a connection cannot be looked at, and is broken off")
        self.connections.discard(connection)
        connection.abort()
