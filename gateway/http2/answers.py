"""Answers of the gateway's own to HTTP/2 clients, as text or as gRPC understands them. Pure."""

from __future__ import annotations

from typing import Final

from gateway.errors import GatewayError
from gateway.http1.request import RequestHead
from gateway.http1.response import ResponseHead

# As Envoy and the gRPC project map them (`doc/http-grpc-status-mapping.md`).
_GRPC_STATUS: Final = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
_GRPC_UNKNOWN: Final = 2
_GRPC_TYPE: Final = b"content-type: application/grpc"
_GRPC_TYPE_ENDS: Final = b"\r+;"


def is_grpc(request: RequestHead) -> bool:
    """Tell whether the client speaks gRPC (its content-type; not gRPC-Web)."""
    start = len(_GRPC_TYPE)
    return any(
        line.startswith(_GRPC_TYPE) and line[start] in _GRPC_TYPE_ENDS for line in request.lines
    )


def own_answer(error: GatewayError) -> tuple[ResponseHead, bytes]:
    """Return an error's head and its body, one line of text."""
    body = (error.body + "\n").encode()
    lines = [
        b"content-type: text/plain; charset=utf-8\r\n",
        b"x-content-type-options: nosniff\r\n",
    ]
    head = ResponseHead(error.status, b"", lines, keep_alive=True)
    head.length = len(body)
    return head, body


def own_trailers(error: GatewayError) -> ResponseHead:
    """Return an error as an answer of trailers alone; the HTTP status is 200, as gRPC has it."""
    status = _GRPC_STATUS.get(error.status, _GRPC_UNKNOWN)
    lines = [
        b"content-type: application/grpc\r\n",
        b"grpc-status: %d\r\n" % status,
        b"grpc-message: %b\r\n" % grpc_message(error.body),
    ]
    return ResponseHead(200, b"OK", lines, keep_alive=True)


def grpc_message(text: str) -> bytes:
    """Return a message percent-encoded as gRPC wants it (`PROTOCOL-HTTP2.md`, Percent-Encoded)."""
    return b"".join(
        bytes((byte,)) if 0x20 <= byte <= 0x7E and byte != 0x25 else b"%%%02X" % byte
        for byte in text.encode()
    )
