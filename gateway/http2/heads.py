"""Fields to the heads that HTTP/1.1 has too, and heads to header blocks (RFC 9113 8). Pure.

What RFC 9113 calls malformed ends the stream; what HTTP/1.1 answers with a status is answered.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from gateway.errors import (
    BadMessage,
    ExpectationFailed,
    HeadTooLarge,
    MethodRefused,
    TargetTooLong,
)
from gateway.http1.head import TRAILERS_REFUSED, Kind, check_host, read_length
from gateway.http1.request import RequestHead
from gateway.http1.response import ResponseHead
from gateway.http2.errors import ErrorCode, StreamFailure
from gateway.http2.fields import (
    COOKIE,
    GRPC,
    LAST_PSEUDO,
    MALFORMED,
    METHOD,
    STATUS,
    TE,
    Special,
)
from gateway.http2.hpack import Encoder, Fields, encode_field, encode_lines

PHRASES: Final = {status.value: status.phrase.encode() for status in HTTPStatus}
_STATUS_FIELDS: Final = {
    status: encode_field(b":status", b"%d" % status) for status in range(100, 1000)
}
_HTTP: Final = encode_field(b":scheme", b"http")
_TE_TRAILERS: Final = encode_field(b"te", b"trailers")


def request_head(
    fields: Fields, *, ended: bool, headers_max: int, path_bytes_max: int
) -> RequestHead:
    """Return a request's head; `ended`: nothing follows it.

    Raise StreamFailure when it is malformed (RFC 9113 8.1.1), a GatewayError when it is well-formed
    and refused all the same.
    """
    plain, special = fields
    pseudo = [b"", b"", b"", b""]  # method, scheme, path, authority
    rest: list[Special] = []
    for each in special:
        kind, _, value = each
        if kind > LAST_PSEUDO:
            rest.append(each)
            continue
        if rest or pseudo[kind - METHOD]:
            raise _malformed("a pseudo-header field that is late or repeated")
        pseudo[kind - METHOD] = value
    method, scheme, path, authority = pseudo
    request = RequestHead(method, path, plain, is_http11=True)
    request.host = authority
    if rest:
        _interpret_request(request, rest)
    _check_pseudo(method, scheme, path)
    if ended:
        if request.length > 0:
            raise _malformed("a content-length without content")
    elif request.length <= 0:
        request.chunked = True  # of unknown length: what else could HTTP/1.1 be told
    if len(path) > path_bytes_max:
        raise TargetTooLong
    if len(plain) + len(special) > headers_max:
        raise HeadTooLarge(f"more than {headers_max} headers")
    return request


def _check_pseudo(method: bytes, scheme: bytes, path: bytes) -> None:
    """RFC 9113 8.3.1; fields.py has read the values. CONNECT could open a tunnel: it is refused."""
    if method == b"CONNECT":
        raise MethodRefused
    if not method or not scheme or not path:
        raise _malformed("no method, scheme or path")
    if path == b"*" and method != b"OPTIONS":
        raise _malformed("a malformed path")


def _check_authority(authority: bytes) -> None:
    try:
        check_host(authority)
    except BadMessage as error:
        raise _malformed("a malformed authority") from error


def _interpret_request(request: RequestHead, special: list[Special]) -> None:
    hosts, lengths = 0, 0
    cookies: list[bytes] = []
    for kind, _, value in special:
        if kind == TE:
            request.wants_trailers = True
        elif kind == COOKIE:
            cookies.append(value)
        elif kind == GRPC:
            request.is_grpc = True
            request.lines = [*request.lines, b"content-type: %b\r\n" % value]
        elif kind == MALFORMED:
            raise _malformed(value.decode())
        elif kind == Kind.HOST:
            hosts += 1
            _check_host_field(request, value)
        elif kind == Kind.CONTENT_LENGTH:
            lengths += 1
            request.length = _length(value)
        elif kind == Kind.EXPECT:
            if value.lower() != b"100-continue":
                raise ExpectationFailed
            request.expects_continue = True
        elif kind == Kind.FORWARDED_FOR:
            request.forwarded_for = _joined(request.forwarded_for, value)
        elif kind == Kind.FORWARDED:
            request.forwarded = _joined(request.forwarded, value)
        elif kind == Kind.EXPLAIN:
            request.explain = value == b"1"
    if hosts > 1 or lengths > 1:
        raise _malformed("a repeated host or content-length")
    if cookies:  # HTTP/2 may part them; nobody else knows of that (RFC 9113 8.2.3)
        request.lines = [*request.lines, b"cookie: %b\r\n" % b"; ".join(cookies)]


def _check_host_field(request: RequestHead, value: bytes) -> None:
    """The host field and :authority may not name two hosts (RFC 9113 8.3.1)."""
    if not request.host:
        _check_authority(value)
        request.host = value
    elif value.lower() != request.host.lower():
        raise _malformed("a host other than the authority")


def _joined(before: bytes, value: bytes) -> bytes:
    return before + b", " + value if before else value


def _length(value: bytes) -> int:
    try:
        return read_length(value)
    except BadMessage as error:
        raise _malformed("a malformed content-length") from error


def response_head(fields: Fields, headers_max: int) -> ResponseHead:
    """Return a response's head. Raise StreamFailure when it is malformed, or too long."""
    plain, special = fields
    status = b""
    response = ResponseHead(0, b"", plain, keep_alive=True)
    lengths = 0
    for place, (kind, _, value) in enumerate(special):
        if kind == STATUS:
            if place:
                raise _malformed("a status that is late or repeated")
            status = value
        elif kind == MALFORMED:
            raise _malformed(value.decode())
        elif kind == Kind.CONTENT_LENGTH:
            lengths += 1
            response.length = _length(value)
    if not status or lengths > 1:
        raise _malformed("no status, or a repeated content-length")
    if len(plain) + len(special) > headers_max:
        raise StreamFailure(ErrorCode.ENHANCE_YOUR_CALM, "too many headers")
    response.status = code = int(status)
    response.reason = PHRASES.get(code, b"")
    return response


