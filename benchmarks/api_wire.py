"""TLS connections to the API that are read as bytes come, a thousand at once in one thread."""

from __future__ import annotations

import json
import selectors
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

READ_BYTES = 256 * 1024
WAIT_S_MAX = 60.0


class Wire:
    """One connection: requests out, bytes in."""

    def __init__(self, port: int, token: str, context: ssl.SSLContext) -> None:
        raw = socket.create_connection(("127.0.0.1", port))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(raw, server_hostname="127.0.0.1")
        self._token = token
        self.data = bytearray()

    def send(self, method: str, path: str, document: Any = None) -> None:
        """Send one request."""
        body = b"" if document is None else json.dumps(document).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}"
            f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + body)

    def ask(self, method: str, path: str, document: Any = None) -> tuple[int, bytes]:
        """Send one request and wait for its answer: code and body."""
        self.send(method, path, document)
        return self.answer()

    def answer(self) -> tuple[int, bytes]:
        """Wait for an answer with a Content-Length: code and body."""
        while (end := self.data.find(b"\r\n\r\n")) < 0:
            self._more()
        head = bytes(self.data[:end]).decode().lower().split("\r\n")
        length = next(int(line[15:]) for line in head if line.startswith("content-length:"))
        whole = end + 4 + length
        while len(self.data) < whole:
            self._more()
        body = bytes(self.data[end + 4 : whole])
        del self.data[:whole]
        return int(head[0].split()[1]), body

    def _more(self) -> None:
        received = self.socket.recv(READ_BYTES)
        if not received:
            raise ConnectionError("the API closed a connection")
        self.data += received


class Crowd:
    """Watches that are all read in one thread."""

    def __init__(self, wires: Iterable[Wire]) -> None:
        self.wires = list(wires)
        self._selector = selectors.DefaultSelector()
        for wire in self.wires:
            wire.socket.settimeout(0.0)
            self._selector.register(wire.socket, selectors.EVENT_READ, wire)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for wire in self.wires:
            wire.socket.close()

    def until_all_have(self, marker: bytes) -> Sequence[float]:
        """Read until every wire got the marker; return when each did (time.perf_counter)."""
        missing = set(self.wires)
        moments = []
        deadline = time.perf_counter() + WAIT_S_MAX
        while missing:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{len(missing)} watches did not get {marker!r}")
            for key, _ in self._selector.select(1.0):
                wire = key.data
                self._drain(wire)
                if wire in missing and marker in wire.data:
                    missing.discard(wire)
                    moments.append(time.perf_counter())
                    wire.data.clear()
        return moments

    def _drain(self, wire: Wire) -> None:
        try:
            while received := wire.socket.recv(READ_BYTES):
                wire.data += received
        except ssl.SSLWantReadError:
            return
        raise ConnectionError("the API closed a watch")
