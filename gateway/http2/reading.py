"""Bytes to frames, and HEADERS with their CONTINUATIONs to whole header blocks. Pure."""

from __future__ import annotations

from gateway.http2 import frames
from gateway.http2.errors import ConnectionFailure, ErrorCode, StreamFailure
from gateway.http2.frames import DATA, FRAME_HEADER, HEADER_BYTES, HEADERS, STREAM_ID_MAX
from gateway.http2.limits import calm_down
from gateway.settings import Http2Settings


class FrameReader:
    """Cuts a connection's bytes into frames, in whatever pieces they come."""

    def __init__(self, settings: Http2Settings, preface: bytes, now: float) -> None:
        self.settings = settings
        self.now = now  # any clock that never goes back
        self.failure: ConnectionFailure | None = None
        self.block_since = -1.0  # when the header block under way began; -1: there is none
        self._preface = preface  # still to come
        self._buffer = b""
        self.is_settled = False  # the peer's first SETTINGS came
        self._block: list[bytes] = []
        self._block_id = 0
        self._block_flags = 0
        self._block_bytes = 0

    def receive(self, data: bytes, now: float) -> None:
        """Read what the peer sent; after a `failure` no more of it."""
        if self.failure is not None:
            return
        self.now = now
        if self._buffer:
            data = self._buffer + data
        try:
            at = self._read_preface(data) if self._preface else 0
            if not self._preface:
                at = self._read_frames(data, at)
        except ConnectionFailure as failure:
            self.fail(failure)
            return
        self._buffer = data[at:] if at < len(data) else b""

    def _read_preface(self, data: bytes) -> int:
        wanted = self._preface
        if data[: len(wanted)] != wanted[: len(data)]:
            raise ConnectionFailure(ErrorCode.PROTOCOL_ERROR, "no HTTP/2 preface")
        if len(data) < len(wanted):
            return 0
        self._preface = b""
        return len(wanted)

    def _read_frames(self, data: bytes, at: int) -> int:
        """Read whole frames; return where the rest begins."""
        end = len(data)
        frame_bytes_max = self.settings.frame_bytes_max
        while end - at >= HEADER_BYTES:
            word, flags, stream_id = FRAME_HEADER.unpack_from(data, at)
            size = word >> 8
            if size > frame_bytes_max:
                raise ConnectionFailure(ErrorCode.FRAME_SIZE_ERROR, "a frame that is too long")
            start = at + HEADER_BYTES
            stop = start + size
            if stop > end:
                break
            at = stop
            stream_id &= STREAM_ID_MAX
            try:
                self._read_frame(word & 0xFF, flags, stream_id, data[start:stop])
            except StreamFailure as failure:
                self.fail_stream(stream_id, failure)
            if self.failure is not None:
                break
        return at

    def _read_frame(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block_id:
            if kind != frames.CONTINUATION or stream_id != self._block_id:
                raise protocol_error("a frame inside a header block")
            self._continue_block(flags, payload)
        elif not self.is_settled and (kind != frames.SETTINGS or flags & frames.ACK):
            raise protocol_error("no SETTINGS at the start")
        elif kind == DATA:
            if flags & frames.PADDED:
                size = len(payload)
                self._read_data(flags, stream_id, frames.unpadded(payload), size)
            else:
                self._read_data(flags, stream_id, payload, len(payload))
        elif kind == HEADERS:
            self._read_headers(flags, stream_id, payload)
        elif kind <= frames.WINDOW_UPDATE:
            self.is_settled = True
            self._read_control(kind, flags, stream_id, payload)
        elif kind == frames.CONTINUATION:
            raise protocol_error("a CONTINUATION of nothing")
        else:
            self._read_unknown()

    def _read_headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        if not stream_id:
            raise protocol_error("HEADERS without a stream")
        if flags & frames.PADDED:
            payload = frames.unpadded(payload)
        on_itself = False
        if flags & frames.WITH_PRIORITY:
            if len(payload) < frames.PRIORITY_BYTES:
                raise ConnectionFailure(ErrorCode.FRAME_SIZE_ERROR, "a short HEADERS")
            on_itself = frames.depends_on(payload) == stream_id
            payload = payload[frames.PRIORITY_BYTES :]
        if flags & frames.END_HEADERS:
            self._read_block(stream_id, payload, flags & frames.END_STREAM != 0)
        else:
            self._block = [payload]
            self._block_id = stream_id
            self._block_flags = flags
            self._block_bytes = len(payload)
            self.block_since = self.now
        if on_itself:  # after the block is read, for HPACK's sake
            raise StreamFailure(ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself")

    def _continue_block(self, flags: int, payload: bytes) -> None:
        self._block.append(payload)
        self._block_bytes += len(payload)
        if len(self._block) > self.settings.continuations_max + 1:
            raise calm_down("a header block of too many frames")
        if self._block_bytes > self.settings.header_block_bytes_max:
            raise calm_down("a header block that is too long")
        if flags & frames.END_HEADERS:
            block = b"".join(self._block)
            stream_id, self._block_id = self._block_id, 0
            self._block = []
            self.block_since = -1.0
            self._read_block(stream_id, block, self._block_flags & frames.END_STREAM != 0)

    # What a connection makes of it.

    def fail(self, failure: ConnectionFailure) -> None:
        """End the connection."""
        raise NotImplementedError

    def fail_stream(self, stream_id: int, failure: StreamFailure) -> None:
        """End one stream."""
        raise NotImplementedError

    def _read_data(self, flags: int, stream_id: int, payload: bytes, size: int) -> None:
        """Read a body's part; `size` counts its padding too."""
        raise NotImplementedError

    def _read_block(self, stream_id: int, block: bytes, ended: bool) -> None:
        """Read a whole header block."""
        raise NotImplementedError

    def _read_unknown(self) -> None:
        """Ignore an extension's frame (RFC 9113 5.5)."""
        raise NotImplementedError

    def _read_control(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        """Read any other frame that RFC 9113 has."""
        raise NotImplementedError


def protocol_error(detail: str) -> ConnectionFailure:
    return ConnectionFailure(ErrorCode.PROTOCOL_ERROR, detail)
