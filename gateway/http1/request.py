"""A request's head: what it means for framing and forwarding, read once and strictly."""

from __future__ import annotations

from typing import Final

from gateway.errors import BadMessage, ExpectationFailed, HeadTooLarge, MethodRefused
from gateway.http1.body import Body, ChunkedBody, LengthBody
from gateway.http1.head import (
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    EXPLAIN,
    FORWARDED,
    FORWARDED_FOR,
    HOST,
    KEEP_ALIVE,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderLines,
    Special,
    list_members,
    read_request_line,
    refuse_coding,
    split_target,
)
from gateway.http1.repeated import RepeatedLines
from gateway.settings import Settings

# Safe to send twice (RFC 9110 9.2.2): a retry on a connection that closed in silence.
IDEMPOTENT: Final = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"})

UPGRADE_SERVED: Final = b"websocket"

_SLASH: Final = 0x2F

# Connection options that name no header of the request's own.
_OPTIONS: Final = frozenset({b"close", b"keep-alive", b"upgrade", b"te", b"http2-settings"})


class RequestHead:
    """A request's head as the gateway understood it. `lines` are plain header lines with CRLF."""

    # Defaults are the class's: an ordinary request sets only a few (0.3 us less than slots).
    length = -1  # -1: no Content-Length
    chunked = False
    expects_continue = False
    explain = False
    wants_trailers: bool = False  # it said so: `TE: trailers`
    is_grpc: bool = False  # a call, over HTTP/2
    forwarded_for = b""
    forwarded = b""
    host = b""
    upgrade = b""  # the protocol to switch to, when it is one that is served: websocket

    def __init__(self, method: bytes, target: bytes, lines: list[bytes], *, is_http11: bool):
        self.method = method
        self.target = target
        self.lines = lines
        self.is_http11 = is_http11
        self.keep_alive = is_http11

    def body(self, settings: Settings) -> Body:
        """Return the reader of this request's body."""
        if self.chunked:
            return ChunkedBody(settings.trailer_bytes_max)
        return LengthBody(max(self.length, 0))


def read_request(
    head: bytes, header_lines: HeaderLines, settings: Settings, repeated: RepeatedLines
) -> RequestHead:
    """Return the request that a head (without its empty line) describes. Raise a GatewayError.

    `repeated` is the connection's memory of its earlier heads: it saves time, and changes nothing.
    """
    cut = head.find(b"\r\n")
    rest = repeated.following(head, cut)
    if repeated.number + len(rest) > settings.headers_max:
        raise HeadTooLarge(f"more than {settings.headers_max} headers")
    method, target, is_http11 = read_request_line(
        head[:cut] if cut >= 0 else head, settings.request_line_bytes_max
    )
    if method == b"CONNECT":  # whatever its target looks like: its answer could open a tunnel
        raise MethodRefused
    plain, special = repeated.plain, repeated.special
    host = repeated.host if is_http11 else b""  # known where they ask for nothing else
    if rest:
        more, others = header_lines.sort(rest)
        if more:
            plain = plain + more
        if others:
            special = special + others
            host = b""
        repeated.follow(rest, header_lines)
    request = RequestHead(method, target, plain, is_http11=is_http11)
    if host:
        request.host = host
    elif len(special) == 1 and special[0].kind == HOST:
        request.host = special[0].value
    else:
        _interpret(request, special)
    if target[0] != _SLASH:
        _reduce_target(request)
    return request


def _interpret(request: RequestHead, special: list[Special]) -> None:
    """Set what the special lines say; the frequent kinds come first."""
    options: list[bytes] = []
    upgrade = b""
    for each in special:
        kind, value = each.kind, each.value
        if kind == HOST:
            if request.host:
                raise BadMessage("several Host headers")
            request.host = value
        elif kind == KEEP_ALIVE:
            if not request.is_http11:
                options.append(b"keep-alive")
        elif kind == CONTENT_LENGTH:
            if request.length >= 0:
                raise BadMessage("a repeated Content-Length")
            request.length = each.number
        elif kind == TRANSFER_ENCODING:
            _read_coding(request, value)
        elif kind == CONNECTION:
            options += list_members(value)
        elif kind == EXPECT:
            if value.lower() != b"100-continue":
                raise ExpectationFailed
            request.expects_continue = request.is_http11
        elif kind == FORWARDED_FOR:
            joined = request.forwarded_for + b", " if request.forwarded_for else b""
            request.forwarded_for = joined + value
        elif kind == FORWARDED:
            joined = request.forwarded + b", " if request.forwarded else b""
            request.forwarded = joined + value
        elif kind == EXPLAIN:
            request.explain = value == b"1"
        elif kind == UPGRADE:
            upgrade += b"," + value
    if not request.host and request.is_http11:
        raise BadMessage("no Host header")
    if request.chunked and request.length >= 0:
        # Both lengths present is a smuggling attempt, not a tie to break (RFC 9112, 6.3).
        raise BadMessage("Content-Length with Transfer-Encoding")
    if request.method == b"TRACE" and (request.chunked or request.length > 0):
        raise BadMessage("a TRACE with content")  # RFC 9110 9.3.8
    if options:
        _apply_connection(request, options)
    if upgrade and b"upgrade" in options and UPGRADE_SERVED in list_members(upgrade):
        request.upgrade = UPGRADE_SERVED if _may_upgrade(request) else b""


def _read_coding(request: RequestHead, value: bytes) -> None:
    if request.chunked:
        raise BadMessage("a repeated Transfer-Encoding")
    if not request.is_http11:  # faulty framing, says RFC 9112 6.1
        raise BadMessage("a Transfer-Encoding in HTTP/1.0")
    if value.lower() != b"chunked":
        raise refuse_coding(value)
    request.chunked = True


def _apply_connection(request: RequestHead, options: list[bytes]) -> None:
    if b"close" in options:
        request.keep_alive = False
    elif b"keep-alive" in options:
        request.keep_alive = True
    named = set(options) - _OPTIONS
    if named:  # headers for this hop only (RFC 9110 7.6.1)
        request.lines = [
            line for line in request.lines if line.partition(b":")[0].lower() not in named
        ]


def _may_upgrade(request: RequestHead) -> bool:
    """Tell whether it can ask for a WebSocket (RFC 6455 4.1); any other upgrade is ignored."""
    bodiless = not request.chunked and request.length <= 0
    return request.is_http11 and request.method == b"GET" and bodiless


def _reduce_target(request: RequestHead) -> None:
    """Turn an absolute-form target into origin-form; its host wins (RFC 9112 3.2.2).

    OPTIONS of a bare authority asks about the server as a whole: `*` (RFC 9112 3.2.4).
    """
    if request.target == b"*":
        if request.method != b"OPTIONS":
            raise BadMessage("a malformed request target")
        return
    target = request.target
    request.target, request.host = split_target(target)
    if request.method == b"OPTIONS" and target.endswith(b"://" + request.host):
        request.target = b"*"
