"""The client's role: what a server may say, what it may not, and what is lost when it goes away."""

from __future__ import annotations

import pytest

from gateway.http2.errors import ErrorCode
from gateway.http2.frames import (
    HEADERS,
    PING,
    PUSH_PROMISE,
    frame,
    goaway,
    rst_stream,
    settings_frame,
    window_update,
)
from tests.support.http2 import ANSWER, REQUEST, Asking, Fields, block, data, headers

OK = headers(1, *ANSWER, ended=False)


def test_a_request_is_written_and_its_answer_read() -> None:
    side = Asking().start()
    stream = side.ask()
    assert side.frames() == [
        "HEADERS 1 :method=GET :scheme=http :path=/ :authority=hello.example.com END"
    ]
    side.feed(OK, data(1, b"he", ended=False), data(1, b"llo"))
    assert stream.told == [("response", 200, False), ("data", b"he", False), ("data", b"llo", True)]
    assert not side.connection.streams


def test_interim_answers_trailers_and_an_answer_of_trailers_alone() -> None:
    side = Asking().start()
    stream, other = side.ask(), side.ask()
    side.feed(headers(1, (b":status", b"103"), ended=False), OK, data(1, b"x", ended=False))
    side.feed(headers(1, (b"grpc-status", b"0")), headers(3, *ANSWER, (b"grpc-status", b"12")))
    assert stream.told[0] == ("interim", 103)
    assert stream.told[-1] == ("trailers", b"grpc-status: 0\r\n")
    assert other.told == [("response", 200, True)]
    assert other.head is not None
    assert other.head.lines == [b"grpc-status: 12\r\n"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(headers(1, (b"a", b"b")), "PROTOCOL_ERROR", id="no :status"),
        pytest.param(headers(1, *ANSWER, *ANSWER), "PROTOCOL_ERROR", id="two :status"),
        pytest.param(headers(1, (b":status", b"20")), "PROTOCOL_ERROR", id="a short status"),
        pytest.param(headers(1, (b":status", b"+20")), "PROTOCOL_ERROR", id="no number"),
        pytest.param(headers(1, (b":status", b"101"), ended=False), "PROTOCOL_ERROR", id="101"),
        pytest.param(headers(1, (b":status", b"100")), "PROTOCOL_ERROR", id="a 1xx at the end"),
        pytest.param(headers(1, *REQUEST), "PROTOCOL_ERROR", id="a request's fields"),
        pytest.param(headers(1, *ANSWER, (b"a", b"b\r\nc: d")), "PROTOCOL_ERROR", id="CRLF"),
        pytest.param(
            headers(1, *ANSWER, (b"transfer-encoding", b"chunked")), "PROTOCOL_ERROR", id="chunked"
        ),
        pytest.param(
            headers(1, *ANSWER, (b"content-length", b"1")), "PROTOCOL_ERROR", id="no content"
        ),
        pytest.param(
            headers(1, *ANSWER, (b"content-length", b"1"), ended=False) + data(1, b"xx"),
            "PROTOCOL_ERROR",
            id="too much",
        ),
        pytest.param(
            headers(1, (b":status", b"204"), ended=False) + data(1, b"x"),
            "PROTOCOL_ERROR",
            id="a 204 with a body",
        ),
        pytest.param(data(1, b"x"), "PROTOCOL_ERROR", id="DATA before the head"),
        pytest.param(OK + headers(1, (b"a", b"b"), ended=False), "PROTOCOL_ERROR", id="two heads"),
        pytest.param(OK + headers(1, *ANSWER), "PROTOCOL_ERROR", id=":status in trailers"),
        pytest.param(
            headers(1, *ANSWER, *[(b"a", b"b")] * 100), "ENHANCE_YOUR_CALM", id="too many fields"
        ),
    ],
)
def test_a_malformed_answer_ends_the_stream_alone(answer: bytes, code: str) -> None:
    side = Asking().start()
    stream = side.ask(ended=False)
    side.frames()
    assert side.feed(answer) == [f"RST 1 {code}"]
    assert stream.code == ErrorCode[code]
    assert side.connection.can_open


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(frame(PUSH_PROMISE, 4, 1, b"\0\0\0\x02"), "PROTOCOL_ERROR", id="a push"),
        pytest.param(headers(3, *ANSWER), "PROTOCOL_ERROR", id="a stream nobody opened"),
        pytest.param(headers(2, *ANSWER), "PROTOCOL_ERROR", id="a server's stream"),
        pytest.param(frame(HEADERS, 5, 1, b"\x80"), "COMPRESSION_ERROR", id="HPACK"),
        pytest.param(headers(1, *ANSWER) + data(1, b"x"), "STREAM_CLOSED", id="after the end"),
        pytest.param(window_update(0, 2**31 - 1), "FLOW_CONTROL_ERROR", id="a window"),
    ],
)
def test_a_server_that_breaks_the_connections_rules_loses_all(sent: bytes, code: str) -> None:
    side = Asking().start()
    stream = side.ask()
    side.frames()
    frames = side.feed(sent)
    assert frames[-1] == f"GOAWAY 0 {code}"
    assert stream.told[-1][0] in {"reset", "response"}
    assert not side.connection.can_open


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(((b":status", b"200"), (b"content-length", b"5")), id="HEAD"),
        pytest.param(((b":status", b"304"), (b"content-length", b"5")), id="304"),
    ],
)
def test_a_length_without_a_body_is_right_where_there_is_none(answer: Fields) -> None:
    side = Asking().start()
    stream = side.ask(b"HEAD" if answer[0][1] == b"200" else b"GET")
    side.feed(headers(1, *answer, ended=False), data(1))
    assert stream.told == [("response", int(answer[0][1]), False), ("data", b"", True)]
    again = side.ask(b"HEAD")
    side.feed(headers(3, *answer))
    assert again.told == [("response", int(answer[0][1]), True)]


