"""Heads of requests and responses: strict reading, and the lines to pass on.

A line that was seen before is a dictionary hit (`HeaderLines`), so the strict pattern runs only
on what is new. Lines are always written anew from name and value, never copied.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from gateway.errors import (
    BadMessage,
    CodingRefused,
    HeadTooLarge,
    TargetTooLong,
    VersionRefused,
)

# RFC 9110 5.6.2 and 5.5; a value holds no control byte but tab.
TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_FIELD: Final = re.compile(
    rb"(" + TOKEN + rb"):[ \t]*+([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*"
    rb"[\x21-\x7e\x80-\xff])?)?[ \t]*"
)
# A target holds no fragment (RFC 9112 3.2). More of ASCII is let through than RFC 3986 has, since
# browsers send | [ ] ^ { } as they are (WHATWG URL); neither framing nor routing hangs on it.
TARGET: Final = rb"[\x21\x22\x24-\x7e]+"
_REQUEST_LINE: Final = re.compile(rb"(" + TOKEN + rb") (" + TARGET + rb") HTTP/([0-9])\.([0-9])")
_REQUEST_LINE_11: Final = re.compile(rb"(" + TOKEN + rb") (" + TARGET + rb") HTTP/1\.1")
REASON: Final = rb"(?: ([\t\x20-\x7e\x80-\xff]*))?"
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9][0-9])" + REASON)
_HOST: Final = re.compile(
    rb"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f][0-9A-Fa-f])+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?"
)

_CODING: Final = re.compile(TOKEN)

_SPACE: Final = 0x20
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")

LENGTH_DIGITS_MAX: Final = 18
KNOWN_LINES_MAX: Final = 4096
KNOWN_LINE_BYTES_MAX: Final = 256
FICKLE_AFTER: Final = 64  # so many different values of one name are remembered, no more
FICKLE_SPECIAL_AFTER: Final = 1024  # lengths, Hosts: to read one again costs more


# What a header line asks of the gateway; plain lines are passed on as they are. Bare numbers where
# each request looks at them: a member of an enum costs 0.13 us to look up (Python 3.11).
PLAIN: Final = 0
HOST: Final = 1
CONTENT_LENGTH: Final = 2
TRANSFER_ENCODING: Final = 3
CONNECTION: Final = 4
DROP: Final = 5  # hop-by-hop, or ours
EXPECT: Final = 6
FORWARDED_FOR: Final = 7
FORWARDED: Final = 8
EXPLAIN: Final = 9
UPGRADE: Final = 10
KEEP_ALIVE: Final = 11  # a Connection line that says so, and no more


class Kind(IntEnum):
    """The kinds that a name alone decides."""

    HOST = 1
    CONTENT_LENGTH = 2
    TRANSFER_ENCODING = 3
    CONNECTION = 4
    DROP = 5
    EXPECT = 6
    FORWARDED_FOR = 7
    FORWARDED = 8
    EXPLAIN = 9
    UPGRADE = 10


# Hop-by-hop: RFC 9110 7.6.1 and Go's ReverseProxy. Ours or Knative's own: never from outside.
REQUEST_KINDS: Final = {
    b"host": Kind.HOST,
    b"content-length": Kind.CONTENT_LENGTH,
    b"transfer-encoding": Kind.TRANSFER_ENCODING,
    b"connection": Kind.CONNECTION,
    b"keep-alive": Kind.DROP,
    b"proxy-connection": Kind.DROP,
    b"proxy-authenticate": Kind.DROP,
    b"proxy-authorization": Kind.DROP,
    b"te": Kind.DROP,
    b"upgrade": Kind.UPGRADE,
    b"http2-settings": Kind.DROP,
    b"expect": Kind.EXPECT,
    b"x-forwarded-for": Kind.FORWARDED_FOR,
    b"x-forwarded-proto": Kind.DROP,
    b"x-forwarded-host": Kind.DROP,
    b"forwarded": Kind.FORWARDED,
    b"k-network-probe": Kind.DROP,
    b"k-network-hash": Kind.DROP,
    b"k-proxy-request": Kind.DROP,
    b"k-original-host": Kind.DROP,
    b"knative-serving-revision": Kind.DROP,
    b"knative-serving-namespace": Kind.DROP,
    b"knative-serving-default-route": Kind.DROP,
    b"knary-explain": Kind.EXPLAIN,
}
RESPONSE_KINDS: Final = {
    b"content-length": Kind.CONTENT_LENGTH,
    b"transfer-encoding": Kind.TRANSFER_ENCODING,
    b"connection": Kind.CONNECTION,
    b"keep-alive": Kind.DROP,
    b"proxy-connection": Kind.DROP,
    b"proxy-authenticate": Kind.DROP,
    b"te": Kind.DROP,
    b"upgrade": Kind.UPGRADE,
    b"knary-revision": Kind.DROP,
}
# Fields that may not come late: they frame, route or authenticate (RFC 9110 6.5.1).
TRAILERS_REFUSED: Final = frozenset(REQUEST_KINDS) | {
    b"trailer",
    b"content-encoding",
    b"content-type",
    b"content-range",
    b"authorization",
    b"cookie",
    b"set-cookie",
    b"cache-control",
}


# Lines of these kinds mean the same whatever their value is.
_MAY_BE_FICKLE: Final = frozenset({PLAIN, HOST, CONTENT_LENGTH, FORWARDED_FOR, FORWARDED})


class Special:
    """A header line with a meaning. `number` is what a Content-Length says: read once, as learned.

    No tuple: compiled code would make a new one at each look.
    """

    __slots__ = ("kind", "number", "value")

    def __init__(self, kind: int, value: bytes, number: int = 0) -> None:
        self.kind = kind
        self.value = value
        self.number = number


class HeaderLines:
    """Reads header lines of one direction; remembers the ones that come again and again.

    A remembered line is a dictionary hit; a new one passes the strict pattern. Names that keep
    changing their value (cookies, trace ids, lengths) are not worth remembering: once such a name
    is known, its value alone is checked; for control bytes, all of them at once.
    """

    __slots__ = ("_fickle", "_kinds", "_plain", "_special", "_values")

    def __init__(self, kinds: dict[bytes, Kind]) -> None:
        self._kinds = kinds
        self._plain: dict[bytes, bytes] = {}
        self._special: dict[bytes, Special] = {}
        self._values: dict[bytes, int] = {}  # values seen of a name
        self._fickle: dict[bytes, int] = {}  # kinds of the names that had many

    def sort(self, lines: list[bytes]) -> tuple[list[bytes], list[Special]]:
        """Return the plain lines, each with its CRLF, and the special ones. Raise BadMessage."""
        plain: list[bytes] = []
        special: list[Special] = []
        known, known_special, fickle = self._plain, self._special, self._fickle
        unread = b""
        for line in lines:
            written = known.get(line)
            if written is not None:
                plain.append(written)
                continue
            entry = known_special.get(line)
            if entry is None:
                name, _, value = line.partition(b": ")
                # Without space around the value: written as we would write it.
                kind = fickle.get(name, -1)
                if kind >= 0 and value and value[0] > _SPACE and value[-1] > _SPACE:
                    unread = unread + value
                    if kind == PLAIN:
                        plain.append(line + b"\r\n")
                        continue
                    entry = special_line(kind, value)
                else:
                    entry = self._learn(line, plain)
            if entry is not None and entry.kind != DROP:
                special.append(entry)
        if unread and _VALUE.fullmatch(unread) is None:
            raise BadMessage("a control byte in a header")
        return plain, special

    def _learn(self, line: bytes, plain: list[bytes]) -> Special | None:
        """Return the special line that it is; a plain one goes to `plain`. Raise BadMessage."""
        name, value = read_field(line)
        kind = kind_of(name, value, self._kinds)
        if len(self._plain) + len(self._special) + len(self._values) >= KNOWN_LINES_MAX:
            self._plain.clear()
            self._special.clear()
            self._values.clear()
            self._fickle.clear()
        if len(name) <= KNOWN_LINE_BYTES_MAX and kind in _MAY_BE_FICKLE:
            values = self._values[name] = self._values.get(name, 0) + 1
            if values >= (FICKLE_AFTER if kind == PLAIN else FICKLE_SPECIAL_AFTER):
                self._fickle[name] = kind
        if kind == PLAIN:
            written = b"%b: %b\r\n" % (name, value)
            plain.append(written)
            if len(line) <= KNOWN_LINE_BYTES_MAX:
                self._plain[line] = written
            return None
        entry = special_line(kind, value)
        if len(line) <= KNOWN_LINE_BYTES_MAX:
            self._special[line] = entry
        return entry


def special_line(kind: int, value: bytes) -> Special:
    """Return a line with a meaning. Raise BadMessage for a malformed Host or Content-Length."""
    if kind == HOST:
        check_host(value)  # here, and so once for each value that is remembered
    return Special(kind, value, read_length(value) if kind == CONTENT_LENGTH else 0)


def kind_of(name: bytes, value: bytes, kinds: dict[bytes, Kind]) -> int:
    """Return what a line of this name and value asks, PLAIN for nothing.

    CGI, WSGI and their kin read `Transfer_Encoding` as `Transfer-Encoding`: such doubles go.
    """
    lower = name.lower()
    kind = kinds.get(lower)
    if kind is None:
        return DROP if b"_" in lower and lower.replace(b"_", b"-") in kinds else PLAIN
    if kind == CONNECTION and value.lower() == b"keep-alive":
        return KEEP_ALIVE
    return int(kind)


def read_field(line: bytes) -> tuple[bytes, bytes]:
    """Return a field line's name and value. Raise BadMessage (RFC 9112 5, without obs-fold)."""
    match = _FIELD.fullmatch(line)
    if match is None:
        raise BadMessage("a malformed header line")
    return match[1], match[2] or b""


