"""A client's half of HTTP/2 with prior knowledge (RFC 9113), bytes in and bytes out. Pure.

For requests whose body fits into one frame: the load generator's and the gRPC probe's. Header
compression is the library hpack's. What is received is given back to the peer's windows at once,
so no answer stalls. What needs no answer of ours (priorities, unknown frames) is read over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final

import hpack
from msgspec import Struct

BODY_BYTES_MAX: Final = 16_384  # one frame of the least size that every peer takes (RFC 9113, 4.2)
HEAD_BYTES_MAX: Final = 256 * 1024  # of one compressed head
WINDOW_BYTES: Final = 1024 * 1024
STREAM_ID_MAX: Final = 2**31 - 1

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_WINDOW_DEFAULT: Final = 65_535
_STREAMS_UNTOLD: Final = 100  # until the peer's SETTINGS say how many streams it takes
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PUSH, _PING, _GOAWAY = 0, 1, 3, 4, 5, 6, 7
_WINDOW_UPDATE, _CONTINUATION = 8, 9
_ACK = _END_STREAM = 0x1
_END_HEADERS, _PADDED, _PRIORITY = 0x4, 0x8, 0x20
_TABLE_SIZE, _ENABLE_PUSH, _STREAMS_MAX, _INITIAL_WINDOW = 1, 2, 3, 4
_REFUSED_STREAM, _CANCEL = 7, 8
_FRAME: Final = struct.Struct(">HBBBL")  # length in 16 + 8 bits, type, flags, stream

Headers = Sequence[tuple[str, str]]


class Http2Error(Exception):
    """The peer sent what HTTP/2 does not allow; the connection is of no more use."""


class Head(Struct, frozen=True):
    """An answer's head: `status` 0 for trailers. Interim answers (1xx) are not told."""

    stream: int
    status: int
    headers: dict[str, str]


class Data(Struct, frozen=True):
    """Some bytes of an answer's body."""

    stream: int
    data: bytes


class Ended(Struct, frozen=True):
    """The whole answer has been told."""

    stream: int


class Reset(Struct, frozen=True):
    """No whole answer will come. `refused`: the peer did nothing, so it may be sent again."""

    stream: int
    refused: bool


Event = Head | Data | Ended | Reset


class _Stream:
    __slots__ = ("has_head",)

    def __init__(self) -> None:
        self.has_head = False