def test_goaway_gives_back_what_was_not_worked_on() -> None:
    side = Asking().start()
    streams = [side.ask() for _ in range(3)]
    side.feed(goaway(3, ErrorCode.NO_ERROR))
    assert [each.code for each in streams] == [None, None, ErrorCode.REFUSED_STREAM]
    assert not side.connection.can_open
    side.feed(headers(1, *ANSWER), headers(3, *ANSWER))
    assert not side.connection.streams


def test_a_server_says_how_many_streams_it_takes() -> None:
    side = Asking().start((3, 1))
    assert side.connection.can_open
    side.ask()
    assert not side.connection.can_open
    side.feed(settings_frame([(3, 2)]))
    assert side.connection.can_open
    side.feed(rst_stream(1, 7))
    assert side.connection.can_open


def test_a_reset_answer_is_told_with_its_code() -> None:
    side = Asking().start()
    stream = side.ask(ended=False)
    side.feed(OK, rst_stream(1, ErrorCode.CANCEL))
    assert stream.told[-1] == ("reset", ErrorCode.CANCEL)


def test_a_cancelled_request_tells_the_server_and_forgives_what_comes() -> None:
    side = Asking().start()
    stream = side.ask()
    side.frames()
    side.connection.reset(stream, ErrorCode.CANCEL)
    assert side.frames() == ["RST 1 CANCEL"]
    assert side.feed(OK, data(1, b"late")) == []
    assert stream.told == []
    assert side.connection.failure is None


def test_a_silent_server_is_asked_whether_it_is_there() -> None:
    side = Asking().start()
    side.connection.ask_alive()
    assert side.frames() == ["PING"]
    assert side.connection.ping_sent_at == side.now
    side.feed(frame(PING, 1, 0, b"alive???"))
    assert side.connection.ping_sent_at == -1.0


def test_a_head_ahead_of_the_servers_settings_is_no_error() -> None:
    side = Asking()
    stream = side.ask()
    side.start()
    side.feed(headers(1, *ANSWER, (b"a", b"b")), block())
    assert stream.ended
