"""What both roles of a connection share: streams, windows, control frames, errors. Pure.

Bytes in (`receive`), calls to streams out, frames to be written in `sender`. An error of a stream
resets it; an error of the connection leaves a GOAWAY to be written, and `failure` says so. `server`
and `client` know what a header block means.
"""

from __future__ import annotations

from typing import Final

from gateway.http2 import frames
from gateway.http2.errors import ConnectionFailure, ErrorCode, StreamFailure
from gateway.http2.frames import END_STREAM, STREAM_ID_MAX
from gateway.http2.hpack import Decoder, KnownFields
from gateway.http2.limits import Waste
from gateway.http2.reading import FrameReader, protocol_error
from gateway.http2.sending import Sender
from gateway.http2.stream import Stream
from gateway.settings import Http2Settings

CLOSED_REMEMBERED_MAX: Final = 256  # at least so many, for what still comes of them
ALIVE_PING: Final = b"alive???"
BY_PEER: Final = "reset by the peer"
DRAIN_PING: Final = b"draining"


class Connection(FrameReader):
    """One connection. `now` is any clock that never goes back."""

    # Whether what a paused stream holds counts against the connection's window. A client is held
    # to it, all in all; a revision is not, for one slow client would stop its answers to others.
    _holds_back: bool = True

    def __init__(
        self, settings: Http2Settings, known: KnownFields, preface: bytes, now: float
    ) -> None:
        super().__init__(settings, preface, now)
        self.streams: dict[int, Stream] = {}
        self.sender = Sender(settings.frame_sent_bytes_max, settings.stream_buffer_bytes_high)
        self.last_id = 0  # the newest stream of whoever opens them
        self.going_away = False  # the peer said so
        self.peer_streams_max = STREAM_ID_MAX  # until the peer says less
        self.settings_acked = False
        self.ping_sent_at = -1.0  # of a PING without its answer; -1: there is none
        self.begun_at = now
        self._decoder = Decoder(known, settings.header_list_bytes_max)
        self._window = frames.DEFAULT_WINDOW  # what the peer may still send
        self._consumed = 0
        # Streams that ended recently, in two halves; True: we reset it, and late frames are fine.
        self._closed: dict[int, bool] = {}
        self._closed_before: dict[int, bool] = {}
        self._waste = Waste(settings)

    def _begin(self, own: list[tuple[int, int]]) -> None:
        """Send the settings that begin the connection, and open its window."""
        settings = self.settings
        common = [
            (frames.HEADER_TABLE_SIZE, settings.header_table_bytes_max),
            (frames.INITIAL_WINDOW_SIZE, settings.stream_window_bytes),
            (frames.MAX_FRAME_SIZE, settings.frame_bytes_max),
            (frames.MAX_HEADER_LIST_SIZE, settings.header_list_bytes_max),
        ]
        self.sender.control(frames.settings_frame(common + own))
        more = settings.connection_window_bytes - self._window
        if more > 0:
            self._window += more
            self.sender.control(frames.window_update(0, more))

    # Bodies and windows.

    def _read_data(self, flags: int, stream_id: int, payload: bytes, size: int) -> None:
        self._window -= size
        if self._window < 0:
            raise ConnectionFailure(ErrorCode.FLOW_CONTROL_ERROR, "more than the window")
        length = len(payload)
        ended = flags & END_STREAM != 0
        if length < self.settings.tiny_data_bytes and not ended:
            self._waste.tiny_data(length, self.now)
        stream = self.streams.get(stream_id)
        if stream is None or stream.remote_ended or not stream.head_received:
            self._stray_data(stream, stream_id, size)
            return
        stream.receive_window -= size
        if stream.receive_window < 0:
            self._give_back(size)
            raise StreamFailure(ErrorCode.FLOW_CONTROL_ERROR, "more than the stream's window")
        if stream.body_left >= 0:  # RFC 9113 8.1.1
            left = stream.body_left = stream.body_left - length
            if left < 0 or (ended and left):
                self._give_back(size)
                raise StreamFailure(ErrorCode.PROTOCOL_ERROR, "a body beside its content-length")
        stream.remote_ended = ended
        stream.on_data(payload, ended)
        if not stream.paused or not stream.is_open:
            self._give_back(size)
            self._reopen(stream, size)
        else:
            stream.held += size
            if not self._holds_back:
                self._give_back(size)
        if ended and stream.local_ended:
            self._close(stream)

    def _stray_data(self, stream: Stream | None, stream_id: int, size: int) -> None:
        """DATA of a stream that may send none (RFC 9113 5.1)."""
        if not stream_id or self._is_idle(stream_id):
            raise protocol_error("DATA without a stream, or of an idle one")
        self._give_back(size)
        if stream is not None:
            code = ErrorCode.STREAM_CLOSED if stream.remote_ended else ErrorCode.PROTOCOL_ERROR
            raise StreamFailure(code, "DATA before the head, or after the end")
        if not self._was_reset(stream_id):  # one that we reset may not know it yet
            raise ConnectionFailure(ErrorCode.STREAM_CLOSED, "DATA of a closed stream")

    def _reopen(self, stream: Stream, size: int) -> None:
        """Open a stream's window by what was used, in steps of half a window."""
        if stream.remote_ended or not stream.is_open:
            return
        consumed = stream.consumed = stream.consumed + size
        if consumed * 2 >= self.settings.stream_window_bytes:
            stream.consumed = 0
            stream.receive_window += consumed
            self.sender.control(frames.window_update(stream.id, consumed))

    def _give_back(self, size: int) -> None:
        """Open the connection's window by what was used."""
        consumed = self._consumed = self._consumed + size
        if consumed * 2 >= self.settings.connection_window_bytes:
            self._consumed = 0
            self._window += consumed
            self.sender.control(frames.window_update(0, consumed))

    def pause(self, stream: Stream) -> None:
        """Open no window for what comes on this stream from now on: it waits to be used."""
        stream.paused = True

    def resume(self, stream: Stream) -> None:
        """What came has been used."""
        stream.paused = False
        held, stream.held = stream.held, 0
        if held:
            if self._holds_back:
                self._give_back(held)
            self._reopen(stream, held)

    # What is sent.

    def send_interim(self, stream: Stream, block: bytes) -> None:
        """Send the header block of a 1xx."""
        if stream.is_open and not stream.local_ended:
            self.sender.head(stream, block, ended=False)

    def send_head(self, stream: Stream, block: bytes, *, ended: bool) -> None:
        """Send the header block of an answer; `ended`: nothing follows."""
        if stream.is_open and not stream.local_ended:
            stream.head_sent = True
            self.sender.head(stream, block, ended=ended)
            if ended:
                self._finish(stream)

    def send_data(self, stream: Stream, data: bytes, *, ended: bool) -> None:
        """Send a part of a body, when the peer's windows allow."""
        if stream.is_open and not stream.local_ended:
            all_went = self.sender.data(stream, data, self.now, ended=ended)
            if all_went:
                self._finish(stream)

    def send_trailers(self, stream: Stream, block: bytes) -> None:
        """Send trailers, which end the stream, behind all data."""
        if stream.is_open and not stream.local_ended:
            all_went = self.sender.trailers(stream, block)
            if all_went:
                self._finish(stream)

    def flush(self) -> None:
        """Make frames of what waited for a window or for the transport."""
        for stream in self.sender.flush(self.now):
            self._finish(stream)

    def _finish(self, stream: Stream) -> None:
        """All is sent: the stream is closed when the peer has sent all, too."""
        if stream.remote_ended:
            self._close(stream)
        else:
            self._on_half_closed(stream)

    def _on_half_closed(self, stream: Stream) -> None:
        """We have sent all; the peer goes on."""

    # Ends of streams.

    def reset(self, stream: Stream, code: ErrorCode) -> None:
        """End a stream from our side; its owner knows."""
        if stream.is_open:
            self._forget(stream, reset=True)
            self.sender.control(frames.rst_stream(stream.id, code))

    def fail_stream(self, stream_id: int, failure: StreamFailure) -> None:
        """Reset a stream for the peer's error; such resets are counted too ("MadeYouReset")."""
        stream = self.streams.get(stream_id)
        if stream is None and (not stream_id or self._is_idle(stream_id)):
            raise ConnectionFailure(failure.code, failure.detail)  # an idle one cannot be reset
        self.sender.control(frames.rst_stream(stream_id, failure.code))
        if stream is not None:
            self._forget(stream, reset=True)
            stream.on_reset(failure.code, failure.detail)
        else:
            self._remember(stream_id, reset=True)
        self._waste.reset(self.now)

    def _close(self, stream: Stream) -> None:
        """Both sides have sent all."""
        if stream.is_open:
            self._forget(stream, reset=False)
            self._waste.whole_stream()

    def _forget(self, stream: Stream, *, reset: bool) -> None:
        stream.is_open = False
        del self.streams[stream.id]
        self._remember(stream.id, reset=reset)
        if stream.held and self._holds_back:
            self._give_back(stream.held)
        stream.held = 0
        self.sender.forget(stream)

    def _remember(self, stream_id: int, *, reset: bool) -> None:
        if len(self._closed) >= CLOSED_REMEMBERED_MAX:
            self._closed_before = self._closed
            self._closed = {}
        self._closed[stream_id] = reset

    def _was_reset(self, stream_id: int) -> bool | None:
        """Tell whether we reset a stream that was there not long ago; None: it was not."""
        reset = self._closed.get(stream_id)
        return self._closed_before.get(stream_id) if reset is None else reset

    def fail(self, failure: ConnectionFailure) -> None:
        """End the connection: write what `sender` has, and close. Its streams are told."""
        self.failure = failure
        self.sender.control(
            frames.goaway(self._last_peer_id(), failure.code, failure.detail.encode())
        )
        self._end_streams(failure.code, failure.detail)

    def lose(self, detail: str) -> None:
        """The connection is gone, and all streams with it."""
        if self.failure is None:
            self.failure = ConnectionFailure(ErrorCode.CONNECT_ERROR, detail)
            self._end_streams(ErrorCode.CONNECT_ERROR, detail)

    def _end_streams(self, code: ErrorCode, detail: str) -> None:
        streams = list(self.streams.values())
        self.streams.clear()
        for stream in streams:
            stream.is_open = False
            self.sender.forget(stream)
            stream.on_reset(code, detail)

    def _last_peer_id(self) -> int:
        """Return the last stream of the peer's that was worked on."""
        raise NotImplementedError

    def _is_idle(self, stream_id: int) -> bool:
        """Tell whether nobody has opened this stream yet."""
        raise NotImplementedError

    # Control frames.

    def _read_control(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == frames.WINDOW_UPDATE:
            self._read_window_update(stream_id, payload)
        elif kind == frames.RST_STREAM:
            self._read_reset(stream_id, payload)
        elif kind == frames.PRIORITY:
            self._read_priority(stream_id, payload)
        elif kind == frames.PUSH_PROMISE:
            raise protocol_error("a PUSH_PROMISE that nobody allowed")
        elif stream_id:
            raise protocol_error("a stream's SETTINGS, PING or GOAWAY")
        elif kind == frames.SETTINGS:
            self._read_settings(flags, payload)
        elif kind == frames.PING:
            self._read_ping(flags, payload)
        else:
            self.going_away = True
            self._on_goaway(frames.read_goaway(payload)[0])

    def _read_window_update(self, stream_id: int, payload: bytes) -> None:
        if len(payload) != frames.CODE_BYTES:
            raise ConnectionFailure(ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE of a wrong length")
        self._waste.window_update(self.sender.data_frames, self.now)
        size = int.from_bytes(payload, "big") & frames.WINDOW_MAX
        if not stream_id:
            if not size:
                raise protocol_error("WINDOW_UPDATE of nothing")
            self.sender.open_window(size)
            if self.sender.waiting:
                self.flush()
            return
        if not self._require_known(stream_id):
            return
        if not size:
            raise StreamFailure(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE of nothing")
        stream = self.streams[stream_id]
        self.sender.open_stream_window(stream, size)
        if stream.pending is not None:
            self.flush()

    def _read_reset(self, stream_id: int, payload: bytes) -> None:
        if len(payload) != frames.CODE_BYTES:
            raise ConnectionFailure(ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM of a wrong length")
        if self._require_known(stream_id):
            stream = self.streams[stream_id]
            self._forget(stream, reset=False)
            stream.on_reset(int.from_bytes(payload, "big"), BY_PEER)
            if stream.head_sent:
                return  # whoever waited for the answer's start did not waste our time
        self._waste.reset(self.now)

    def _require_known(self, stream_id: int) -> bool:
        """Tell whether the stream is there; one that is gone may still be spoken of."""
        if stream_id in self.streams:
            return True
        if not stream_id or self._is_idle(stream_id):
            raise protocol_error("WINDOW_UPDATE or RST_STREAM of an idle stream")
        return False

    def _read_priority(self, stream_id: int, payload: bytes) -> None:
        if not stream_id:
            raise protocol_error("PRIORITY without a stream")
        self._waste.priority(self.last_id, self.now)
        if len(payload) != frames.PRIORITY_BYTES:
            raise StreamFailure(ErrorCode.FRAME_SIZE_ERROR, "PRIORITY of a wrong length")
        if frames.depends_on(payload) == stream_id:
            raise StreamFailure(ErrorCode.PROTOCOL_ERROR, "a stream that depends on itself")

    def _read_unknown(self) -> None:
        self._waste.priority(self.last_id, self.now)

    def _read_settings(self, flags: int, payload: bytes) -> None:
        self._waste.settings(self.now)
        if flags & frames.ACK:
            if payload:
                raise ConnectionFailure(ErrorCode.FRAME_SIZE_ERROR, "an ACK with settings")
            self.settings_acked = True
            self._decoder.limit = self.settings.header_table_bytes_max
            return
        for identifier, value in frames.read_settings(payload):
            self._apply_setting(identifier, value)
        self.sender.control(frames.SETTINGS_ACK)

    def _apply_setting(self, identifier: int, value: int) -> None:
        if identifier == frames.INITIAL_WINDOW_SIZE:
            self.sender.set_initial_window(value, list(self.streams.values()))
            self.flush()
        elif identifier == frames.MAX_FRAME_SIZE:
            if not frames.DEFAULT_FRAME_BYTES <= value <= frames.FRAME_BYTES_LIMIT:
                raise protocol_error("a frame size out of its range")
            self.sender.set_frame_bytes_max(value)
        elif identifier == frames.MAX_CONCURRENT_STREAMS:
            self.peer_streams_max = value
        elif identifier == frames.ENABLE_PUSH and value > 1:
            raise protocol_error("a push setting that is neither 0 nor 1")

    def _read_ping(self, flags: int, payload: bytes) -> None:
        if len(payload) != frames.PING_BYTES:
            raise ConnectionFailure(ErrorCode.FRAME_SIZE_ERROR, "PING of a wrong length")
        self._waste.ping(self.sender.data_frames, self.now)
        if not flags & frames.ACK:
            self.sender.control(frames.ping(payload, ack=True))
        elif payload == ALIVE_PING:
            self.ping_sent_at = -1.0
        elif payload == DRAIN_PING:
            self._on_drain_ping()

    def ask_alive(self) -> None:
        """Send a PING; `ping_sent_at` is when, until it is answered."""
        self.ping_sent_at = self.now
        self.sender.control(frames.ping(ALIVE_PING, ack=False))

    def _on_drain_ping(self) -> None:
        """The peer has seen the GOAWAY before it."""

    def _on_goaway(self, last_id: int) -> None:
        """The peer opens no more streams, or took none beyond `last_id`."""
