"""Both roles of an HTTP/2 connection without a socket: bytes by hand in, frames by another's hand
out (hyperframe and hpack read what the core wrote), and streams that note what they are told.
"""

from __future__ import annotations

from typing import Any

from hpack import Decoder
from hyperframe.frame import Frame

from gateway.errors import GatewayError
from gateway.http1.request import RequestHead
from gateway.http1.response import ResponseHead
from gateway.http2 import frames
from gateway.http2.client import ClientConnection
from gateway.http2.errors import ErrorCode
from gateway.http2.fields import read_request_field, read_response_field
from gateway.http2.heads import request_block, response_block
from gateway.http2.hpack import Encoder, KnownFields, encode_field
from gateway.http2.server import ServerConnection
from gateway.http2.stream import Stream
from gateway.settings import Http2Settings

START = frames.PREFACE + frames.settings_frame([])
REQUEST = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/"),
    (b":authority", b"hello.example.com"),
)
POST = ((b":method", b"POST"), *REQUEST[1:])
ANSWER = ((b":status", b"200"),)

Fields = tuple[tuple[bytes, bytes], ...]


def block(*fields: tuple[bytes, bytes]) -> bytes:
    """Return a header block of literals and static entries."""
    return b"".join(encode_field(*field) for field in fields)


def headers(stream_id: int, *fields: tuple[bytes, bytes], ended: bool = True) -> bytes:
    flags = frames.END_HEADERS | (frames.END_STREAM if ended else 0)
    return frames.frame(frames.HEADERS, flags, stream_id, block(*fields))


def data(stream_id: int, body: bytes = b"", *, ended: bool = True) -> bytes:
    return frames.frame(frames.DATA, frames.END_STREAM if ended else 0, stream_id, body)


