"""Streams of HTTP/1.1 bytes, read by the gateway's pure readers as its connections read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gateway.errors import GatewayError, HeadTooLarge, TargetTooLong
from gateway.http1.body import Body
from gateway.http1.head import REQUEST_KINDS, RESPONSE_KINDS, HeaderLines
from gateway.http1.repeated import RepeatedLines
from gateway.http1.request import RequestHead, read_request
from gateway.http1.response import ResponseHead, read_response
from gateway.http1.start import after_empty_lines, check_answer_start, check_start
from gateway.settings import Settings

SETTINGS = Settings()


class Read(NamedTuple):
    """One message as it was understood; `whole` when its end was there."""

    start: bytes
    host: bytes
    body: bytes
    lines: tuple[bytes, ...]  # header lines and trailers, names in lower case, sorted
    whole: bool


class RequestStream:
    """What a client connection does with its bytes, without a connection."""

    def __init__(self, header_lines: HeaderLines | None = None) -> None:
        self._header_lines = header_lines or HeaderLines(REQUEST_KINDS)
        self._repeated = RepeatedLines()
        self._buffer = b""
        self._head: RequestHead | None = None
        self._body: Body | None = None
        self._decoded = b""
        self.requests: list[Read] = []
        self.closing = False

    def feed(self, data: bytes) -> None:
        """Read on. Raise the GatewayError that a client would be answered."""
        while data and not self.closing:
            if self._body is None:
                data = self._read_head(data)
            else:
                piece, data = self._body.feed(data)
                self._decoded += piece
                self._end_if_done()

    def _read_head(self, data: bytes) -> bytes:
        checked = len(self._buffer)
        data = self._buffer + data
        self._buffer = b""
        if data.startswith(b"\r\n"):
            data, checked = after_empty_lines(data), 0
        if not data:
            return b""
        end = data.find(b"\r\n\r\n")
        if end > SETTINGS.head_bytes_max or (end < 0 and len(data) > SETTINGS.head_bytes_max):
            line_end = data.find(b"\r\n", 0, SETTINGS.request_line_bytes_max)
            raise HeadTooLarge if line_end >= 0 else TargetTooLong
        if end < 0:
            check_start(data, checked)
            self._buffer = data
            return b""
        self._head = read_request(data[:end], self._header_lines, SETTINGS, self._repeated)
        self._body = self._head.body(SETTINGS)
        self._decoded = b""
        self._end_if_done()
        return data[end + 4 :]

    def _end_if_done(self) -> None:
        head, body = self._head, self._body
        if head is None or body is None or not body.done:
            return
        start = head.method + b" " + head.target
        lines = lowered([*head.lines, *body.trailers.splitlines(keepends=True)])
        self.requests.append(Read(start, head.host, self._decoded, lines, whole=True))
        self._head = self._body = None
        self.closing = not head.keep_alive


def read_requests(
    pieces: Iterable[bytes], header_lines: HeaderLines | None = None
) -> tuple[list[Read], GatewayError | None]:
    """Return the requests in these bytes, and why reading ended, if something was wrong."""
    stream = RequestStream(header_lines)
    try:
        for piece in pieces:
            stream.feed(piece)
    except GatewayError as error:
        return stream.requests, error
    return stream.requests, None


def read_answers(
    pieces: Iterable[bytes], method: bytes = b"GET"
) -> tuple[list[Read], ResponseHead | None, GatewayError | None]:
    """Return the answers to one request, the last head, and why reading ended, if it was wrong.

    Interim answers come first. The last is not whole when its end did not come.
    """
    answers: list[Read] = []
    head: ResponseHead | None = None
    body: Body | None = None
    buffer = decoded = rest = b""
    try:
        for piece in pieces:
            data = piece
            while data:
                if body is not None:
                    piece_of_body, after = body.feed(data) if not body.done else (b"", data)
                    decoded += piece_of_body
                    rest += after
                    break
                checked, data = len(buffer), buffer + data
                end = data.find(b"\r\n\r\n")
                if end > SETTINGS.head_bytes_max or (
                    end < 0 and len(data) > SETTINGS.head_bytes_max
                ):
                    raise HeadTooLarge
                if end < 0:
                    check_answer_start(data, checked)
                    buffer = data
                    break
                head = read_response(data[:end], HeaderLines(RESPONSE_KINDS), SETTINGS)
                buffer, data = b"", data[end + 4 :]
                if head.is_interim and head.status != 101:
                    answers.append(_answer(head, b"", b"", whole=True))
                    head = None
                else:
                    body = head.body(method, SETTINGS)
    except GatewayError as error:
        return answers, head, error
    if head is not None and body is not None:
        answers.append(_answer(head, decoded, body.trailers, whole=body.done))
        head.keep_alive = head.keep_alive and body.done and not rest
    return answers, head, None


def _answer(head: ResponseHead, body: bytes, trailers: bytes, *, whole: bool) -> Read:
    lines = lowered([*head.lines, *trailers.splitlines(keepends=True)])
    return Read(b"%d" % head.status, b"", body, lines, whole)


def lowered(lines: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return `name: value` of each line, names in lower case, sorted."""
    split = (line.removesuffix(b"\r\n").partition(b": ") for line in lines)
    return tuple(sorted(name.lower() + b": " + value for name, _, value in split))
