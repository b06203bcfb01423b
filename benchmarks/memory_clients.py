"""Clients that move one huge body, or hold many connections and say nothing. All loopback."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import h2c
from instance import BenchmarkError
from ownworker import HOST

from benchmarks.harness.drivers import h2load

MIB = 1024 * 1024
PIECE = b"x" * (256 * 1024)
WAIT_S = 60.0
SLOW_BYTES = 256 * MIB  # a slow client rests too often to take a whole GiB
GULP_BYTES, REST_S = 32 * MIB, 0.5
PER_SOURCE = 5000  # connections from one loopback address: a port each, of 28,000 by default
REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


def download(port: int, count: int) -> None:
    """Take `count` bytes as fast as they come."""
    _download(port, count, rest_every=0)


def download_slowly(port: int, count: int) -> None:
    """Take `count` bytes in gulps, with rests in which nothing is read."""
    _download(port, count, rest_every=GULP_BYTES)


def _download(port: int, count: int, rest_every: int) -> None:
    head = f"GET /bytes/{count} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
        connection.sendall(head.encode())
        buffer = bytearray(len(PIECE))
        taken, since_rest = 0, 0
        while got := connection.recv_into(buffer):
            taken += got
            since_rest += got
            if rest_every and since_rest >= rest_every:
                since_rest = 0
                time.sleep(REST_S)
    if taken < count:
        raise BenchmarkError(f"only {taken} of {count} bytes came")


def upload(port: int, count: int) -> None:
    """Send `count` bytes with a Content-Length; wait for the answer."""
    _upload(port, f"Content-Length: {count}", [(b"", b"")], count)


def upload_chunked(port: int, count: int) -> None:
    """Send `count` bytes in chunks of 256 KiB; wait for the answer."""
    around = [(f"{len(PIECE):x}\r\n".encode(), b"\r\n")]
    _upload(port, "Transfer-Encoding: chunked", around, count)


def _upload(port: int, framing: str, around: list[tuple[bytes, bytes]], count: int) -> None:
    head = f"POST / HTTP/1.1\r\nHost: {HOST}\r\n{framing}\r\nConnection: close\r\n\r\n"
    ((before, after),) = around
    piece = before + PIECE + after
    with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as connection:
        connection.sendall(head.encode())
        for _ in range(count // len(PIECE)):
            connection.sendall(piece)
        if before:
            connection.sendall(b"0\r\n\r\n")
        said = connection.recv(65536)
    if not said.startswith(b"HTTP/1.1 200"):
        raise BenchmarkError(f"an upload was answered with {said[:80]!r}")


def h2_download(port: int) -> None:
    """Take one answer over h2c, however long, with h2load. Raise BenchmarkError."""
    if why := h2load.trial(port, (), wait_s=WAIT_S):
        raise BenchmarkError(f"h2load: {why}")


@contextlib.contextmanager
def idle_from_the_start(port: int, count: int) -> Iterator[None]:
    """Hold connections on which nothing was sent."""
    with _many(port, count, b""):
        yield


@contextlib.contextmanager
def idle_after_a_request(port: int, count: int) -> Iterator[None]:
    """Hold connections each of which had one answer."""
    with _many(port, count, REQUEST):
        yield


@contextlib.contextmanager
def idle_h2_after_a_request(port: int, count: int) -> Iterator[None]:
    """Hold h2c connections each of which had one answer (GET / of HOST, no table, one stream)."""
    fields = b"\x82\x86\x84\x41" + bytes([len(HOST)]) + HOST.encode()  # RFC 7541, appendix A
    flags = h2c.END_HEADERS | h2c.END_STREAM
    request = h2c.PREFACE + h2c.settings({}) + h2c.frame(h2c.HEADERS, flags, 1, fields)
    with _many(port, count, request):
        yield


@contextlib.contextmanager
def _many(port: int, count: int, first: bytes) -> Iterator[None]:
    """Hold `count` connections, from as many loopback addresses as their ports take."""
    with contextlib.ExitStack() as stack:
        for number in range(count):
            source = f"127.0.0.{2 + number // PER_SOURCE}"
            one = stack.enter_context(
                socket.create_connection(("127.0.0.1", port), WAIT_S, source_address=(source, 0))
            )
            if first:
                one.sendall(first)
                _read_answer(one)
        if not first:  # the last one is accepted when it is answered
            one.sendall(REQUEST)
            _read_answer(one)
        yield


def _read_answer(connection: socket.socket) -> None:
    said = b""
    while b"Hello" not in said and b"xxxxxxxxxxxxx" not in said:
        data = connection.recv(65536)
        if not data:
            raise BenchmarkError(f"a connection ended after {said[:80]!r}")
        said += data
