"""Just enough of HTTP/2's framing (RFC 9113, 4.1) for the stand-in replica."""

from __future__ import annotations

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
INITIAL_WINDOW = 65_535
WINDOW_MAX = 2**31 - 1
FRAME_BYTES = 16_384  # SETTINGS_MAX_FRAME_SIZE that nobody needs to ask for

_head = struct.Struct(">HBBBI")
_setting = struct.Struct(">HI")


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    length = len(payload)
    return _head.pack(length >> 8, length & 255, kind, flags, stream) + payload


def head(data: bytes, at: int) -> tuple[int, int, int, int]:
    """Return the length, type, flags and stream of the frame that begins at `at`."""
    high, low, kind, flags, stream = _head.unpack_from(data, at)
    return high << 8 | low, kind, flags, stream & WINDOW_MAX


def settings(values: dict[int, int]) -> bytes:
    """Return a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(_setting.pack(*each) for each in values.items()))


def settings_in(payload: bytes) -> dict[int, int]:
    """Return what a SETTINGS payload says."""
    return dict(_setting.iter_unpack(payload))


def window_update(stream: int, count: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, count.to_bytes(4, "big"))


def literal(name: str, value: str) -> bytes:
    """Return a header field that leaves no trace in the peer's table (RFC 7541, 6.2.2)."""
    pieces = (name.encode(), value.encode())
    return b"\0" + b"".join(bytes([len(piece)]) + piece for piece in pieces)
