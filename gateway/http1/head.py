"""Heads of requests and responses: strict reading, and the lines to pass on.

A line that was seen before is a dictionary hit (`HeaderLines`), so the strict pattern runs only
on what is new. Lines are always written anew from name and value, never copied.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from gateway.errors import BadMessage, HeadTooLarge, TargetTooLong, VersionRefused

# RFC 9110 5.6.2 and 5.5; a value holds no control byte but tab.
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_FIELD = re.compile(
    rb"(" + _TOKEN + rb"):[ \t]*([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*"
    rb"[\x21-\x7e\x80-\xff])?)?[ \t]*"
)
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/(\d)\.(\d)")
_REQUEST_LINE_11 = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.1")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?")
_HOST = re.compile(rb"(?:[A-Za-z0-9\-._~!$&'()*+,;=%]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")

_SPACE = 0x20
_VALUE_BYTES = bytes(byte for byte in range(256) if byte == 9 or (byte >= 32 and byte != 127))

LENGTH_DIGITS_MAX = 18
KNOWN_LINES_MAX = 4096
KNOWN_LINE_BYTES_MAX = 256
FICKLE_AFTER = 64  # so many different values of one name are remembered, no more


class Kind(IntEnum):
    """What a header line asks of the gateway; plain lines are passed on as they are."""

    HOST = 1
    CONTENT_LENGTH = 2
    TRANSFER_ENCODING = 3
    CONNECTION = 4
    DROP = 5  # hop-by-hop, or ours
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
    b"trailer": Kind.DROP,
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
    b"trailer": Kind.DROP,
    b"upgrade": Kind.UPGRADE,
    b"knary-revision": Kind.DROP,
}
# Fields that may not come late: they frame, route or authenticate (RFC 9110 6.5.1).
TRAILERS_REFUSED: Final = frozenset(REQUEST_KINDS) | {
    b"content-encoding",
    b"content-type",
    b"content-range",
    b"authorization",
    b"cookie",
    b"set-cookie",
    b"cache-control",
}

Special = tuple[Kind, bytes, bytes]  # kind, name in lower case, value


class HeaderLines:
    """Reads header lines of one direction; remembers the ones that come again and again.

    A remembered line is a dictionary hit; a new one passes the strict pattern. Names that keep
    changing their value (cookies, trace ids) are not worth remembering: once such a name is known
    to be plain, its lines only need to be free of control bytes, all of them at once.
    """

    __slots__ = ("_fickle", "_kinds", "_known", "_values")

    def __init__(self, kinds: dict[bytes, Kind]) -> None:
        self._kinds = kinds
        self._known: dict[bytes, bytes | Special] = {}
        self._values: dict[bytes, int] = {}  # values seen of a plain name
        self._fickle: set[bytes] = set()

    def sort(self, lines: list[bytes]) -> tuple[list[bytes], list[Special]]:
        """Return the plain lines, each with its CRLF, and the special ones. Raise BadMessage."""
        plain: list[bytes] = []
        special: list[Special] = []
        known, fickle = self._known, self._fickle
        unread = b""
        for line in lines:
            entry = known.get(line)
            if entry is None:
                name, _, value = line.partition(b": ")
                # Without space around the value: written as we would write it.
                if name in fickle and value and value[0] > _SPACE and value[-1] > _SPACE:
                    unread += value
                    plain.append(line + b"\r\n")
                    continue
                entry = self._learn(line)
            if entry.__class__ is bytes:
                plain.append(entry)
            else:
                special.append(entry)  # type: ignore[arg-type]
        if unread and unread.translate(None, _VALUE_BYTES):
            raise BadMessage("a control byte in a header")
        return plain, special

    def _learn(self, line: bytes) -> bytes | Special:
        name, value = read_field(line)
        lower = name.lower()
        kind = self._kinds.get(lower)
        entry: bytes | Special = b"%b: %b\r\n" % (name, value)
        if kind is not None:
            entry = (kind, lower, value)
        if len(self._known) + len(self._values) >= KNOWN_LINES_MAX:
            self._known.clear()
            self._values.clear()
            self._fickle.clear()
        if len(line) <= KNOWN_LINE_BYTES_MAX:
            self._known[line] = entry
        if kind is None and len(name) <= KNOWN_LINE_BYTES_MAX:
            values = self._values[name] = self._values.get(name, 0) + 1
            if values >= FICKLE_AFTER:
                self._fickle.add(name)
        return entry


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
        raise BadMessage("a malformed request line")
    method, target, major, minor = match.groups()
    if len(line) > bytes_max:
        raise TargetTooLong
    if major != b"1" or minor not in b"01":
        raise VersionRefused
    return method, target, minor == b"1"


def read_status_line(line: bytes) -> tuple[int, bytes, bool]:
    """Return code, reason phrase and whether it is HTTP/1.1. Raise BadMessage."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise BadMessage("a malformed status line")
    return int(match[2]), match[3] or b"", match[1] == b"1"


def read_length(value: bytes) -> int:
    """Return a Content-Length. Raise BadMessage for all that is not 1*DIGIT."""
    if not value.isdigit() or len(value) > LENGTH_DIGITS_MAX:  # of bytes, isdigit() is ASCII's
        raise BadMessage("a malformed Content-Length")
    return int(value)


def check_host(value: bytes) -> None:
    """Raise BadMessage when it is no uri-host with an optional port (RFC 9110 7.2)."""
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
