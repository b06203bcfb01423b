"""Loopback ports, leased to replicas and given back."""

from __future__ import annotations

import errno
import socket
from collections import deque

from simulator.errors import KnaryError
from simulator.supervisor.settings import SupervisorSettings


class NoPort(KnaryError):
    """Every port of the range is taken."""


class Ports:
    """Leases ports of 127.0.0.1 that nobody listens on, and none that was used a moment ago.

    Two instances share the range, so each begins at its own place, `first`.
    """

    def __init__(self, first: int, settings: SupervisorSettings) -> None:
        self._min = settings.port_min
        self._count = settings.port_max - settings.port_min + 1
        self._next = first % self._count
        self._leased: set[int] = set()
        self._returned: deque[int] = deque(maxlen=settings.ports_remembered)

    def lease(self) -> int:
        """Return a free port. Raise NoPort."""
        for recent in (frozenset(self._returned), frozenset()):
            for _ in range(self._count):
                port = self._min + self._next
                self._next = (self._next + 1) % self._count
                if port in self._leased or port in recent or not self._can_bind(port):
                    continue
                self._leased.add(port)
                return port
        raise NoPort(f"no free port from {self._min} to {self._min + self._count - 1}")

    def keep(self, port: int) -> None:
        """Count a port as leased that a replica holds from before."""
        self._leased.add(port)

    def is_free(self, port: int) -> bool:
        """Tell whether a replica could listen there again: nobody else took it meanwhile."""
        return self._can_bind(port, after_use=True)

    def give_back(self, port: int) -> None:
        if port in self._leased:
            self._leased.discard(port)
            self._returned.append(port)

    def _can_bind(self, port: int, *, after_use: bool = False) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if after_use:  # connections of the run before may still linger in TIME_WAIT
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen(1)
            except OSError as error:
                if error.errno in (errno.EADDRINUSE, errno.EACCES):
                    return False
                raise
        return True
