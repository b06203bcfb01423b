"""HTTP/2 frames by hand: a server's, or a hostile peer's."""

from __future__ import annotations

import struct

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH = range(6)
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(6, 10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITISED = 1, 1, 4, 8, 0x20


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
    return head + struct.pack(">I", stream) + payload


def block(*headers: tuple[str, str]) -> bytes:
    """Return a head that needs no table."""
    return hpack.Encoder().encode([hpack.NeverIndexedHeaderTuple(*one) for one in headers])


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def frames(raw: bytes) -> list[tuple[int, int, int, bytes]]:
    """Return what a client sent: (type, flags, stream, payload) of each frame."""
    found = []
    while raw:
        length = int.from_bytes(raw[:3], "big")
        payload, stream = raw[9 : 9 + length], int.from_bytes(raw[5:9], "big")
        found.append((raw[3], raw[4], stream, payload))
        raw = raw[9 + length :]
    return found
