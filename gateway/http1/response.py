"""A response's head: what it means for framing, reuse and passing on; a revision may be hostile."""

from __future__ import annotations

from typing import Final

from gateway.errors import BadMessage
from gateway.http1.body import Body, ChunkedBody, LengthBody, UntilClose
from gateway.http1.head import (
    CONNECTION,
    CONTENT_LENGTH,
    KEEP_ALIVE,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderLines,
    Special,
    list_members,
    read_status_line,
    refuse_coding,
    split_head,
)
from gateway.settings import Settings

_OPTIONS: Final = frozenset({b"close", b"keep-alive", b"upgrade"})
_BODILESS: Final = frozenset({204, 304})
_UPGRADE_REQUIRED: Final = 426
_COMMON: Final = {
    b"HTTP/1.1 200 OK": (200, b"OK", True),
    b"HTTP/1.1 304 Not Modified": (304, b"Not Modified", True),
    b"HTTP/1.1 404 Not Found": (404, b"Not Found", True),
}


HEADS_MAX: Final = 512  # remembered, of at most so many bytes each
HEAD_BYTES_MAX: Final = 1024
LOOKS_SAVED: Final = 16_384  # so many heads are not looked up when remembering was in vain


class ResponseHead:
    """A response's head as the gateway understood it. `lines` are plain header lines.

    Once read it is not changed: answers with the same head share it.
    """

    length = -1  # -1: no Content-Length
    chunked = False
    upgrade = b""  # the protocol that a 101 switches to
    offered = b""  # the protocols that a 426 asks for
    written = b""  # as it goes to a client whose connection stays open, once that was asked for

    def __init__(self, status: int, reason: bytes, lines: list[bytes], *, keep_alive: bool):
        self.status = status
        self.reason = reason
        self.lines = lines
        self.keep_alive = keep_alive

    @property
    def is_interim(self) -> bool:
        return self.status < 200

    def is_whole(self, method: bytes) -> bool:
        """Tell whether a body of `length` bytes is all that follows (RFC 9112 6.3)."""
        return method != b"HEAD" and self.status not in _BODILESS

    def body(self, method: bytes, settings: Settings) -> Body:
        """Return the reader of the body that answers a request of this method (RFC 9112 6.3)."""
        if method == b"HEAD" or self.is_interim or self.status in _BODILESS:
            return LengthBody(0)
        if self.chunked:
            return ChunkedBody(settings.trailer_bytes_max)
        if self.length >= 0:
            return LengthBody(self.length)
        return UntilClose()


class ResponseReader:
    """Reads heads, and remembers whole ones: within a second many answers have the same.

    Where every answer has its own (an id, say), looking up would cost a tenth of the reading; it
    is given up for a while.
    """

    def __init__(self, lines: HeaderLines, settings: Settings) -> None:
        self._lines = lines
        self._settings = settings
        self._known: dict[bytes, ResponseHead] = {}
        self._hits = 0
        self._looks_saved = 0

    def read(self, head: bytes) -> ResponseHead:
        """Return the response that a head describes, as `read_response` does."""
        if not self._looks_saved:
            known = self._known.get(head)
            if known is not None:
                self._hits += 1
                return known
        return self._read_new(head)

    def _read_new(self, head: bytes) -> ResponseHead:
        response = read_response(head, self._lines, self._settings)
        if self._looks_saved:
            self._looks_saved -= 1
        elif len(head) <= HEAD_BYTES_MAX:
            if len(self._known) >= HEADS_MAX:
                self._known.clear()
                if self._hits < HEADS_MAX:
                    self._looks_saved = LOOKS_SAVED
                self._hits = 0
            self._known[head] = response
        return response


def read_response(head: bytes, header_lines: HeaderLines, settings: Settings) -> ResponseHead:
    """Return the response that a head (without its empty line) describes. Raise BadMessage."""
    first, lines = split_head(head, settings.headers_max)
    status, reason, is_http11 = _COMMON.get(first) or read_status_line(first)
    plain, special = header_lines.sort(lines)
    response = ResponseHead(status, reason, plain, keep_alive=is_http11)
    if len(special) == 1 and special[0].kind == CONTENT_LENGTH:  # the common case
        response.length = special[0].number
    elif special:
        _interpret(response, special, is_http11=is_http11)
    if status == 204 or status < 200:
        _unframe(response)
    return response


def _unframe(response: ResponseHead) -> None:
    """Drop the framing of an answer that has no body and may not announce one (RFC 9110 8.6)."""
    if response.chunked or response.length > 0:
        response.keep_alive = False  # who knows what follows
    response.length, response.chunked = -1, False


def _interpret(response: ResponseHead, special: list[Special], *, is_http11: bool) -> None:
    """Set what the special lines say; the frequent kinds come first."""
    options: list[bytes] = []
    upgrade = b""
    for each in special:
        kind, value = each.kind, each.value
        if kind == CONTENT_LENGTH:
            if response.length >= 0:
                raise BadMessage("a repeated Content-Length")
            response.length = each.number
        elif kind == KEEP_ALIVE:
            if not is_http11:
                options.append(b"keep-alive")
        elif kind == TRANSFER_ENCODING:
            if response.chunked:
                raise BadMessage("a repeated Transfer-Encoding")
            if not is_http11:  # faulty framing, says RFC 9112 6.1
                raise BadMessage("a Transfer-Encoding in HTTP/1.0")
            if value.lower() != b"chunked":
                raise refuse_coding(value)
            response.chunked = True
        elif kind == CONNECTION:
            options += list_members(value)
        elif kind == UPGRADE:
            upgrade = upgrade + b", " + value if upgrade else value
    if response.chunked and response.length >= 0:
        raise BadMessage("Content-Length with Transfer-Encoding")
    if options:
        _apply_connection(response, options)
    if response.status == 101 and b"upgrade" in options:
        response.upgrade = upgrade.lower()
    elif response.status == _UPGRADE_REQUIRED:
        response.offered = upgrade


def _apply_connection(response: ResponseHead, options: list[bytes]) -> None:
    if b"close" in options:
        response.keep_alive = False
    elif b"keep-alive" in options:
        response.keep_alive = True
    named = set(options) - _OPTIONS
    if named:  # headers for this hop only (RFC 9110 7.6.1)
        response.lines = [
            line for line in response.lines if line.partition(b":")[0].lower() not in named
        ]
