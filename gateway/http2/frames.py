"""Frames as bytes (RFC 9113 4.1 and 6). Pure."""

from __future__ import annotations

import struct
from typing import Final

from gateway.http2.errors import ConnectionFailure, ErrorCode

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
WITH_PRIORITY: Final = 0x20

HEADER_TABLE_SIZE: Final = 0x1
ENABLE_PUSH: Final = 0x2
MAX_CONCURRENT_STREAMS: Final = 0x3
INITIAL_WINDOW_SIZE: Final = 0x4
MAX_FRAME_SIZE: Final = 0x5
MAX_HEADER_LIST_SIZE: Final = 0x6

WINDOW_MAX: Final = 2**31 - 1
STREAM_ID_MAX: Final = 2**31 - 1
DEFAULT_WINDOW: Final = 65_535
DEFAULT_FRAME_BYTES: Final = 16_384
DEFAULT_TABLE_BYTES: Final = 4096
FRAME_BYTES_LIMIT: Final = 2**24 - 1

FRAME_HEADER: Final = struct.Struct(">IBI")  # length and type in the first four bytes
HEADER_BYTES: Final = 9
_SETTING: Final = struct.Struct(">HI")
_TWO: Final = struct.Struct(">II")

PING_BYTES: Final = 8
SETTING_BYTES: Final = 6
PRIORITY_BYTES: Final = 5
CODE_BYTES: Final = 4  # of RST_STREAM and WINDOW_UPDATE
SETTINGS_ACK: Final = b"\x00\x00\x00\x04\x01\x00\x00\x00\x00"


def frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    """Return one frame; the payload fits the peer's frame size."""
    return FRAME_HEADER.pack(len(payload) << 8 | kind, flags, stream_id) + payload


def head_frames(stream_id: int, block: bytes, flags: int, frame_bytes_max: int) -> bytes:
    """Return a header block as HEADERS, and CONTINUATION frames when it is too long for one."""
    if len(block) <= frame_bytes_max:
        return FRAME_HEADER.pack(len(block) << 8 | HEADERS, flags | END_HEADERS, stream_id) + block
    pieces = [frame(HEADERS, flags, stream_id, block[:frame_bytes_max])]
    for start in range(frame_bytes_max, len(block), frame_bytes_max):
        piece = block[start : start + frame_bytes_max]
        last = END_HEADERS if start + frame_bytes_max >= len(block) else 0
        pieces.append(frame(CONTINUATION, last, stream_id, piece))
    return b"".join(pieces)


def settings_frame(values: list[tuple[int, int]]) -> bytes:
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(*value) for value in values))


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """Return the settings in their order. Raise ConnectionFailure for a length that cannot be."""
    if len(payload) % SETTING_BYTES:
        raise ConnectionFailure(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS of a wrong length")
    return list(_SETTING.iter_unpack(payload))


def window_update(stream_id: int, size: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream_id, size.to_bytes(4, "big"))


def rst_stream(stream_id: int, code: int) -> bytes:
    return frame(RST_STREAM, 0, stream_id, code.to_bytes(4, "big"))


def ping(payload: bytes, *, ack: bool) -> bytes:
    return frame(PING, ACK if ack else 0, 0, payload)


def goaway(last_stream_id: int, code: int, detail: bytes = b"") -> bytes:
    return frame(GOAWAY, 0, 0, _TWO.pack(last_stream_id, code) + detail)


def read_goaway(payload: bytes) -> tuple[int, int]:
    """Return the last stream that the peer may have worked on, and its code."""
    if len(payload) < _TWO.size:
        raise ConnectionFailure(ErrorCode.FRAME_SIZE_ERROR, "a short GOAWAY")
    last, code = _TWO.unpack_from(payload)
    return last & STREAM_ID_MAX, code


def unpadded(payload: bytes) -> bytes:
    """Return the payload without its padding (RFC 9113 6.1)."""
    if not payload:
        raise ConnectionFailure(ErrorCode.FRAME_SIZE_ERROR, "padding without its length")
    end = len(payload) - payload[0]
    if end < 1:  # the length's own byte counts: it may be all, but no more
        raise ConnectionFailure(ErrorCode.PROTOCOL_ERROR, "more padding than payload")
    return payload[1:end]


def depends_on(priority: bytes) -> int:
    """Return the stream that a priority names; nothing else of it is of use (RFC 9113 5.3)."""
    return int.from_bytes(priority[:4], "big") & STREAM_ID_MAX
