"""Reads an HTTP/1.1 answer from a socket, whole or as it comes.

`http.client` cannot go on reading after a timeout, as a watch must, which waits by turns for
frames and for its own deadlines; and importing it takes 17 ms that `knary get` does not have.
"""

from __future__ import annotations

import time
from typing import Protocol

READ_BYTES = 65_536
HEAD_BYTES_MAX = 65_536
SIZE_LINE_BYTES_MAX = 1_024


class StreamBroken(Exception):
    """The peer closed the stream before its end, or sent what is no HTTP/1.1 answer."""


class Receiver(Protocol):
    """The part of a socket that is used here; `socket.socket` and `ssl.SSLSocket` fit."""

    def recv(self, count: int, /) -> bytes:
        """Return what arrived, b"" at the end. Raise TimeoutError after `settimeout`."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Bound each `recv`."""

    def close(self) -> None:
        """Close the connection."""


class ChunkedBody:
    """Takes the chunked coding off a body (RFC 9112, 7.1). Pure; feed it whatever arrived."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0  # bytes of the current chunk still to come, with its closing CRLF
        self.is_complete = False

    def feed(self, data: bytes) -> bytes:
        """Return the body's bytes that are now known. Raise StreamBroken on a bad chunk size."""
        self._buffer += data
        body = bytearray()
        while self._buffer and not self.is_complete:
            if self._left:
                self._take_chunk(body)
            elif not self._take_size():
                break
        return bytes(body)

    def _take_chunk(self, body: bytearray) -> None:
        taken = min(self._left, len(self._buffer))
        payload = min(taken, max(0, self._left - 2))
        body += self._buffer[:payload]
        del self._buffer[:taken]
        self._left -= taken

    def _take_size(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > SIZE_LINE_BYTES_MAX:
                raise StreamBroken("a chunk's size line is too long")
            return False
        digits = bytes(self._buffer[:end]).split(b";")[0].strip()
        del self._buffer[: end + 2]
        try:
            size = int(digits, 16)
        except ValueError:
            raise StreamBroken(f"not the size of a chunk: {digits[:20]!r}") from None
        if size == 0:
            self.is_complete = True
        else:
            self._left = size + 2
        return True


class PlainBody:
    """A body of `length` bytes, or one that ends with the connection when None."""

    def __init__(self, length: int | None) -> None:
        self._left = length
        self.is_complete = length == 0

    def feed(self, data: bytes) -> bytes:
        """Return the body's bytes among `data`."""
        if self._left is None:
            return data
        body = data[: self._left]
        self._left -= len(body)
        self.is_complete = self._left == 0
        return body


class StreamedAnswer:
    """One answer: its status and headers, then its bytes as they come."""

    def __init__(self, receiver: Receiver, timeout_s: float) -> None:
        """Read the head. Raise StreamBroken, TimeoutError, OSError."""
        self._receiver = receiver
        receiver.settimeout(timeout_s)
        head, rest = self._read_head()
        self.status, self._fields = _parse_head(head)
        self._body = self._body_of_headers()
        self._lines = bytearray()
        self._ready = self._body.feed(rest)

    @property
    def leaves_connection_open(self) -> bool:
        """Tell whether the whole answer was read and another request may follow it."""
        # After a chunked body there may be trailers, which are not read here.
        is_whole = isinstance(self._body, PlainBody) and self._body.is_complete
        return is_whole and not self._ready and self.header("connection").lower() != "close"

    def header(self, name: str) -> str:
        """Return the first header of that lower-case name, "" when there is none."""
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> list[str]:
        """Return every header of that lower-case name."""
        return [value for field, value in self._fields if field == name]

    def close(self) -> None:
        """Close the connection."""
        self._receiver.close()

    def read(self, timeout_s: float) -> bytes:
        """Return the next bytes; b"" is the end. Raise TimeoutError when none came in time."""
        if self._ready:
            ready, self._ready = self._ready, b""
            return ready
        deadline = time.monotonic() + timeout_s
        while not self._body.is_complete:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._receiver.settimeout(left)
            data = self._receiver.recv(READ_BYTES)
            if not data:
                return self._end()
            if body := self._body.feed(data):
                return body
        return b""

    def read_all(self, timeout_s: float, bytes_max: int) -> bytes:
        """Return the whole body, cut at `bytes_max`. Raise TimeoutError, StreamBroken."""
        whole = bytearray()
        while len(whole) < bytes_max and (data := self.read(timeout_s)):
            whole += data
        return bytes(whole[:bytes_max])

    def read_line(self, timeout_s: float, line_bytes_max: int) -> bytes | None:
        """Return the next line without its end; None at the end of the stream.

        Raise TimeoutError when no whole line came in time (what came is kept for the next call),
        StreamBroken when a line is longer than `line_bytes_max`.
        """
        deadline = time.monotonic() + timeout_s
        while (end := self._lines.find(b"\n")) < 0:
            if len(self._lines) > line_bytes_max:
                raise StreamBroken(f"a line of more than {line_bytes_max} bytes")
            data = self.read(max(0.0, deadline - time.monotonic()))
            if not data:
                return None
            self._lines += data
        line = bytes(self._lines[:end])
        del self._lines[: end + 1]
        return line

    def _read_head(self) -> tuple[bytes, bytes]:
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            if len(received) > HEAD_BYTES_MAX:
                raise StreamBroken("the head of the answer is too long")
            data = self._receiver.recv(READ_BYTES)
            if not data:
                raise StreamBroken("the connection was closed before an answer")
            received += data
        return bytes(received[:end]), bytes(received[end + 4 :])

    def _body_of_headers(self) -> ChunkedBody | PlainBody:
        if self.status in (204, 304):  # RFC 9112, 6.3: these have none
            return PlainBody(0)
        if "chunked" in self.header("transfer-encoding").lower():
            return ChunkedBody()
        length = self.header("content-length")
        return PlainBody(int(length) if length.isdigit() else None)

    def _end(self) -> bytes:
        if isinstance(self._body, PlainBody) and not self.header("content-length"):
            self._body.is_complete = True
            return b""
        raise StreamBroken("the connection was closed in the middle of the answer")


def _parse_head(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    """Return the status code, and the headers with lower-case names in their order."""
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
        raise StreamBroken(f"not an HTTP/1.1 answer: {first[:40]!r}")
    pairs = (line.partition(":") for line in lines)
    return int(parts[1]), [(name.strip().lower(), value.strip()) for name, _, value in pairs]