def split_head(head: bytes, headers_max: int) -> tuple[bytes, list[bytes]]:
    """Return a head's first line and its header lines. Raise HeadTooLarge."""
    lines = head.split(b"\r\n")
    if len(lines) > headers_max + 1:
        raise HeadTooLarge(f"more than {headers_max} headers")
    return lines.pop(0), lines


def read_request_line(line: bytes, bytes_max: int) -> tuple[bytes, bytes, bool]:
    """Return method, target and whether it is HTTP/1.1. Raise a GatewayError."""
    usual = _REQUEST_LINE_11.fullmatch(line)
    if usual is not None and len(line) <= bytes_max:
        method, target = usual.groups()
        return method, target, True
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise BadMessage(_why_no_request_line(line))
    method, target, major, minor = match.groups()
    if len(line) > bytes_max:
        raise TargetTooLong
    if major != b"1":
        raise VersionRefused
    # A later minor version is read as the one we know (RFC 9110 2.5).
    return method, target, minor != b"0"


def _why_no_request_line(line: bytes) -> str:
    parts = line.split(b" ")
    if len(parts) == 3 and b"#" in parts[1]:
        return "a fragment in the request target"
    return "a malformed request line"


def read_status_line(line: bytes) -> tuple[int, bytes, bool]:
    """Return code, reason phrase and whether it is HTTP/1.1. Raise BadMessage."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadMessage("a malformed status line")
    return int(match[2]), match[3] or b"", match[1] != b"0"


def read_length(value: bytes) -> int:
    """Return a Content-Length. Raise BadMessage for all that is not 1*DIGIT."""
    if not value.isdigit() or len(value) > LENGTH_DIGITS_MAX:  # of bytes, isdigit() is ASCII's
        raise BadMessage("a malformed Content-Length")
    return int(value)


def refuse_coding(value: bytes) -> BadMessage:
    """Return why a Transfer-Encoding other than `chunked` is refused (RFC 9112 6.1 and 6.3).

    Where chunked ends the list, the body's end is known, and only its coding is not.
    """
    *before, last = list_members(value) or [b""]
    are_codings = before and all(_CODING.fullmatch(coding) for coding in before)
    if last == b"chunked" and are_codings and b"chunked" not in before:
        return CodingRefused()
    return BadMessage("a Transfer-Encoding other than chunked")


def check_host(value: bytes) -> None:
    """Raise BadMessage when it is no uri-host with an optional port (RFC 9110 7.2).

    An empty one is no host of an http URI (RFC 9110 4.2.1).
    """
    if _HOST.fullmatch(value) is None:
        raise BadMessage("a malformed Host")


def host_of(value: bytes) -> str:
    """Return the name in a Host value: lower case, without port and final dot."""
    text = value.decode("latin-1").lower()
    if text.startswith("["):
        return text[: text.index("]") + 1]
    name = text.partition(":")[0]
    return name.removesuffix(".")


def list_members(value: bytes) -> list[bytes]:
    """Return the members of a comma-separated list, in lower case (RFC 9110 5.6.1)."""
    return [member.strip(b" \t").lower() for member in value.split(b",") if member.strip(b" \t")]


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """Return the origin-form of an absolute-form target, and its host (RFC 9112 3.2.2).

    Raise BadMessage for a target that is neither absolute http, origin-form nor `*`.
    """
    lower = target[:8].lower()
    scheme = b"http://" if lower.startswith(b"http://") else b"https://"
    if not lower.startswith(scheme):
        raise BadMessage("a malformed request target")
    rest = target[len(scheme) :]
    ends = [place for mark in b"/?#" if (place := rest.find(mark)) >= 0]
    end = min(ends, default=len(rest))
    host, path = rest[:end], rest[end:]
    check_host(host)
    if not path.startswith(b"/"):
        path = b"/" + path
    return path, host
