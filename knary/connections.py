"""Kept HTTP connections to one server. Threads may share them: each request has one of its own."""

from __future__ import annotations

import http.client
import select
import socket
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from knary.problems import EmulatorError

IDLE_MAX = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. Names of headers are in lower case; of several one is a list (RFC 9110)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """`make` opens one; `where` is what errors call the server."""

    def __init__(self, make: Callable[[], http.client.HTTPConnection], where: str) -> None:
        self._make = make
        self._where = where
        self._idle: deque[http.client.HTTPConnection] = deque(maxlen=IDLE_MAX)

    def request(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        """Send over a kept connection, or a new one; read the answer whole.

        Raise EmulatorError when there is none.
        """
        connection = self._kept() or self._make()
        try:
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            why = str(error) or type(error).__name__
            raise EmulatorError(
                f"{method} {target}: no answer from {self._where}: {why}"
            ) from error
        if answer.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return Reply(answer.status, _combined(answer.getheaders()), content)

    def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> http.client.HTTPConnection | None:
        """Return a connection that the server has not closed meanwhile."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                return None
            if connection.sock is not None and not _has_input(connection.sock):
                return connection
            connection.close()
        return None


def _has_input(connection: socket.socket) -> bool:
    """Tell whether an idle connection has something to read: its end, as nothing was asked."""
    try:
        readable, _, _ = select.select([connection], [], [], 0)
    except (OSError, ValueError):  # closed, or a number too high for select(2)
        return True
    return bool(readable)


def _combined(fields: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found
