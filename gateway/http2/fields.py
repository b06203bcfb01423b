"""Fields of header blocks: read strictly, each once, into what a head is made of. Pure.

A plain field becomes a line as HTTP/1.1 writes it; the others say what they ask of the gateway.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.errors import BadMessage
from gateway.http1.head import PLAIN, REQUEST_KINDS, RESPONSE_KINDS, Kind, check_host, kind_of

# Kinds that only HTTP/2 knows are negative; pseudo-header fields come first (RFC 9113 8.3).
METHOD: Final = -9
SCHEME: Final = -8
PATH: Final = -7
AUTHORITY: Final = -6
STATUS: Final = -5
LAST_PSEUDO: Final = -5
MALFORMED: Final = -4  # its value says why; only the stream ends, for HPACK's state stays whole
GRPC: Final = -3  # a content-type of gRPC's
TE: Final = -2
COOKIE: Final = -1

Special = tuple[int, bytes, bytes]  # kind, name, value
Field = bytes | Special  # a plain line with its CRLF, or a field with a meaning
FieldReader = Callable[[bytes, bytes], Field]

FIELD_OVERHEAD_BYTES: Final = 32  # what each field counts more than its bytes (RFC 7541 4.1)
LINE_OVERHEAD_BYTES: Final = FIELD_OVERHEAD_BYTES - len(": \r\n")

CONTENT_TYPE: Final = b"content-type"  # whether a field of this name is plain hangs on its value

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
# As in HTTP/1.1: no control byte but tab, no space at either end (RFC 9113 8.2.1, RFC 9110 5.5).
_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
# As the request line of HTTP/1.1 (gateway/http1/head.py): no space, control byte or fragment.
_PATH: Final = re.compile(rb"/[\x21\x22\x24-\x7e]*|\*")
_METHOD: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SCHEME: Final = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*")
_STATUS: Final = re.compile(rb"[1-9][0-9][0-9]")
_GRPC_TYPE: Final = re.compile(rb"application/grpc(?:[+;].*)?")  # not gRPC-Web's
_REQUEST_PSEUDO: Final = {
    b":method": METHOD,
    b":scheme": SCHEME,
    b":path": PATH,
    b":authority": AUTHORITY,
}
_CONNECTION_SPECIFIC: Final = frozenset(  # RFC 9113 8.2.2
    {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"}
)


def read_request_field(name: bytes, value: bytes) -> Field:
    """Return what a field of a request means; a malformed one is a special of that kind."""
    if name[:1] == b":":
        return _read_pseudo(name, value, _REQUEST_PSEUDO)
    if name == b"te":
        if value == b"trailers":
            return TE, name, value
        return MALFORMED, name, b"a TE other than trailers"
    if name == b"cookie" and _VALUE.fullmatch(value):
        return COOKIE, name, value
    if name == CONTENT_TYPE and _GRPC_TYPE.fullmatch(value) and _VALUE.fullmatch(value):
        return GRPC, name, value
    return _read_regular(name, value, REQUEST_KINDS)


def read_response_field(name: bytes, value: bytes) -> Field:
    """Return what a field of a response means."""
    if name[:1] == b":":
        return _read_pseudo(name, value, {b":status": STATUS})
    return _read_regular(name, value, RESPONSE_KINDS)


def _read_pseudo(name: bytes, value: bytes, known: dict[bytes, int]) -> Field:
    kind = known.get(name)
    if kind is None:
        return MALFORMED, name, b"an unknown pseudo-header field"
    if kind == PATH:
        is_right = _PATH.fullmatch(value) is not None
    elif kind == METHOD:
        is_right = _METHOD.fullmatch(value) is not None
    elif kind == SCHEME:
        is_right = _SCHEME.fullmatch(value) is not None
    elif kind == STATUS:
        is_right = _STATUS.fullmatch(value) is not None and value != b"101"
    else:
        is_right = _is_host(value)
    if not is_right:
        return MALFORMED, name, b"a malformed pseudo-header field"
    return kind, name, value


def _is_host(value: bytes) -> bool:
    """Tell whether it is a host with an optional port, and no userinfo (RFC 9113 8.3.1)."""
    try:
        check_host(value)
    except BadMessage:
        return False
    return True


def _read_regular(name: bytes, value: bytes, kinds: dict[bytes, Kind]) -> Field:
    if _NAME.fullmatch(name) is None:
        return MALFORMED, name, b"a malformed field name"
    if _VALUE.fullmatch(value) is None:
        return MALFORMED, name, b"a malformed field value"
    if name in _CONNECTION_SPECIFIC:
        return MALFORMED, name, b"a connection-specific field"
    kind = kind_of(name, value, kinds)
    return b"%b: %b\r\n" % (name, value) if kind == PLAIN else (kind, name, value)