class Noting(Stream):
    """A stream that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.head: RequestHead | ResponseHead | None = None
        self.body = b""
        self.trailers: bytes | None = None
        self.ended = False
        self.code: ErrorCode | None = None

    def on_request(self, head: RequestHead, ended: bool) -> None:
        self.head, self.ended = head, ended
        self.told.append(("request", head.method, head.target, head.host, ended))

    def on_refused(self, error: GatewayError) -> None:
        self.told.append(("refused", error.status))

    def on_interim(self, head: ResponseHead) -> None:
        self.told.append(("interim", head.status))

    def on_response(self, head: ResponseHead, ended: bool) -> None:
        self.head, self.ended = head, ended
        self.told.append(("response", head.status, ended))

    def on_data(self, data: bytes, ended: bool) -> None:
        self.body += data
        self.ended = ended
        self.told.append(("data", data, ended))

    def on_trailers(self, lines: bytes) -> None:
        self.trailers, self.ended = lines, True
        self.told.append(("trailers", lines))

    def on_reset(self, code: int, detail: str) -> None:  # noqa: ARG002
        self.code = ErrorCode(code) if code in set(ErrorCode) else ErrorCode.INTERNAL_ERROR
        self.told.append(("reset", code))

    def on_full(self) -> None:
        self.told.append(("full",))

    def on_writable(self) -> None:
        self.told.append(("writable",))


class Side:
    """What both roles under test have in common."""

    connection: ServerConnection | ClientConnection

    def __init__(self) -> None:
        self.now = 1000.0
        self.written = b""
        self._read = 0
        self._decoder = Decoder(max_header_list_size=1 << 20)
        self.encoder = Encoder()

    def feed(self, *pieces: bytes) -> list[str]:
        """Let the peer send these bytes; return what is written because of them."""
        for piece in pieces:
            self.connection.receive(piece, self.now)
        return self.frames()

    def frames(self) -> list[str]:
        """Return the frames written since the last call, each as a short text."""
        self.written += self.connection.sender.take()
        texts = []
        while len(self.written) - self._read >= frames.HEADER_BYTES:
            at = self._read + frames.HEADER_BYTES
            frame, length = Frame.parse_frame_header(memoryview(self.written[self._read : at]))
            frame.parse_body(memoryview(self.written[at : at + length]))
            self._read = at + length
            texts.append(self._text(frame))
        assert self._read == len(self.written), "whole frames are written"
        return texts

    def _text(self, frame: Any) -> str:
        name = type(frame).__name__.removesuffix("Frame")
        ended = " END" if "END_STREAM" in frame.flags else ""
        match name:
            case "Headers":
                fields = self._decoder.decode(bytes(frame.data), raw=True)
                said = " ".join(f"{key.decode()}={value.decode()}" for key, value in fields)
                return f"HEADERS {frame.stream_id} {said}{ended}"
            case "Data":
                return f"DATA {frame.stream_id} {len(frame.data)}{ended}"
            case "RstStream":
                return f"RST {frame.stream_id} {ErrorCode(frame.error_code).name}"
            case "GoAway":
                return f"GOAWAY {frame.last_stream_id} {ErrorCode(frame.error_code).name}"
            case "WindowUpdate":
                return f"WINDOW {frame.stream_id} {frame.window_increment}"
            case _:
                return name.upper() + (" ACK" if "ACK" in frame.flags else "")


class Serving(Side):
    """The server's role, with a client's bytes by hand."""

    def __init__(self, *, answers: bool = False, **settings: float) -> None:
        super().__init__()
        self.streams: list[Noting] = []
        self.connection: ServerConnection = ServerConnection(
            Http2Settings(**settings),  # type: ignore[arg-type]
            KnownFields(read_request_field),
            self._accept,
            16 * 1024,
            self.now,
        )
        self._answers = answers
        self.written = self.connection.sender.take()
        self._read = len(self.written)

    def _accept(self) -> Noting:
        stream = Answering(self) if self._answers else Noting()
        self.streams.append(stream)
        return stream

    def start(self, *values: tuple[int, int]) -> Serving:
        """Let the client begin with these settings, and acknowledge ours."""
        self.feed(frames.PREFACE, frames.settings_frame(list(values)), frames.SETTINGS_ACK)
        return self

    def answer(self, stream: Stream, body: bytes = b"hello") -> None:
        head = ResponseHead(200, b"OK", [], keep_alive=True)
        self.connection.send_head(stream, response_block(self.encoder, head, b""), ended=False)
        self.connection.send_data(stream, body, ended=True)


class Answering(Noting):
    """A stream that says hello when its request is whole."""

    def __init__(self, side: Serving) -> None:
        super().__init__()
        self._side = side

    def on_request(self, head: RequestHead, ended: bool) -> None:
        super().on_request(head, ended)
        self._answer()

    def on_data(self, data: bytes, ended: bool) -> None:
        super().on_data(data, ended)
        self._answer()

    def on_trailers(self, lines: bytes) -> None:
        super().on_trailers(lines)
        self._answer()

    def _answer(self) -> None:
        if self.ended:
            head = isinstance(self.head, RequestHead) and self.head.method == b"HEAD"
            self._side.answer(self, b"" if head else b"hello")


class Asking(Side):
    """The client's role, with a server's bytes by hand."""

    def __init__(self, **settings: float) -> None:
        super().__init__()
        self.connection: ClientConnection = ClientConnection(
            Http2Settings(**settings),  # type: ignore[arg-type]
            KnownFields(read_response_field),
            self.now,
        )
        self.written = self.connection.sender.take()
        self._read = len(self.written)

    def start(self, *values: tuple[int, int]) -> Asking:
        self.feed(frames.settings_frame(list(values)), frames.SETTINGS_ACK)
        return self

    def ask(self, method: bytes = b"GET", *, ended: bool = True) -> Noting:
        """Open a stream with a request."""
        stream = Noting()
        stream.bodiless = method == b"HEAD"
        head = request_block(self.encoder, method, b"/", b"hello.example.com")
        self.connection.open(stream, head, ended=ended)
        return stream
