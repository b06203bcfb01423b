"""As much of gRPC as a caller with one small message needs: framing, status, deadline. Pure.

Sources: grpc/grpc doc/PROTOCOL-HTTP2.md, doc/http-grpc-status-mapping.md; protobuf's encoding of
a text in field 1, which is all that helloworld, ping and health messages hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

OK: Final = "OK"
STATUSES: Final = (
    *(OK, "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"),
    *("ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"),
    *("ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
    "UNAUTHENTICATED",
)
# What an answer that is no gRPC at all means to a caller.
_BY_HTTP_STATUS: Final = {
    400: "INTERNAL",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "UNIMPLEMENTED",
    429: "UNAVAILABLE",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "UNAVAILABLE",
}
_TEXT_FIELD: Final = 0x0A  # field 1, length-delimited
_TIMEOUT_MS_MAX: Final = 99_999_999  # eight digits


def framed(message: bytes) -> bytes:
    """Return a message as it travels: not compressed, its length, itself."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def first_message(data: bytes) -> bytes | None:
    """Return the first message of a body; None when it is not all there, or compressed."""
    if len(data) < 5 or data[0]:
        return None
    end = 5 + int.from_bytes(data[1:5], "big")
    return data[5:end] if len(data) >= end else None


def request_headers(authority: str, method: str, timeout_s: float) -> list[tuple[str, str]]:
    """Return the head of a call; `method` is "/package.Service/Method"."""
    milliseconds = min(max(1, round(timeout_s * 1000)), _TIMEOUT_MS_MAX)
    return [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", method),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("grpc-timeout", f"{milliseconds}m"),
    ]


def status_of(http_status: int, headers: Mapping[str, str]) -> str:
    """Return the status of an ended call by name; `headers` are its head's and its trailers'."""
    text = headers.get("grpc-status")
    if text is None:
        return _BY_HTTP_STATUS.get(http_status, "UNKNOWN")
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else len(STATUSES)
    return STATUSES[number] if number < len(STATUSES) else "UNKNOWN"


def explanation_of(headers: Mapping[str, str]) -> str:
    """Return grpc-message, without its percent-encoding."""
    return unquote_to_bytes(headers.get("grpc-message", "")).decode("utf-8", "replace")


def text_of(message: bytes) -> str:
    """Return field 1 of a message that begins with it, when it is a text; else ""."""
    if not message or message[0] != _TEXT_FIELD:
        return ""
    length, at = _varint(message, 1)
    return message[at : at + length].decode("utf-8", "replace")


def text_message(text: str) -> bytes:
    """Return a message whose field 1 is this text; an empty one has no field at all."""
    raw = text.encode()
    if not raw:
        return b""
    length, head = len(raw), bytearray([_TEXT_FIELD])
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + raw


def health_of(message: bytes) -> int:
    """Return the serving status of a HealthCheckResponse: 1 is SERVING, 0 is UNKNOWN."""
    return _varint(message, 1)[0] if message[:1] == b"\x08" else 0


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a number and where it ends; a cut one counts as far as it goes."""
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
        shift += 7
    return value, at
