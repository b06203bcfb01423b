"""Answers of the gateway's own to HTTP/2 clients, as text or as gRPC understands them. Pure."""

from __future__ import annotations

import re
from typing import Final

from gateway.errors import GatewayError
from gateway.http1.response import ResponseHead
from gateway.metrics.cell import GRPC_STATUSES

# As Envoy and the gRPC project map them (`doc/http-grpc-status-mapping.md`).
_GRPC_STATUS: Final = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
_GRPC_UNKNOWN: Final = 2
GRPC_UNAVAILABLE: Final = 14

_OK_LINE: Final = b"grpc-status: 0\r\n"
_STATUS_LINE: Final = re.compile(
    rb"(?:\A|\n)grpc-status:[ \t]*([0-9]{1,2})[ \t]*\r\n", re.IGNORECASE
)


def grpc_status(head: ResponseHead | None, trailers: bytes) -> int:
    """Return the status of a call that ended so, as its client reads it.

    It is in the trailers, or in the head of an answer that has none (`PROTOCOL-HTTP2.md`).
    """
    if trailers.startswith(_OK_LINE):
        return 0
    lines = trailers or (b"".join(head.lines) if head is not None else b"")
    match = _STATUS_LINE.search(lines)
    if match is not None:
        status = int(match[1])
        return status if status < GRPC_STATUSES else _GRPC_UNKNOWN
    return own_grpc_status(head.status) if head is not None else _GRPC_UNKNOWN


def own_grpc_status(status: int) -> int:
    """Return what a status of HTTP's means to a call."""
    return _GRPC_STATUS.get(status, _GRPC_UNKNOWN)


def own_answer(error: GatewayError) -> tuple[ResponseHead, bytes]:
    """Return an error's head and its body, one line of text."""
    body = (error.body + "\n").encode()
    lines = [
        b"content-type: text/plain; charset=utf-8\r\n",
        b"x-content-type-options: nosniff\r\n",
    ]
    head = ResponseHead(error.answer_status(), b"", lines, keep_alive=True)
    head.length = len(body)
    return head, body


def own_trailers(error: GatewayError) -> ResponseHead:
    """Return an error as an answer of trailers alone; the HTTP status is 200, as gRPC has it."""
    lines = [
        b"content-type: application/grpc\r\n",
        b"grpc-status: %d\r\n" % own_grpc_status(error.answer_status()),
        b"grpc-message: %b\r\n" % grpc_message(error.body),
    ]
    return ResponseHead(200, b"OK", lines, keep_alive=True)


def grpc_message(text: str) -> bytes:
    """Return a message percent-encoded as gRPC wants it (`PROTOCOL-HTTP2.md`, Percent-Encoded)."""
    return b"".join(
        bytes((byte,)) if 0x20 <= byte <= 0x7E and byte != 0x25 else b"%%%02X" % byte
        for byte in text.encode()
    )
