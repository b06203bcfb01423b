"""What the start of a head already gives away: nonsense is refused before its end, if any, comes.

Only for heads that are not complete yet, which are rare. Who waits for an empty line that a TLS
handshake or a head with bare LFs never has waits for a timeout.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.errors import BadMessage
from gateway.http1.head import REASON, TARGET, TOKEN, read_request_line, read_status_line

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # RFC 9113 3.4

_UNLIMITED: Final = 1 << 62  # how long a line may be is not asked here
_LINE_START_BYTES_MAX: Final = 1024  # of a line that comes in pieces, the start is checked again
_NONE_YET: Final = -1
_NOT_NEW: Final = -2
_TLS_HANDSHAKE: Final = b"\x16\x03"
# A CR before its LF, or one whose LF may still come; else no control byte but tab; no folded line.
_NOT_TEXT: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|\Z)|(?<!\r)\n|\n[ \t]")
_EMPTY_LINES: Final = re.compile(rb"(?:\r\n)+")
_HTTP: Final = (b"H", b"T", b"T", b"P", b"/")


def _starts(*parts: bytes) -> bytes:
    """Return the pattern of all that these patterns, one after the other, can begin with."""
    pattern = b""
    for part in reversed(parts):
        pattern = b"(?:" + part + pattern + b")?"
    return pattern


_REQUEST_LINE_START: Final = re.compile(
    TOKEN + _starts(b" ", TARGET, b" ", *_HTTP, b"[0-9]", rb"\.", b"[0-9]", b"\r")
)
_STATUS_LINE_START: Final = re.compile(
    _starts(*_HTTP, b"1", rb"\.", b"[0-9]", b" ", b"[1-9]", b"[0-9]", b"[0-9]", REASON, b"\r")
)


def after_empty_lines(data: bytes) -> bytes:
    """Return what follows the empty lines before a request.

    RFC 9112 2.2 asks to ignore at least one; nginx and Envoy ignore all.
    """
    match = _EMPTY_LINES.match(data)
    return data if match is None else data[match.end() :]


def check_start(data: bytes, checked: int = 0) -> None:
    """Raise a GatewayError when `data` cannot be the start of a request's head.

    `data` begins where a request begins (empty lines before it are gone) and holds no whole head;
    its first `checked` bytes passed before, unless they are all: those waited for their turn. The
    start of HTTP/2's preface passes.
    """
    if checked >= len(data):
        checked = 0
    if data == b"\r" or PREFACE.startswith(data):
        return
    if data.startswith(_TLS_HANDSHAKE):
        raise BadMessage("a TLS handshake, where plain HTTP is spoken")
    end = _first_line_end(data, checked)
    if end >= 0:
        read_request_line(data[:end], _UNLIMITED)
    elif end == _NONE_YET and _REQUEST_LINE_START.fullmatch(data) is None:
        raise BadMessage("a malformed request line")


def check_answer_start(data: bytes, checked: int = 0) -> None:
    """Raise BadMessage when `data` cannot be the start of a response's head."""
    end = _first_line_end(data, checked)
    if end >= 0:
        read_status_line(data[:end])
    elif end == _NONE_YET and _STATUS_LINE_START.fullmatch(data) is None:
        raise BadMessage("a malformed status line")


def _first_line_end(data: bytes, checked: int) -> int:
    """Check the new bytes; return where the first line ends if it is among them, else why not.

    Each byte is looked at a few times at most: who sends them one by one gains little by it.
    """
    since = max(checked - 1, 0)  # a CR may have been the last byte
    if _NOT_TEXT.search(data, since) is not None:
        raise BadMessage("a control byte, a bare CR or LF, or a folded line in a head")
    end = data.find(b"\r\n", since)
    if data.find(b"\r\n", 0, end if end >= 0 else checked) >= 0:
        return _NOT_NEW
    return _NOT_NEW if end < 0 < checked and len(data) > _LINE_START_BYTES_MAX else end
