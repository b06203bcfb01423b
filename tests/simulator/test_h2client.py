"""The client's half of HTTP/2, fed with transcripts of a server's bytes, cut everywhere."""

from __future__ import annotations

import struct

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.h2client import (
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    Data,
    Ended,
    Event,
    Head,
    Http2Client,
    Http2Error,
    Reset,
)
from tests.support.h2frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITISED,
    PRIORITY,
    PUSH,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    block,
    frame,
    frames,
    number,
)

REQUEST = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "x")]


def client(requests: int = 1, body: bytes = b"") -> Http2Client:
    """Return a client that has sent so many requests."""
    made = Http2Client()
    for _ in range(requests):
        made.request(REQUEST, body)
    made.taken()
    return made


OK = block((":status", "200"), ("x", "y"))
ANSWERS = [
    pytest.param(
        frame(HEADERS, END_HEADERS, 1, OK)
        + frame(DATA, 0, 1, b"hel")
        + frame(DATA, END_STREAM, 1, b"lo"),
        [Head(1, 200, {"x": "y"}), Data(1, b"hel"), Data(1, b"lo"), Ended(1)],
        id="head and body",
    ),
    pytest.param(
        frame(HEADERS, END_HEADERS | END_STREAM, 1, OK),
        [Head(1, 200, {"x": "y"}), Ended(1)],
        id="a head alone",
    ),
    pytest.param(
        frame(HEADERS, END_HEADERS, 1, OK)
        + frame(DATA, 0, 1, b"x")
        + frame(HEADERS, END_HEADERS | END_STREAM, 1, block(("grpc-status", "0"))),
        [Head(1, 200, {"x": "y"}), Data(1, b"x"), Head(1, 0, {"grpc-status": "0"}), Ended(1)],
        id="trailers",
    ),
    pytest.param(
        frame(HEADERS, END_STREAM, 1, OK[:1])
        + frame(CONTINUATION, 0, 1, OK[1:3])
        + frame(CONTINUATION, END_HEADERS, 1, OK[3:]),
        [Head(1, 200, {"x": "y"}), Ended(1)],
        id="a head in three pieces",
    ),
    pytest.param(
        frame(HEADERS, END_HEADERS | PADDED | PRIORITISED, 1, b"\2" + b"\0" * 5 + OK + b"\0\0")
        + frame(DATA, END_STREAM | PADDED, 1, b"\1x\0"),
        [Head(1, 200, {"x": "y"}), Data(1, b"x"), Ended(1)],
        id="padding and priority",
    ),
    pytest.param(
        frame(HEADERS, END_HEADERS, 1, block((":status", "103")))
        + frame(HEADERS, END_HEADERS | END_STREAM, 1, OK),
        [Head(1, 200, {"x": "y"}), Ended(1)],
        id="an interim answer is not told",
    ),
    pytest.param(
        frame(RST_STREAM, 0, 1, number(8)), [Reset(1, refused=False)], id="reset: cancelled"
    ),
    pytest.param(frame(RST_STREAM, 0, 1, number(7)), [Reset(1, refused=True)], id="reset: refused"),
    pytest.param(
        frame(GOAWAY, 0, 0, number(0) + number(0) + b"bye"),
        [Reset(1, refused=True)],
        id="the server leaves before it saw the request",
    ),
    pytest.param(
        frame(GOAWAY, 0, 0, number(1) + number(0))
        + frame(HEADERS, END_HEADERS | END_STREAM, 1, OK),
        [Head(1, 200, {"x": "y"}), Ended(1)],
        id="the server leaves and answers what it saw",
    ),
    pytest.param(
        frame(99, 255, 0, b"?") + frame(PRIORITY, 0, 1, b"\0" * 5) + frame(SETTINGS, 0, 0),
        [],
        id="what says nothing to us",
    ),
    pytest.param(
        frame(HEADERS, END_HEADERS, 9, OK) + frame(DATA, END_STREAM, 9, b"x"),
        [],
        id="a stream that is no longer ours",
    ),
]


@pytest.mark.parametrize(("raw", "events"), ANSWERS)
def test_an_answer_is_told_wherever_its_bytes_are_cut(raw: bytes, events: list[Event]) -> None:
    for cut in range(len(raw)):
        one = client()
        assert one.feed(raw[:cut]) + one.feed(raw[cut:]) == events


def test_a_connection_begins_with_the_preface_and_the_settings() -> None:
    sent = Http2Client().taken()
    assert sent.startswith(PREFACE)
    settings, window = frames(sent[len(PREFACE) :])
    assert settings[:3] == (SETTINGS, 0, 0)
    assert window[0] == WINDOW_UPDATE


