"""What goes to the peer: frames at once where windows allow, else in turn. Pure."""

from __future__ import annotations

from typing import Final

from gateway.http2.errors import ConnectionFailure, ErrorCode, StreamFailure
from gateway.http2.frames import (
    DATA,
    DEFAULT_FRAME_BYTES,
    DEFAULT_WINDOW,
    END_STREAM,
    FRAME_HEADER,
    WINDOW_MAX,
    frame,
    head_frames,
)
from gateway.http2.hpack import NO_TABLE
from gateway.http2.stream import Stream

FLUSH_BYTES_MAX: Final = 256 * 1024  # pending data made into frames at a time


class Sender:
    """The frames of one connection that are to be written, and the streams that wait."""

    __slots__ = (
        "_bytes_high",
        "_frame_sent_bytes_max",
        "_has_said_table",
        "_out",
        "data_frames",
        "frame_bytes_max",
        "initial_window",
        "is_stopped",
        "untaken",
        "waiting",
        "window",
    )

    def __init__(self, frame_sent_bytes_max: int, stream_buffer_bytes_high: int) -> None:
        self._out: list[bytes] = []
        self._frame_sent_bytes_max = frame_sent_bytes_max
        self._bytes_high = stream_buffer_bytes_high
        self._has_said_table = False
        self.frame_bytes_max = DEFAULT_FRAME_BYTES
        self.window = DEFAULT_WINDOW  # the connection's
        self.initial_window = DEFAULT_WINDOW  # of new streams
        self.is_stopped = False  # the transport takes no more
        self.waiting: dict[Stream, None] = {}  # streams with pending data, in turn
        self.data_frames = 0  # sent so far
        self.untaken = 0  # bytes of DATA that wait for `take`

    def control(self, frames: bytes) -> None:
        """Send frames that no window holds back."""
        self._out.append(frames)

    def take(self) -> bytes:
        """Return what is to be written now, as far as windows allow."""
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        self.untaken = 0
        return data

    @property
    def has_frames(self) -> bool:
        return bool(self._out)

    def head(self, stream: Stream, block: bytes, *, ended: bool) -> None:
        """Send a header block; `ended`: nothing follows."""
        flags = END_STREAM if ended else 0
        if not self._has_said_table:
            self._has_said_table = True
            block = NO_TABLE + block
        self._out.append(head_frames(stream.id, block, flags, self.frame_bytes_max))
        if ended:
            stream.local_ended = True

    def data(self, stream: Stream, data: bytes, now: float, *, ended: bool) -> bool:
        """Send a part of a body; what the windows do not take is pending. Tell whether all went."""
        size = len(data)
        if (
            stream.pending is None
            and size <= stream.send_window
            and size <= self.window
            and size <= self.frame_bytes_max
            and not self.is_stopped
        ):
            if size:
                stream.send_window -= size
                self.window -= size
                self.untaken += size
            elif not ended:
                return False
            flags = END_STREAM if ended else 0
            out = self._out
            out.append(FRAME_HEADER.pack(size << 8 | DATA, flags, stream.id))
            out.append(data)
            self.data_frames += 1
            if ended:
                stream.local_ended = True
            return ended
        if stream.pending is None:
            stream.pending = bytearray(data)
            stream.blocked_since = now
            self.waiting[stream] = None
        else:
            stream.pending += data
        stream.pending_end = ended
        self._pump(stream, now, FLUSH_BYTES_MAX)
        if not stream.is_full and _pending_bytes(stream) > self._bytes_high:
            stream.is_full = True
            stream.on_full()
        return stream.local_ended

    def trailers(self, stream: Stream, block: bytes) -> bool:
        """Send trailers, behind all data that is pending; tell whether they went."""
        if stream.pending is None:
            self.head(stream, block, ended=True)
            return True
        stream.pending_trailers = block
        stream.pending_end = True
        return False

    def forget(self, stream: Stream) -> None:
        """Drop what is pending of a stream that is over."""
        if stream.pending is not None:
            stream.pending = None
            self.waiting.pop(stream, None)

    def flush(self, now: float) -> list[Stream]:
        """Make frames of pending data, a turn for each stream; return the streams that ended.

        At most about FLUSH_BYTES_MAX: `take` it, write it, and flush again while `can_flush`.
        """
        ended: list[Stream] = []
        left = FLUSH_BYTES_MAX
        moved = True
        while moved and left > 0 and self.waiting and not self.is_stopped:
            moved = False
            for stream in list(self.waiting):
                sent = self._pump(stream, now, self.frame_bytes_max)
                left -= sent
                moved = moved or sent > 0
                if stream.local_ended:
                    ended.append(stream)
                if left <= 0:
                    break
        return ended

    @property
    def can_flush(self) -> bool:
        """Tell whether more pending data could be sent now."""
        if self.is_stopped or self.window <= 0:
            return False
        return any(stream.send_window > 0 for stream in self.waiting)

    def _pump(self, stream: Stream, now: float, bytes_max: int) -> int:
        """Send some of what is pending, and the end behind the last; return how many bytes."""
        pending = stream.pending
        if pending is None or self.is_stopped:
            return 0
        size = min(len(pending), stream.send_window, self.window, bytes_max)
        if size < 0 or (not size and pending):
            return 0
        stream.blocked_since = now
        is_all = size == len(pending)
        ends_here = is_all and stream.pending_end and not stream.pending_trailers
        self._frames(stream, pending, size, ends_here=ends_here)
        stream.send_window -= size
        self.window -= size
        self.untaken += size
        self.waiting.pop(stream, None)
        if is_all:
            stream.pending = None
            if ends_here:
                stream.local_ended = True
            elif stream.pending_trailers:
                self.head(stream, stream.pending_trailers, ended=True)
        else:
            del pending[:size]
            self.waiting[stream] = None  # to the end of the queue
        if stream.is_full and len(stream.pending or b"") <= self._bytes_high // 2:
            stream.is_full = False
            stream.on_writable()
        return size

    def _frames(self, stream: Stream, pending: bytearray, size: int, *, ends_here: bool) -> None:
        step = self.frame_bytes_max
        for start in range(0, size or 1, step):
            stop = min(start + step, size)
            if stop > start or ends_here:
                flags = END_STREAM if ends_here and stop == size else 0
                self._out.append(frame(DATA, flags, stream.id, bytes(pending[start:stop])))
                self.data_frames += 1

    # What the peer says of its windows and frames.

    def open_window(self, size: int) -> None:
        """The connection's window grows. Raise ConnectionFailure (RFC 9113 6.9.1)."""
        self.window += size
        if self.window > WINDOW_MAX:
            raise ConnectionFailure(ErrorCode.FLOW_CONTROL_ERROR, "a window beyond 2^31-1")

    def open_stream_window(self, stream: Stream, size: int) -> None:
        """A stream's window grows. Raise StreamFailure."""
        stream.send_window += size
        if stream.send_window > WINDOW_MAX:
            raise StreamFailure(ErrorCode.FLOW_CONTROL_ERROR, "a window beyond 2^31-1")

    def set_initial_window(self, size: int, streams: list[Stream]) -> None:
        """All streams' windows change by the difference (RFC 9113 6.9.2)."""
        if size > WINDOW_MAX:
            raise ConnectionFailure(ErrorCode.FLOW_CONTROL_ERROR, "a window beyond 2^31-1")
        difference = size - self.initial_window
        self.initial_window = size
        for stream in streams:
            stream.send_window += difference
            if stream.send_window > WINDOW_MAX:
                raise ConnectionFailure(ErrorCode.FLOW_CONTROL_ERROR, "a window beyond 2^31-1")

    def set_frame_bytes_max(self, size: int) -> None:
        self.frame_bytes_max = min(size, max(self._frame_sent_bytes_max, DEFAULT_FRAME_BYTES))


def _pending_bytes(stream: Stream) -> int:
    """Ask anew: what was pending before a call may be gone after it, which mypy does not see."""
    pending = stream.pending
    return 0 if pending is None else len(pending)