class Http2Client:
    """One connection. `taken` says what to send; `feed` what has happened."""

    def __init__(self) -> None:
        self._encoder = hpack.Encoder()
        self._decoder = hpack.Decoder(max_header_list_size=HEAD_BYTES_MAX)
        self._streams: dict[int, _Stream] = {}
        self._next = 1
        self._streams_max = _STREAMS_UNTOLD
        self._window = _WINDOW_DEFAULT  # what the peer takes of us, on the whole connection
        self._initial_window = _WINDOW_DEFAULT
        self._received = bytearray()
        self._block: tuple[int, int, bytearray] | None = None  # stream, flags, fragments so far
        self._unreturned = 0
        self._is_going = False
        self._out = bytearray(_PREFACE)
        settings = struct.pack(">HLHL", _ENABLE_PUSH, 0, _INITIAL_WINDOW, WINDOW_BYTES)
        self._frame(_SETTINGS, 0, 0, settings)
        self._frame(_WINDOW_UPDATE, 0, 0, struct.pack(">L", WINDOW_BYTES - _WINDOW_DEFAULT))

    # What we want.

    @property
    def is_going(self) -> bool:
        """Tell whether the peer takes no new stream (GOAWAY); open ones may still be answered."""
        return self._is_going or self._next > STREAM_ID_MAX

    @property
    def streams(self) -> int:
        return len(self._streams)

    def has_room(self, body_length: int) -> bool:
        """Tell whether one more request, whose body is so many bytes, can be sent now."""
        return (
            not self.is_going
            and len(self._streams) < self._streams_max
            and body_length <= min(self._window, self._initial_window, BODY_BYTES_MAX)
        )

    def request(self, headers: Headers, body: bytes) -> int:
        """Begin a stream with a whole request and return its number; there must be room."""
        stream = self._next
        self._next += 2
        self._streams[stream] = _Stream()
        block = self._encoder.encode(headers)
        flags = _END_HEADERS if body else _END_HEADERS | _END_STREAM
        self._frame(_HEADERS, flags, stream, block)
        if body:
            self._window -= len(body)
            self._frame(_DATA, _END_STREAM, stream, body)
        return stream

    def cancel(self, stream: int) -> None:
        """Want no more of an answer."""
        if self._streams.pop(stream, None) is not None:
            self._frame(_RST_STREAM, 0, stream, struct.pack(">L", _CANCEL))

    def taken(self) -> bytes:
        """Return what is to be sent now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        length = len(payload)
        self._out += _FRAME.pack(length >> 8, length & 0xFF, kind, flags, stream)
        self._out += payload

    # What the peer says.

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes in and return what they tell. Raise Http2Error."""
        received = self._received
        received += data
        events: list[Event] = []
        at = 0
        while len(received) - at >= _FRAME.size:
            high, low, kind, flags, stream = _FRAME.unpack_from(received, at)
            length = high << 8 | low
            if length > BODY_BYTES_MAX:
                raise Http2Error(f"a frame of {length} bytes, more than it may be")
            end = at + _FRAME.size + length
            if end > len(received):
                break
            events += self._take(kind, flags, stream & STREAM_ID_MAX, received[at + 9 : end])
            at = end
        del received[:at]
        return events

    def _take(self, kind: int, flags: int, stream: int, payload: bytearray) -> Iterator[Event]:
        if self._block is not None and (kind != _CONTINUATION or stream != self._block[0]):
            raise Http2Error("a head that another frame interrupts")
        try:
            if kind == _DATA:
                yield from self._take_data(flags, stream, payload)
            elif kind in (_HEADERS, _CONTINUATION):
                yield from self._take_block(kind, flags, stream, payload)
            elif kind == _RST_STREAM:
                (code,) = struct.unpack(">L", payload)
                if self._streams.pop(stream, None) is not None:
                    yield Reset(stream, refused=code == _REFUSED_STREAM)
            elif kind == _GOAWAY:
                yield from self._take_goaway(payload)
            elif kind == _SETTINGS and not flags & _ACK:
                self._take_settings(payload)
            elif kind == _PING and not flags & _ACK:
                self._frame(_PING, _ACK, 0, bytes(payload))
            elif kind == _WINDOW_UPDATE and stream == 0:
                self._window += struct.unpack(">L", payload)[0]
            elif kind == _PUSH:
                raise Http2Error("a push that we did not allow")
        except struct.error as error:
            raise Http2Error(f"a frame of type {kind} of a wrong size") from error

    def _take_data(self, flags: int, stream: int, payload: bytearray) -> Iterator[Event]:
        self._unreturned += len(payload)
        known = stream in self._streams
        if payload and known and not flags & _END_STREAM:
            self._frame(_WINDOW_UPDATE, 0, stream, struct.pack(">L", len(payload)))
        if self._unreturned >= WINDOW_BYTES // 2:
            self._frame(_WINDOW_UPDATE, 0, 0, struct.pack(">L", self._unreturned))
            self._unreturned = 0
        if not known:
            return
        if not self._streams[stream].has_head:
            raise Http2Error("a body before its head")
        if data := _unpadded(flags, payload):
            yield Data(stream, bytes(data))
        if flags & _END_STREAM:
            del self._streams[stream]
            yield Ended(stream)

    def _take_block(
        self, kind: int, flags: int, stream: int, payload: bytearray
    ) -> Iterator[Event]:
        if kind == _HEADERS:
            fragment = _unpadded(flags, payload)
            self._block = (stream, flags, fragment[5:] if flags & _PRIORITY else fragment)
        elif self._block is None:
            raise Http2Error("a continuation of nothing")
        else:
            self._block[2].extend(payload)
        stream, first_flags, block = self._block
        if len(block) > HEAD_BYTES_MAX:
            raise Http2Error("a head without end")
        if not flags & _END_HEADERS:
            return
        self._block = None
        try:  # also for a stream that we cancelled: the compression's state is the connection's
            headers = self._decoder.decode(bytes(block))
        except (hpack.HPACKError, UnicodeDecodeError) as error:
            raise Http2Error(f"a head that cannot be read: {error}") from error
        yield from self._take_head(
            stream, first_flags, {str(name): str(value) for name, value in headers}
        )

    def _take_head(self, number: int, flags: int, headers: dict[str, str]) -> Iterator[Event]:
        stream = self._streams.get(number)
        if stream is None:
            return
        text = headers.pop(":status", "0" if stream.has_head else "")
        if not (text.isascii() and text.isdigit() and len(text) <= 3):
            raise Http2Error("an answer without a status")
        status = int(text)
        if 100 <= status < 200:
            return
        stream.has_head = True
        yield Head(number, status, headers)
        if flags & _END_STREAM:
            del self._streams[number]
            yield Ended(number)

    def _take_goaway(self, payload: bytearray) -> Iterator[Event]:
        """Streams above the last that the peer has seen were not touched (RFC 9113, 6.8)."""
        self._is_going = True
        last = struct.unpack_from(">L", payload)[0] & STREAM_ID_MAX
        for number in [number for number in self._streams if number > last]:
            del self._streams[number]
            yield Reset(number, refused=True)

    def _take_settings(self, payload: bytearray) -> None:
        for name, value in struct.iter_unpack(">HL", payload):
            if name == _TABLE_SIZE:
                self._encoder.header_table_size = min(value, 4096)
            elif name == _STREAMS_MAX:
                self._streams_max = value
            elif name == _INITIAL_WINDOW:
                self._initial_window = value
        self._frame(_SETTINGS, _ACK, 0, b"")


def _unpadded(flags: int, payload: bytearray) -> bytearray:
    """Return the payload without its padding. Raise Http2Error when there is more of that."""
    if not flags & _PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise Http2Error("more padding than frame")
    return payload[1 : len(payload) - payload[0]]
