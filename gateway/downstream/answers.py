"""Heads of answers as an HTTP/1.1 client reads them, and how it learns where a body ends. Pure."""

from __future__ import annotations

from http import HTTPStatus

from gateway.errors import GatewayError, HeadTooLarge, TargetTooLong
from gateway.forwarding import connection_lines, own_answer, response_head
from gateway.http1.request import RequestHead
from gateway.http1.response import ResponseHead


def is_sized(head: ResponseHead, request: RequestHead) -> bool:
    """Tell whether the head says where the answer ends (RFC 9112 6.3)."""
    return head.length >= 0 or not head.is_whole(request.method)


def answer_head(head: ResponseHead, request: RequestHead, *, chunked: bool, extra: bytes) -> bytes:
    """Return the head for the client; the connection stays open if the request says so.

    `chunked`: the body goes out in chunks. `extra` are header lines of the gateway's own.
    """
    option = b"close"
    if request.keep_alive:
        option = b"" if request.is_http11 else b"keep-alive"
    connection = connection_lines(option, head.offered)
    announced = chunked or (head.chunked and request.method == b"HEAD")
    return response_head(
        head, chunked=announced and request.is_http11, connection=connection, extra=extra
    )


_NAMED = frozenset(HTTPStatus)


def refusal(error: GatewayError, *, with_body: bool, close: bool, extra: bytes = b"") -> bytes:
    """Return a whole answer that tells the error. `extra` are header lines of the gateway's own."""
    number = error.answer_status()
    # A fault may ask for one that has no name.
    phrase = HTTPStatus(number).phrase if number in _NAMED else error.summary
    status = b"%d %b" % (number, phrase.encode())
    return own_answer(status, error.body, with_body=with_body, close=close, extra=extra)


def too_large(data: bytes, line_bytes_max: int) -> GatewayError:
    """Return what to say of a head that is beyond the limit."""
    return HeadTooLarge() if data.find(b"\r\n", 0, line_bytes_max) >= 0 else TargetTooLong()
