"""The way from a replica's own network to ports of this machine, with real sockets.

The replica's side listens on 127.0.0.2 here: it has the same port, and is in no other network.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator

import pytest

from simulator.launcher.outward import LOOPBACK, Outward
from tests.support.waiting import WITHIN_S, eventually

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="127.0.0.2 needs no set-up on Linux alone"
)

INSIDE = "127.0.0.2"
A_MEGABYTE = bytes(range(256)) * 4096


class Echo(socketserver.BaseRequestHandler):
    """Says `hello`, then everything that was sent once that has ended."""

    def handle(self) -> None:
        self.request.sendall(b"hello")
        parts = list(iter(lambda: self.request.recv(65536), b""))
        self.request.sendall(b"".join(parts))


@pytest.fixture
def port() -> Iterator[int]:
    """Give the port of an echo server on this machine."""
    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextlib.contextmanager
def forwarding(port: int, connections_max: int = 8) -> Iterator[Outward]:
    """Forward from 127.0.0.2 to the same port of this machine."""
    listener = socket.create_server((INSIDE, port))
    listener.setblocking(False)
    outward = Outward(connections_max)
    outward.start()
    outward.open("a", {port: listener})
    try:
        yield outward
    finally:
        outward.close("a")
        outward.stop()


def connect(port: int) -> socket.socket:
    return socket.create_connection((INSIDE, port), timeout=WITHIN_S)


def read_all(one: socket.socket) -> bytes:
    return b"".join(iter(lambda: one.recv(65536), b""))


def is_refused(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((INSIDE, port)) != 0


def test_bytes_go_both_ways_and_each_way_ends_by_itself(port: int) -> None:
    with forwarding(port), connect(port) as one:
        assert one.recv(5, socket.MSG_WAITALL) == b"hello"
        one.sendall(A_MEGABYTE)
        one.shutdown(socket.SHUT_WR)
        assert read_all(one) == A_MEGABYTE


def test_a_port_at_which_nobody_listens_ends_the_connection() -> None:
    with socket.create_server((LOOPBACK, 0)) as closed:
        port = closed.getsockname()[1]
    with forwarding(port), connect(port) as one, contextlib.suppress(ConnectionResetError):
        assert one.recv(1) == b""


def test_a_replica_that_is_gone_has_its_connections_cut(port: int) -> None:
    with forwarding(port) as outward, connect(port) as one:
        assert one.recv(5, socket.MSG_WAITALL) == b"hello"
        outward.close("a")
        with contextlib.suppress(ConnectionResetError):
            assert one.recv(1) == b""
        eventually("nobody listens", lambda: is_refused(port))


def test_more_connections_than_are_allowed_wait_for_one_to_end(port: int) -> None:
    with forwarding(port, connections_max=1), connect(port) as first, connect(port) as second:
        assert first.recv(5, socket.MSG_WAITALL) == b"hello"
        second.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.recv(5)
        first.close()
        second.settimeout(WITHIN_S)
        assert second.recv(5, socket.MSG_WAITALL) == b"hello"
