"""A streamed answer is read the same however its bytes are cut, and goes on after a timeout."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.access.errors import ApiRefused
from simulator.access.streaming import ChunkedBody, StreamBroken, StreamedAnswer
from simulator.access.watch import Watch

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LATE = TimeoutError()


class Script:
    """A peer whose `recv` gives what the test says, in that order; an exception is raised."""

    def __init__(self, parts: Sequence[bytes | Exception]) -> None:
        self._parts = list(parts)
        self.is_closed = False

    def recv(self, count: int, /) -> bytes:
        part = self._parts.pop(0) if self._parts else b""
        if isinstance(part, Exception):
            raise part
        assert len(part) <= count
        return part

    def settimeout(self, seconds: float | None, /) -> None:
        assert seconds is None or seconds > 0

    def close(self) -> None:
        self.is_closed = True


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def lines_of(answer: StreamedAnswer) -> list[bytes]:
    lines = []
    while (line := answer.read_line(1.0, 1000)) is not None:
        lines.append(line)
    return lines


def test_lines_are_whole_wherever_the_bytes_are_cut() -> None:
    raw = CHUNKED + chunked(b'{"a":1}\n{"b"', b":2}\nc", b"\n")
    for first in range(1, len(raw)):
        for second in range(first + 1, len(raw)):
            parts = [raw[:first], raw[first:second], raw[second:]]
            answer = StreamedAnswer(Script(parts), 1.0)
            assert lines_of(answer) == [b'{"a":1}', b'{"b":2}', b"c"], (first, second)


def test_a_timeout_loses_nothing() -> None:
    raw = CHUNKED + chunked(b"one\ntwo\n")
    cut = raw.index(b"tw") + 1
    answer = StreamedAnswer(Script([raw[:cut], LATE, LATE, raw[cut:]]), 1.0)
    assert answer.read_line(1.0, 100) == b"one"
    for _ in range(2):
        with pytest.raises(TimeoutError):
            answer.read_line(1.0, 100)
    assert answer.read_line(1.0, 100) == b"two"
    assert answer.read_line(1.0, 100) is None


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", id="length"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc", id="until the connection ends"),
        pytest.param(CHUNKED + b"3;x=y\r\nabc\r\n0\r\n\r\n", b"abc", id="chunk extensions"),
        pytest.param(b"HTTP/1.1 204\r\nContent-Length: 0\r\n\r\n", b"", id="empty"),
    ],
)
def test_every_framing_is_read(raw: bytes, body: bytes) -> None:
    assert StreamedAnswer(Script([raw]), 1.0).read_all(1.0, 100) == body


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"SSH-2.0-x\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 OK\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000, id="an endless head"),
        pytest.param(CHUNKED + b"zz\r\n", id="no chunk size"),
        pytest.param(CHUNKED + b"1" * 2000, id="an endless chunk size"),
        pytest.param(CHUNKED + b"5\r\nab", id="cut off in a chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", id="cut off"),
    ],
)
def test_what_is_broken_is_told_as_such(raw: bytes) -> None:
    parts = [raw[at : at + 60_000] for at in range(0, len(raw), 60_000)]
    with pytest.raises(StreamBroken):
        StreamedAnswer(Script(parts), 1.0).read_all(1.0, 1000)


def test_a_line_has_a_bound() -> None:
    answer = StreamedAnswer(Script([CHUNKED + chunked(b"x" * 500)]), 1.0)
    with pytest.raises(StreamBroken):
        answer.read_line(1.0, 100)


@given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=6), size=st.integers(1, 9))
def test_the_chunked_coding_is_taken_off(chunks: list[bytes], size: int) -> None:
    raw = chunked(*chunks)
    body = ChunkedBody()
    got = b"".join(body.feed(raw[at : at + size]) for at in range(0, len(raw), size))
    assert got == b"".join(chunks)
    assert body.is_complete


def test_a_watch_yields_events_until_it_ends() -> None:
    raw = CHUNKED + chunked(b'{"type":"ADDED","object":{}}\n')
    with Watch(StreamedAnswer(Script([raw]), 1.0), float("inf"), 1000) as watch:
        assert [event["type"] for event in watch] == ["ADDED"]


def test_an_error_event_is_the_apis_refusal() -> None:
    raw = CHUNKED + chunked(b'{"type":"ERROR","object":{"code":410,"reason":"Expired"}}\n')
    watch = Watch(StreamedAnswer(Script([raw]), 1.0), float("inf"), 1000)
    with pytest.raises(ApiRefused) as caught:
        next(iter(watch))
    assert (caught.value.code, caught.value.reason) == (410, "Expired")


def test_a_watch_that_is_cut_off_just_ends() -> None:
    watch = Watch(StreamedAnswer(Script([CHUNKED + b"5\r\nab"]), 1.0), float("inf"), 1000)
    assert list(watch) == []