@pytest.mark.parametrize("body", [b"", b"message"])
def test_a_request_is_one_head_and_one_body(body: bytes) -> None:
    one = client(0)
    assert one.request(REQUEST, body) == 1
    assert one.request(REQUEST, body) == 3
    sent = frames(one.taken())
    per_request = 2 if body else 1
    assert len(sent) == 2 * per_request
    decoder = hpack.Decoder()
    for kind, flags, _, payload in sent:
        if kind == HEADERS:
            assert flags == END_HEADERS | (0 if body else END_STREAM)
            assert decoder.decode(payload) == REQUEST
        else:
            assert (kind, flags, payload) == (DATA, END_STREAM, body)


def test_pings_and_settings_are_answered() -> None:
    one = client()
    one.feed(frame(PING, 0, 0, b"12345678") + frame(PING, ACK, 0, b"12345678"))
    one.feed(frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0))
    assert frames(one.taken()) == [(PING, ACK, 0, b"12345678"), (SETTINGS, ACK, 0, b"")]


def test_there_is_room_for_as_many_streams_as_the_server_takes() -> None:
    one = client(2)
    assert one.has_room(0)
    one.feed(frame(SETTINGS, 0, 0, struct.pack(">HI", 3, 2)))
    assert not one.has_room(0)
    one.feed(frame(HEADERS, END_HEADERS | END_STREAM, 1, OK))
    assert one.has_room(0)
    one.feed(frame(GOAWAY, 0, 0, number(3) + number(0)))
    assert one.is_going
    assert not one.has_room(0)


def test_there_is_room_for_a_body_that_fits_the_servers_windows() -> None:
    one = client(4, bytes(BODY_BYTES_MAX - 1))
    assert one.has_room(3)
    assert not one.has_room(4)
    one.feed(frame(WINDOW_UPDATE, 0, 0, number(100_000)))
    assert one.has_room(BODY_BYTES_MAX)
    assert not one.has_room(BODY_BYTES_MAX + 1)
    one.feed(frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 10)))
    assert one.has_room(10)
    assert not one.has_room(11)


def test_what_was_received_is_given_back_to_the_windows() -> None:
    one = client()
    one.feed(frame(HEADERS, END_HEADERS, 1, OK))
    total = 0
    returned = {0: 0, 1: 0}
    for _ in range(200):
        one.feed(frame(DATA, 0, 1, bytes(BODY_BYTES_MAX)))
        total += BODY_BYTES_MAX
        for kind, _, stream, payload in frames(one.taken()):
            assert kind == WINDOW_UPDATE
            returned[stream] += int.from_bytes(payload, "big")
    assert returned[1] == total
    assert total - returned[0] < 1024 * 1024


def test_a_cancelled_stream_is_reset_and_tells_nothing_more() -> None:
    one = client()
    one.cancel(1)
    one.cancel(1)
    assert frames(one.taken()) == [(RST_STREAM, 0, 1, number(8))]
    assert one.feed(frame(HEADERS, END_HEADERS, 1, OK) + frame(DATA, 1, 1, b"x")) == []


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="HTTP/1.1"),
        pytest.param(frame(DATA, 0, 1, b"x"), id="a body before its head"),
        pytest.param(frame(HEADERS, END_HEADERS, 1, block(("x", "y"))), id="no status"),
        pytest.param(frame(HEADERS, END_HEADERS, 1, block((":status", "²"))), id="no number"),
        pytest.param(frame(HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff"), id="no HPACK"),
        pytest.param(frame(HEADERS, 0, 1, b"") + frame(PING, 0, 0, bytes(8)), id="interrupted"),
        pytest.param(frame(CONTINUATION, 0, 1, b""), id="a continuation of nothing"),
        pytest.param(frame(PUSH, 4, 1, number(2)), id="a push"),
        pytest.param(frame(RST_STREAM, 0, 1, b"\0"), id="a short reset"),
        pytest.param(frame(GOAWAY, 0, 0, b""), id="a short goodbye"),
        pytest.param(frame(SETTINGS, 0, 0, b"\0"), id="a cut setting"),
        pytest.param(frame(HEADERS, PADDED, 1, b"\5abc"), id="more padding than frame"),
        pytest.param(
            frame(HEADERS, 0, 1, bytes(BODY_BYTES_MAX))
            + frame(CONTINUATION, 0, 1, bytes(BODY_BYTES_MAX)) * (HEAD_BYTES_MAX // BODY_BYTES_MAX),
            id="a head without end",
        ),
    ],
)
def test_what_is_no_http2_is_an_error(raw: bytes) -> None:
    with pytest.raises(Http2Error):
        client().feed(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    one = client()
    try:
        one.feed(raw)
    except Http2Error:
        return
    one.taken()
