"""Where a body ends, and what is in it: by length, in chunks, until the connection closes."""

from __future__ import annotations

import re

from gateway.errors import BadMessage, HeadTooLarge
from gateway.http1.head import TRAILERS_REFUSED, read_field

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
CHUNK_LINE_BYTES_MAX = 4096


class LengthBody:
    """A body of a known number of bytes."""

    __slots__ = ("_left", "done")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the body's bytes in `data`, and what follows the body."""
        left = self._left
        if len(data) < left:
            self._left = left - len(data)
            return data, b""
        self.done = True
        self._left = 0
        return data[:left], data[left:]

    @property
    def trailers(self) -> bytes:
        return b""


class UntilClose:
    """A response body that ends when the connection does."""

    __slots__ = ("done",)

    def __init__(self) -> None:
        self.done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return all of it."""
        return data, b""

    @property
    def trailers(self) -> bytes:
        return b""


class ChunkedBody:
    """A chunked body, read strictly (RFC 9112 7.1); extensions are dropped.

    Trailer lines that may be passed on are in `trailers` once it is `done`.
    """

    __slots__ = ("_buffer", "_left", "_trailer_bytes_max", "done", "trailers")

    def __init__(self, trailer_bytes_max: int) -> None:
        self._trailer_bytes_max = trailer_bytes_max
        self._buffer = b""
        # > 0: data bytes to come; 0: a size line; -1: the CRLF after data; -2: trailers
        self._left = 0
        self.done = False
        self.trailers = b""

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return decoded bytes, and what follows the body once it is done. Raise BadMessage."""
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        decoded: list[bytes] = []
        at = 0
        while not self.done:
            if self._left > 0:
                piece = data[at : at + self._left]
                if not piece:
                    break
                decoded.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._left:
                    break
                self._left = -1
            elif self._left == -1:
                mark = data[at : at + 2]
                if mark != b"\r\n"[: len(mark)]:
                    raise BadMessage("chunk data not ended by CRLF")
                if len(mark) < 2:
                    self._buffer = mark
                    break
                at += 2
                self._left = 0
            else:
                end = data.find(b"\n", at)
                if end < 0:
                    self._keep(data[at:])
                    break
                if end == at or data[end - 1] != 0x0D:
                    raise BadMessage("a bare LF in a chunked body")
                self._line(data[at : end - 1])
                at = end + 1
        return b"".join(decoded), data[at:] if self.done else b""

    def _keep(self, start: bytes) -> None:
        limit = CHUNK_LINE_BYTES_MAX if self._left == 0 else self._trailer_bytes_max
        if len(start) > limit:
            raise HeadTooLarge("a chunk line or trailer is too long")
        self._buffer = start

    def _line(self, line: bytes) -> None:
        if self._left == -2:
            self._trailer(line)
            return
        match = _SIZE.fullmatch(line)
        if match is None or len(line) > CHUNK_LINE_BYTES_MAX:
            raise BadMessage("a malformed chunk size")
        size = int(match[1], 16)
        self._left = size or -2

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        name, value = read_field(line)
        if name.lower() not in TRAILERS_REFUSED:
            self.trailers += b"%b: %b\r\n" % (name, value)
        if len(self.trailers) > self._trailer_bytes_max:
            raise HeadTooLarge("the trailers are too long")


Body = LengthBody | ChunkedBody | UntilClose
