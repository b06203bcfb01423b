"""The launcher's loop: connections, signals, the parent's life. One thread, no event loop, so
that a forked child starts clean.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket

from simulator.clock import Clock
from simulator.launcher.forking import Fork
from simulator.launcher.networks import Networks
from simulator.launcher.protocol import (
    Hello,
    LineReader,
    ProtocolError,
    Report,
    command,
    encode,
)
from simulator.launcher.replicas import Replicas
from simulator.launcher.settings import LauncherSettings

log = logging.getLogger(__name__)

_READ_BYTES = 256 * 1024


class _Connection:
    """One control plane: lines in, lines out."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.lines = LineReader()
        self.output = bytearray()


class Server:
    """Serves until the parent dies or SIGTERM comes; then ends every replica."""

    def __init__(
        self,
        listening: socket.socket,
        fork: Fork,
        clock: Clock,
        settings: LauncherSettings,
        networks: Networks | None = None,
    ) -> None:
        self._listening = listening
        self._settings = settings
        self._clock = clock
        self._replicas = Replicas(fork, clock, self._tell, settings, networks)
        self._selector = selectors.DefaultSelector()
        self._connections: dict[int, _Connection] = {}
        self._ending = False
        self._wake_read, self._wake_write = os.pipe()

    def serve(self) -> None:
        """Take commands until it is time to end; return when no replica is left."""
        for descriptor in (self._wake_read, self._wake_write):
            os.set_blocking(descriptor, False)
        self._listening.settimeout(0)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        # Ctrl-C and a closed terminal are the parent's to answer.
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for watched in (self._listening, self._wake_read, self._settings.life_fd):
            self._selector.register(watched, selectors.EVENT_READ)
        try:
            while not self._ending:
                self._turn(self._replicas.tend())
            self._end()
        finally:
            signal.set_wakeup_fd(-1)
            self._selector.close()

    def _turn(self, timeout_s: float | None) -> None:
        """Wait for something, and answer all that happened."""
        for key, events in self._selector.select(timeout_s):
            if key.fd == self._wake_read:
                self._take_signals()
            elif key.fd == self._settings.life_fd:
                self._take_life()
            elif key.fileobj is self._listening:
                self._accept()
            elif (connection := self._connections.get(key.fd)) is not None:
                if events & selectors.EVENT_READ:
                    self._read(connection)
                if events & selectors.EVENT_WRITE:
                    self._flush(connection)

    def _take_signals(self) -> None:
        numbers = os.read(self._wake_read, 4096)
        if signal.SIGTERM in numbers:
            self._ending = True
        if signal.SIGCHLD in numbers:
            self._replicas.reap()

    def _take_life(self) -> None:
        """Read the parent's pipe: nothing is ever written to it, so this is its end."""
        if not os.read(self._settings.life_fd, 4096):
            log.info("the parent is gone: ending every replica")
            self._selector.unregister(self._settings.life_fd)
            self._ending = True

    def _end(self) -> None:
        """End every replica: SIGTERM, the grace, SIGKILL. Connections hear of each exit."""
        self._selector.unregister(self._listening)
        self._replicas.stop_all(self._settings.grace_s)
        # A second grace bounds the wait for processes that the kernel cannot end.
        give_up_at = self._clock.monotonic() + 2 * self._settings.grace_s + 1
        while not self._replicas.is_idle and self._clock.monotonic() < give_up_at:
            self._turn(self._replicas.tend())
        self._replicas.kill_all()
        for connection in tuple(self._connections.values()):
            self._flush(connection)
            self._drop(connection)

    # Connections.

    def _accept(self) -> None:
        try:
            peer, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            log.warning("cannot accept a connection: %s", error)
            return
        if len(self._connections) >= self._settings.connections_max:
            log.warning("refused a connection: %d are open", len(self._connections))
            peer.close()
            return
        peer.settimeout(0)
        connection = _Connection(peer)
        self._connections[peer.fileno()] = connection
        self._selector.register(peer, selectors.EVENT_READ)
        self._send(connection, Hello(os.getpid()))
        self._send(connection, self._replicas.listing())

    def _read(self, connection: _Connection) -> None:
        try:
            data = connection.peer.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        try:
            for line in connection.lines.feed(data):
                order = command(line)
                if not self._ending:
                    self._replicas.carry_out(order)
        except ProtocolError as error:
            log.error("closed a connection: %s", error)
            self._drop(connection)

    def _tell(self, report: Report) -> None:
        for connection in tuple(self._connections.values()):
            self._send(connection, report)

    def _send(self, connection: _Connection, report: Report) -> None:
        connection.output += encode(report)
        if len(connection.output) > self._settings.connection_output_bytes_max:
            log.error("closed a connection that does not read its reports")
            self._drop(connection)
            return
        self._flush(connection)

    def _flush(self, connection: _Connection) -> None:
        """Send what the socket takes; wait for room for the rest."""
        if connection.peer.fileno() not in self._connections:
            return
        try:
            while connection.output:
                del connection.output[: connection.peer.send(connection.output)]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(connection)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.output else 0)
        self._selector.modify(connection.peer, wanted)

    def _drop(self, connection: _Connection) -> None:
        """Forget a connection. Its replicas live on: its successor adopts them."""
        descriptor = connection.peer.fileno()
        if self._connections.pop(descriptor, None) is None:
            return
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection.peer)
        connection.peer.close()
