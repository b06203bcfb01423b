"""The server's role: the peer opens streams, each a request. Pure."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from gateway.errors import GatewayError, HeadTooLarge
from gateway.http2 import frames
from gateway.http2.connection import DRAIN_PING, Connection
from gateway.http2.errors import ConnectionFailure, ErrorCode, HeadersTooLarge, StreamFailure
from gateway.http2.frames import PREFACE, STREAM_ID_MAX
from gateway.http2.heads import request_head, trailer_lines
from gateway.http2.hpack import Fields, KnownFields
from gateway.http2.reading import protocol_error
from gateway.http2.stream import Stream
from gateway.settings import Http2Settings


class ServerConnection(Connection):
    """A client's connection. `accept` makes the owner's stream for each request."""

    def __init__(
        self,
        settings: Http2Settings,
        known: KnownFields,
        accept: Callable[[], Stream],
        path_bytes_max: int,
        now: float,
    ) -> None:
        super().__init__(settings, known, PREFACE, now)
        self._accept = accept
        self._path_bytes_max = path_bytes_max
        self._is_draining = False
        self._taken_max = STREAM_ID_MAX  # requests beyond are not worked on: GOAWAY said so
        self._begin([(frames.MAX_CONCURRENT_STREAMS, settings.concurrent_streams_max)])

    @property
    def is_drained(self) -> bool:
        """Tell whether nothing more will come: the last GOAWAY is out, and no stream is left."""
        said = self._taken_max != STREAM_ID_MAX or self.going_away
        return said and not self.streams

    def _read_block(self, stream_id: int, block: bytes, ended: bool) -> None:
        stream = self.streams.get(stream_id)
        if stream is not None:
            self._read_trailers(stream, block, ended)
            return
        if stream_id % 2 == 0:
            raise protocol_error("a client's stream of an even number")
        if stream_id <= self.last_id:
            self._stray_block(stream_id, block)
            return
        self.last_id = stream_id
        error: GatewayError | None = None
        fields: Fields = ([], [])
        try:
            fields = self._decoder.decode(block)
        except HeadersTooLarge:
            error = HeadTooLarge("a header list that is too long")
        if stream_id > self._taken_max:
            return
        if len(self.streams) >= self.settings.concurrent_streams_max:
            raise StreamFailure(ErrorCode.REFUSED_STREAM, "too many streams")
        if error is None:
            error = self._begin_request(stream_id, fields, ended)
        if error is not None:
            self._open(stream_id, ended).on_refused(error)

    def _begin_request(
        self,
        stream_id: int,
        fields: Fields,
        ended: bool,
    ) -> GatewayError | None:
        """Begin the request, or return what is to be answered instead."""
        settings = self.settings
        try:
            head = request_head(
                fields,
                ended=ended,
                headers_max=settings.headers_max,
                path_bytes_max=self._path_bytes_max,
            )
        except GatewayError as error:
            return error
        stream = self._open(stream_id, ended)
        if not ended:
            stream.body_left = head.length
        stream.on_request(head, ended)
        return None

    def _open(self, stream_id: int, ended: bool) -> Stream:
        stream = self._accept()
        stream.id = stream_id
        stream.is_open = stream.head_received = True
        stream.remote_ended = ended
        # The peer may not know our window yet; it is never less than what it may assume.
        stream.receive_window = max(self.settings.stream_window_bytes, frames.DEFAULT_WINDOW)
        stream.send_window = self.sender.initial_window
        self.streams[stream_id] = stream
        return stream

    def _read_trailers(self, stream: Stream, block: bytes, ended: bool) -> None:
        try:
            fields = self._decoder.decode(block)
        except HeadersTooLarge:
            raise StreamFailure(ErrorCode.ENHANCE_YOUR_CALM, "trailers that are too long") from None
        if stream.remote_ended:
            raise StreamFailure(ErrorCode.STREAM_CLOSED, "HEADERS after the end")
        if not ended or stream.body_left > 0:
            raise StreamFailure(ErrorCode.PROTOCOL_ERROR, "trailers that are not the end")
        lines = trailer_lines(fields)
        stream.remote_ended = True
        stream.on_trailers(lines)
        if stream.local_ended:
            self._close(stream)

    def _stray_block(self, stream_id: int, block: bytes) -> None:
        """HEADERS of a stream that is gone (RFC 9113 5.1 and 5.1.1)."""
        reset = self._was_reset(stream_id)
        if reset is None:
            raise protocol_error("a stream's number that is not greater than those before")
        if not reset:
            raise ConnectionFailure(ErrorCode.STREAM_CLOSED, "HEADERS of a closed stream")
        with suppress(HeadersTooLarge):
            self._decoder.decode(block)

    def _on_half_closed(self, stream: Stream) -> None:
        """The answer is whole, and the rest of the request of no use (RFC 9113 8.1)."""
        self.reset(stream, ErrorCode.NO_ERROR)

    def _last_peer_id(self) -> int:
        return min(self.last_id, self._taken_max)

    def _is_idle(self, stream_id: int) -> bool:
        return stream_id > self.last_id or stream_id % 2 == 0

    # The end: no request that the peer believes to be under way is lost (RFC 9113 6.8).

    def drain(self) -> None:
        """Say that the connection ends; take what is on its way, until the peer has heard."""
        if not self._is_draining:
            self._is_draining = True
            self.sender.control(frames.goaway(STREAM_ID_MAX, ErrorCode.NO_ERROR))
            self.sender.control(frames.ping(DRAIN_PING, ack=False))

    def _on_drain_ping(self) -> None:
        self.take_no_more()

    def take_no_more(self) -> None:
        """Work on no stream beyond those that are known."""
        if self._taken_max == STREAM_ID_MAX:
            self._taken_max = self.last_id
            self.sender.control(frames.goaway(self.last_id, ErrorCode.NO_ERROR))
