"""Connections with frames to write, written to together: one write for all that one read caused."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from typing import Protocol


class Writing(Protocol):
    """A connection that gathers what it writes."""

    is_waiting: bool  # in the list

    def write_out(self) -> None:
        """Write what was gathered."""


class Writes:
    """Who reads says so with `begin`, and writes for all with `end`; else it is soon enough."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[Writing] = []
        self._reading = False

    def add(self, connection: Writing) -> None:
        """Write to this connection when the reading under way is over, or in a moment."""
        if not connection.is_waiting:
            connection.is_waiting = True
            if not self._waiting and not self._reading:
                self._loop.call_soon(self._flush)
            self._waiting.append(connection)

    def begin(self) -> None:
        self._reading = True

    def end(self) -> None:
        self._reading = False
        self._flush()

    def _flush(self) -> None:
        waiting = self._waiting
        try:
            while waiting:  # writing may make others write
                connection = waiting.pop()
                connection.is_waiting = False
                connection.write_out()
        finally:
            if waiting:  # one connection's trouble is not the others'
                self._loop.call_soon(self._flush)
