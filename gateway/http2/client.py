"""The client's role: streams are opened here, each a request to the peer. Pure."""

from __future__ import annotations

from typing import Final

from gateway.http2 import frames
from gateway.http2.connection import Connection
from gateway.http2.errors import ConnectionFailure, ErrorCode, HeadersTooLarge, StreamFailure
from gateway.http2.frames import PREFACE, STREAM_ID_MAX
from gateway.http2.heads import response_head, trailer_lines
from gateway.http2.hpack import KnownFields
from gateway.http2.reading import protocol_error
from gateway.http2.stream import Stream
from gateway.settings import Http2Settings

LAST_STREAM_ID: Final = STREAM_ID_MAX - 2  # then it is time for another connection


class ClientConnection(Connection):
    """A connection to a server."""

    _holds_back: bool = False

    def __init__(self, settings: Http2Settings, known: KnownFields, now: float) -> None:
        super().__init__(settings, known, b"", now)
        self.sender.control(PREFACE)
        self._begin([(frames.ENABLE_PUSH, 0)])

    @property
    def can_open(self) -> bool:
        """Tell whether one more stream may be opened now."""
        return (
            self.failure is None
            and not self.going_away
            and len(self.streams) < self.peer_streams_max
            and len(self.streams) < self.settings.upstream_streams_max
            and self.last_id < LAST_STREAM_ID
        )

    def open(self, stream: Stream, block: bytes, *, ended: bool) -> None:
        """Send a request's header block on a new stream, if `can_open`; `ended`: no body."""
        self.last_id = stream_id = self.last_id + 2 if self.last_id else 1
        stream.id = stream_id
        stream.is_open = True
        stream.receive_window = max(self.settings.stream_window_bytes, frames.DEFAULT_WINDOW)
        stream.send_window = self.sender.initial_window
        self.streams[stream_id] = stream
        self.sender.head(stream, block, ended=ended)

    def _read_block(self, stream_id: int, block: bytes, ended: bool) -> None:
        stream = self.streams.get(stream_id)
        if stream is None and self._is_idle(stream_id):
            raise protocol_error("HEADERS of an idle stream")
        if stream is None and not self._was_reset(stream_id):
            raise ConnectionFailure(ErrorCode.STREAM_CLOSED, "HEADERS of a closed stream")
        try:
            fields = self._decoder.decode(block)
        except HeadersTooLarge:
            raise StreamFailure(
                ErrorCode.ENHANCE_YOUR_CALM, "a header list that is too long"
            ) from None
        if stream is None:  # we reset it, and it did not know yet
            return
        if stream.remote_ended:
            raise StreamFailure(ErrorCode.STREAM_CLOSED, "HEADERS after the end")
        if not stream.head_received:
            head = response_head(fields, self.settings.headers_max)
            if head.status < 200:
                if ended:
                    raise StreamFailure(ErrorCode.PROTOCOL_ERROR, "a 1xx that ends the stream")
                stream.on_interim(head)
                return
            stream.head_received = True
            if stream.bodiless or head.status in {204, 304}:
                stream.body_left = 0
            elif head.length >= 0:
                stream.body_left = head.length
                if ended and head.length:
                    raise StreamFailure(
                        ErrorCode.PROTOCOL_ERROR, "a content-length without content"
                    )
            stream.remote_ended = ended
            stream.on_response(head, ended)
        else:
            if not ended or stream.body_left > 0:
                raise StreamFailure(ErrorCode.PROTOCOL_ERROR, "trailers that are not the end")
            lines = trailer_lines(fields)
            stream.remote_ended = True
            stream.on_trailers(lines)
        if ended and stream.local_ended:
            self._close(stream)

    def _on_goaway(self, last_id: int) -> None:
        """Streams beyond were not worked on: they may be sent elsewhere (RFC 9113 6.8)."""
        for stream_id in [each for each in self.streams if each > last_id]:
            stream = self.streams[stream_id]
            self._forget(stream, reset=True)
            stream.on_reset(ErrorCode.REFUSED_STREAM, "the server goes away")

    def _last_peer_id(self) -> int:
        return 0  # it opens none

    def _is_idle(self, stream_id: int) -> bool:
        return stream_id > self.last_id or stream_id % 2 == 0
