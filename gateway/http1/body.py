"""Where a body ends, and what is in it: by length, in chunks, until the connection closes."""

from __future__ import annotations

import re
from typing import Final

from gateway.errors import BadMessage, HeadTooLarge
from gateway.http1.head import TOKEN, TRAILERS_REFUSED, read_field

# RFC 9112 7.1: 1*HEXDIG. Leading zeros are valid; 15 digits are more than any file, and less than
# what overflows a signed 64-bit number.
_SIZE = rb"0{0,16}[0-9A-Fa-f]{1,15}"
# No group is repeated possessively: before 3.11.5 Python matched such things wrongly (gh-106052).
_QUOTED = rb'"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_EXTENSION = (
    rb"[ \t]*+;[ \t]*+" + TOKEN + rb"(?:[ \t]*+=[ \t]*+(?:" + TOKEN + rb"|" + _QUOTED + rb"))?"
)
_PLAIN_SIZE_LINE: Final = re.compile(rb"(" + _SIZE + rb")\r\n")
_SIZE_LINE: Final = re.compile(rb"(" + _SIZE + rb")((?:" + _EXTENSION + rb")*)")
_SIZE_LINE_START: Final = re.compile(rb"[0-9A-Fa-f]{1,31}(?:[ \t;][\t\x20-\x7e\x80-\xff]*)?\r?")
_TRAILER_START: Final = re.compile(rb"\r|(?:" + TOKEN + rb"(?::[\t\x20-\x7e\x80-\xff]*\r?)?)?")

CHUNK_LINE_BYTES_MAX = 4096
# Extensions mean nothing here, so a sender of many wastes our time on purpose (as CVE-2023-39326).
EXTENSION_BYTES_MAX = 16 * 1024

# What is next: > 0 so many bytes of a chunk's data; else one of these.
_SIZE_NEXT: Final = 0
_CRLF_NEXT: Final = -1
_TRAILER_NEXT: Final = -2


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
    """A chunked body, read strictly (RFC 9112 7.1); extensions are checked and dropped.

    Trailer lines that may be passed on are in `trailers` once it is `done`.
    """

    __slots__ = (
        "_buffer",
        "_extension_bytes",
        "_next",
        "_trailer_bytes",
        "_trailer_bytes_max",
        "done",
        "trailers",
    )

    def __init__(self, trailer_bytes_max: int) -> None:
        self._trailer_bytes_max = trailer_bytes_max
        self._trailer_bytes = 0  # seen, dropped ones too
        self._extension_bytes = 0
        self._buffer = b""
        self._next = _SIZE_NEXT
        self.done = False
        self.trailers = b""

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return decoded bytes, and what follows the body once it is done.

        Raise BadMessage as soon as what came cannot become a chunked body, HeadTooLarge for a
        line or trailers beyond the limits.
        """
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        decoded: list[bytes] = []
        at = 0
        size = self._next
        while True:
            if size > 0:
                end = at + size
                if end >= len(data):
                    decoded.append(data[at:])
                    size = end - len(data) or _CRLF_NEXT
                    break
                decoded.append(data[at:end])
                at = end
                size = _CRLF_NEXT
            if size == _CRLF_NEXT:
                if not data.startswith(b"\r\n", at):
                    if data[at:] not in {b"", b"\r"}:
                        raise BadMessage("chunk data not ended by CRLF")
                    self._buffer = data[at:]
                    break
                at += 2
                size = _SIZE_NEXT
            if size == _SIZE_NEXT:
                match = _PLAIN_SIZE_LINE.match(data, at)
                if match is not None:  # 0.4 us less than finding the line's end first
                    size = int(match[1], 16) or _TRAILER_NEXT
                    at = match.end()
                    continue
            end = data.find(b"\n", at)
            if end < 0:
                self._keep(data[at:], size)
                break
            if end == at or data[end - 1] != 0x0D:
                raise BadMessage("a bare LF in a chunked body")
            size = self._line(data[at : end - 1], size)
            at = end + 1
            if self.done:
                break
        self._next = size
        return b"".join(decoded), data[at:] if self.done else b""

    def _keep(self, start: bytes, expected: int) -> None:
        """Remember the start of a line, unless it can no longer become a good one."""
        in_trailer = expected == _TRAILER_NEXT
        if len(start) > (self._trailer_bytes_max if in_trailer else CHUNK_LINE_BYTES_MAX):
            raise HeadTooLarge("a chunk line or trailer is too long")
        if start and (_TRAILER_START if in_trailer else _SIZE_LINE_START).fullmatch(start) is None:
            raise BadMessage("a malformed trailer" if in_trailer else "a malformed chunk size")
        self._buffer = start

    def _line(self, line: bytes, expected: int) -> int:
        """Read a size line with extensions, or a trailer line; return what is next."""
        if expected == _TRAILER_NEXT:
            self._trailer(line)
            return _TRAILER_NEXT
        match = _SIZE_LINE.fullmatch(line)
        if match is None:
            raise BadMessage("a malformed chunk size or chunk extension")
        self._extension_bytes += len(match[2])
        if len(line) > CHUNK_LINE_BYTES_MAX or self._extension_bytes > EXTENSION_BYTES_MAX:
            raise HeadTooLarge("the chunk extensions are too long")
        return int(match[1], 16) or _TRAILER_NEXT

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        name, value = read_field(line)
        self._trailer_bytes += len(line) + 2
        if self._trailer_bytes > self._trailer_bytes_max:
            raise HeadTooLarge("the trailers are too long")
        if name.lower() not in TRAILERS_REFUSED:
            self.trailers += b"%b: %b\r\n" % (name, value)


Body = LengthBody | ChunkedBody | UntilClose
