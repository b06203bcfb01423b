"""The HTTP/2 half of the stand-in replica: every stream that ends gets the same answer.

It decodes no header block, and what it sends leaves no trace in the peer's header table, so that
it costs the load's core little and cannot get out of step. It keeps both sides' flow control.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

import h2c

STREAMS_MAX = 10_000
WINDOW = 16 * 1024 * 1024  # what a peer may send us on the connection, and on each stream
GRPC_MESSAGE = b"\0\0\0\0\x0d" + b"\x0a\x0bHello World"  # helloworld.HelloReply, framed


@dataclass(frozen=True)
class Reply:
    """An answer: its header block, the length of its body, its trailers (b"" none)."""

    headers: bytes
    bytes: int
    body: bytes
    trailers: bytes = b""


def plain_reply(count: int) -> Reply:
    """Return a 200 of `count` bytes. 0x88 is `:status: 200` (RFC 7541, appendix A)."""
    fields = h2c.literal("content-type", "text/plain") + h2c.literal("content-length", str(count))
    return Reply(b"\x88" + fields, count, b"x" * min(count, h2c.FRAME_BYTES))


def grpc_reply() -> Reply:
    """Return what a unary method answers: one message, then grpc-status 0 as a trailer."""
    headers = b"\x88" + h2c.literal("content-type", "application/grpc")
    trailers = h2c.literal("grpc-status", "0")
    return Reply(headers, len(GRPC_MESSAGE), GRPC_MESSAGE, trailers)


class H2Replica:
    """One connection; takes over from the HTTP/1.1 protocol with its first bytes."""

    def __init__(self, transport: asyncio.Transport, reply: Reply) -> None:
        self._transport = transport
        self._reply = reply
        self._buffer = b""
        self._left = WINDOW // 2  # the peer gets new credit when it has used so much
        self._window = h2c.INITIAL_WINDOW  # what we may send on the connection
        self._stream_window = h2c.INITIAL_WINDOW
        self._windows: dict[int, int] = {}  # of streams whose answer is under way
        self._owed: deque[list[int]] = deque()  # [stream, bytes] of bodies that had to wait
        self._out: list[bytes] = []
        self._paused = False
        values = {h2c.MAX_CONCURRENT_STREAMS: STREAMS_MAX, h2c.INITIAL_WINDOW_SIZE: WINDOW}
        self._buffer_skip = len(h2c.PREFACE)
        transport.write(h2c.settings(values) + h2c.window_update(0, WINDOW - h2c.INITIAL_WINDOW))

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        self._owed.clear()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._pay()
        self._flush()

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data if self._buffer else data
        at, end = self._buffer_skip, len(data)
        if end < at:
            self._buffer = data
            return
        self._buffer_skip = 0
        while end - at >= h2c.HEAD_BYTES:
            length, kind, flags, stream = h2c.head(data, at)
            after = at + h2c.HEAD_BYTES + length
            if after > end:
                break
            if kind == h2c.DATA:
                self._on_data(stream, length)
            if kind <= h2c.HEADERS:
                if flags & h2c.END_STREAM:
                    self._answer(stream)
            else:
                self._on_control(kind, flags, stream, data[at + h2c.HEAD_BYTES : after])
            at = after
        self._buffer = data[at:]
        self._flush()

    def _flush(self) -> None:
        if self._out:
            out, self._out = b"".join(self._out), []
            self._transport.write(out)

    def _on_data(self, stream: int, length: int) -> None:
        """Give credit back; a stream's at once, for the bodies of benchmarks are short or huge."""
        if length > h2c.FRAME_BYTES // 2:
            self._out.append(h2c.window_update(stream, length))
        self._left -= length
        if self._left <= 0:
            self._out.append(h2c.window_update(0, WINDOW // 2 - self._left))
            self._left = WINDOW // 2

    def _on_control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == h2c.WINDOW_UPDATE:
            count = int.from_bytes(payload, "big") & h2c.WINDOW_MAX
            if stream == 0:
                self._window += count
            elif stream in self._windows:
                self._windows[stream] += count
            self._pay()
        elif kind == h2c.SETTINGS and not flags & h2c.ACK:
            before = self._stream_window
            self._stream_window = h2c.settings_in(payload).get(h2c.INITIAL_WINDOW_SIZE, before)
            for each in self._windows:
                self._windows[each] += self._stream_window - before
            self._out.append(h2c.frame(h2c.SETTINGS, h2c.ACK, 0))
            self._pay()
        elif kind == h2c.PING and not flags & h2c.ACK:
            self._out.append(h2c.frame(h2c.PING, h2c.ACK, 0, payload))
        elif kind == h2c.RST_STREAM:
            self._windows.pop(stream, None)
            self._owed = deque(each for each in self._owed if each[0] != stream)

    def _answer(self, stream: int) -> None:
        reply = self._reply
        self._out.append(h2c.frame(h2c.HEADERS, h2c.END_HEADERS, stream, reply.headers))
        is_short = reply.bytes <= min(self._window, self._stream_window, h2c.FRAME_BYTES)
        if is_short and not self._owed:
            self._window -= reply.bytes
            flags = 0 if reply.trailers else h2c.END_STREAM
            self._out.append(h2c.frame(h2c.DATA, flags, stream, reply.body))
            self._end(stream)
            return
        self._windows[stream] = self._stream_window
        self._owed.append([stream, reply.bytes])
        self._pay()

    def _end(self, stream: int) -> None:
        if self._reply.trailers:
            flags = h2c.END_HEADERS | h2c.END_STREAM
            self._out.append(h2c.frame(h2c.HEADERS, flags, stream, self._reply.trailers))

    def _pay(self) -> None:
        """Send what the windows allow of the bodies that had to wait, oldest first."""
        blocked = 0
        while self._owed and self._window > 0 and not self._paused and blocked < len(self._owed):
            stream, owed = self._owed[0]
            count = min(owed, self._window, self._windows[stream], h2c.FRAME_BYTES)
            if count <= 0:
                self._owed.rotate(-1)
                blocked += 1
                continue
            self._window -= count
            self._windows[stream] -= count
            self._owed[0][1] -= count
            is_last = count == owed
            flags = h2c.END_STREAM if is_last and not self._reply.trailers else 0
            self._out.append(h2c.frame(h2c.DATA, flags, stream, self._reply.body[:count]))
            if is_last:
                self._end(stream)
                self._owed.popleft()
                del self._windows[stream]
            self._flush()  # so that pause_writing is heard