def trailer_lines(fields: Fields) -> bytes:
    """Return the trailers that may be passed on, as lines. Raise StreamFailure.

    Pseudo-header fields may not be among them (RFC 9113 8.1).
    """
    plain, special = fields
    for kind, _, value in special:
        if kind <= LAST_PSEUDO:
            raise _malformed("a pseudo-header field in trailers")
        if kind == MALFORMED:
            raise _malformed(value.decode())
    return b"".join([line for line in plain if line[: line.index(b":")] not in TRAILERS_REFUSED])


def request_block(encoder: Encoder, method: bytes, path: bytes, authority: bytes) -> bytes:
    """Return the start of a request's header block; lines follow."""
    return b"%b%b%b%b" % (
        encoder.encode_text(b":method: %b\r\n" % method),
        _HTTP,
        encode_field(b":path", path),
        encoder.encode_text(b":authority: %b\r\n" % authority) if authority else b"",
    )


def request_framing(request: RequestHead) -> bytes:
    """Return the end of a request's header block: what our own framing says."""
    block = _TE_TRAILERS if request.wants_trailers else b""
    if request.length >= 0 and not request.chunked:
        block += encode_field(b"content-length", b"%d" % request.length)
    return block


def response_block(encoder: Encoder, head: ResponseHead, extra: bytes) -> bytes:
    """Return a response's header block; `extra` are lines of this answer alone."""
    block = _STATUS_FIELDS[head.status] + encoder.encode(head.lines)
    if extra:
        block += encode_lines(extra)
    if head.length >= 0:
        block += encode_field(b"content-length", b"%d" % head.length)
    return block


def _malformed(why: str) -> StreamFailure:
    return StreamFailure(ErrorCode.PROTOCOL_ERROR, why)
