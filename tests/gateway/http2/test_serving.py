"""What a server takes from a client: the valid cases of h2spec's generic part, and more."""

from __future__ import annotations

import pytest

from gateway.http1.request import RequestHead
from gateway.http2.frames import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    SETTINGS,
    WITH_PRIORITY,
    frame,
    rst_stream,
    settings_frame,
    window_update,
)
from tests.support.http2 import POST, REQUEST, START, Fields, Serving, block, data, headers

HEAD = block(*REQUEST)
WWW_EXAMPLE_COM = b"\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"  # RFC 7541 C.4.1
ANSWER = ["HEADERS 1 :status=200", "DATA 1 5 END"]
LONG = tuple((b"x-%d" % each, b"v" * 400) for each in range(40))

ACCEPTED = [
    ("a GET", headers(1, *REQUEST)),
    ("a HEAD", headers(1, (b":method", b"HEAD"), *REQUEST[1:])),
    ("a POST with a body", headers(1, *POST, ended=False) + data(1, b"test")),
    (
        "a body in several frames",
        headers(1, *POST, ended=False) + data(1, b"a", ended=False) + data(1),
    ),
    ("a body of a whole frame", headers(1, *POST, ended=False) + data(1, b"x" * 16_384)),
    ("an empty body", headers(1, *POST, ended=False) + data(1)),
    (
        "a body with its content-length",
        headers(1, *POST, (b"content-length", b"4"), ended=False) + data(1, b"test"),
    ),
    (
        "trailers",
        headers(1, *POST, ended=False) + data(1, b"x", ended=False) + headers(1, (b"a", b"b")),
    ),
    ("trailers alone", headers(1, *POST, ended=False) + headers(1, (b"a", b"b"))),
    (
        "an OPTIONS of everything",
        headers(1, (b":method", b"OPTIONS"), REQUEST[1], (b":path", b"*"), REQUEST[3]),
    ),
    (
        "padded DATA",
        headers(1, *POST, ended=False) + frame(DATA, END_STREAM | PADDED, 1, b"\x04test\0\0\0\0"),
    ),
    ("padded HEADERS", frame(HEADERS, 5 | PADDED, 1, b"\x02" + HEAD + b"\0\0")),
    ("HEADERS with a priority", frame(HEADERS, 5 | WITH_PRIORITY, 1, b"\0\0\0\0\xff" + HEAD)),
    (
        "both",
        frame(HEADERS, 5 | PADDED | WITH_PRIORITY, 1, b"\x01\0\0\0\0\xff" + HEAD + b"\0"),
    ),
    ("PRIORITY of an idle stream", frame(PRIORITY, 0, 1, b"\0\0\0\0\xff") + headers(1, *REQUEST)),
    ("PRIORITY of a higher stream", frame(PRIORITY, 0, 7, b"\0\0\0\0\xff") + headers(1, *REQUEST)),
    (
        "CONTINUATION",
        frame(HEADERS, END_STREAM, 1, HEAD) + frame(CONTINUATION, 4, 1, block((b"a", b"b"))),
    ),
    (
        "several CONTINUATIONs",
        frame(HEADERS, END_STREAM, 1, HEAD[:1])
        + frame(CONTINUATION, 0, 1, HEAD[1:3])
        + frame(CONTINUATION, 0, 1, b"")
        + frame(CONTINUATION, END_HEADERS, 1, HEAD[3:]),
    ),
    ("a frame of an unknown type", frame(0xFA, 0xFF, 0, b"x" * 8) + headers(1, *REQUEST)),
    ("a setting that is unknown", settings_frame([(0xFF, 1)]) + headers(1, *REQUEST)),
    ("several settings", settings_frame([(3, 100), (1, 128), (6, 0)]) + headers(1, *REQUEST)),
    ("a connection's window that grows", window_update(0, 1) + headers(1, *REQUEST)),
    ("GOAWAY", frame(GOAWAY, 0, 0, b"\0" * 8 + b"bye") + headers(1, *REQUEST)),
    ("te: trailers", headers(1, *REQUEST, (b"te", b"trailers"))),
    ("host like :authority", headers(1, *REQUEST, (b"host", b"Hello.Example.com"))),
    ("host alone", headers(1, *REQUEST[:3], (b"host", b"hello.example.com"))),
    ("an obs-text value", headers(1, *REQUEST, (b"x-test", "ü".encode()))),
    ("an empty value", headers(1, *REQUEST, (b"x-test", b""))),
    ("the scheme https", headers(1, REQUEST[0], (b":scheme", b"https"), *REQUEST[2:])),
    # RFC 7541.
    ("HPACK: an indexed field", frame(HEADERS, 5, 1, b"\x82\x86\x84" + block(REQUEST[3]))),
    ("HPACK: into the table", frame(HEADERS, 5, 1, b"\x82\x86\x84\x41\x01a")),
    ("HPACK: into the table, a new name", frame(HEADERS, 5, 1, HEAD + b"\x40\x01a\x01b")),
    ("HPACK: never to be indexed", frame(HEADERS, 5, 1, HEAD + b"\x10\x01a\x01b")),
    ("HPACK: from the table", frame(HEADERS, 5, 1, HEAD + b"\x40\x01a\x01b\xbe\xbe")),
    ("HPACK: a name of the table", frame(HEADERS, 5, 1, HEAD + b"\x40\x01a\x01b\x0f\x2f\x01c")),
    (
        "HPACK: Huffman",
        frame(
            HEADERS, 5, 1, b"\x82\x86\x84\x01\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"
        ),
    ),
    ("HPACK: a size update", frame(HEADERS, 5, 1, b"\x3f\x61" + HEAD)),
    ("HPACK: two size updates", frame(HEADERS, 5, 1, b"\x3f\x61\x3f\xe1\x1f" + HEAD)),
]


@pytest.mark.parametrize("sent", [pytest.param(case, id=name) for name, case in ACCEPTED])
def test_a_valid_request_is_served_wherever_its_bytes_are_cut(sent: bytes) -> None:
    side = Serving(answers=True).start()
    answer = [each for each in side.feed(sent) if each.split()[0] in {"HEADERS", "DATA", "RST"}]
    assert answer[0] == "HEADERS 1 :status=200"
    assert answer[1] in {"DATA 1 5 END", "DATA 1 0 END"}
    for cut in range(1, len(sent)) if len(sent) < 400 else (9, 10, len(sent) - 1):
        again = Serving(answers=True).start()
        again.feed(sent[:cut], sent[cut:])
        assert again.streams[0].told == side.streams[0].told
        assert again.written[-200:] == side.written[-200:]


def test_a_head_says_what_the_client_said() -> None:
    side = Serving().start()
    side.feed(
        headers(
            1,
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", b"/a?b=c"),
            (b":authority", b"hello.example.com:8080"),
            (b"cookie", b"a=1"),
            (b"x-test", b"one"),
            (b"te", b"trailers"),
            (b"content-length", b"3"),
            (b"expect", b"100-continue"),
            (b"x-forwarded-for", b"1.2.3.4"),
            (b"k-network-probe", b"probe"),
            (b"transfer_encoding", b"chunked"),
            (b"cookie", b"b=2"),
            (b"x-test", b"two"),
            ended=False,
        )
    )
    head = side.streams[0].head
    assert isinstance(head, RequestHead)
    assert (head.method, head.target, head.host) == (b"POST", b"/a?b=c", b"hello.example.com:8080")
    assert head.lines == [b"x-test: one\r\n", b"x-test: two\r\n", b"cookie: a=1; b=2\r\n"]
    assert (head.length, head.chunked) == (3, False)
    assert head.wants_trailers
    assert head.expects_continue
    assert head.forwarded_for == b"1.2.3.4"


@pytest.mark.parametrize(
    ("fields", "ended", "framing"),
    [
        pytest.param((), True, (-1, False), id="no body"),
        pytest.param((), False, (-1, True), id="a body of unknown length"),
        pytest.param(((b"content-length", b"0"),), True, (0, False), id="none, and it says so"),
        pytest.param(((b"content-length", b"0"),), False, (0, True), id="trailers may come"),
        pytest.param(((b"content-length", b"7"),), False, (7, False), id="a known length"),
    ],
)
def test_a_head_says_how_its_body_is_framed(
    fields: Fields, ended: bool, framing: tuple[int, bool]
) -> None:
    side = Serving().start()
    side.feed(headers(1, *POST, *fields, ended=ended))
    head = side.streams[0].head
    assert isinstance(head, RequestHead)
    assert (head.length, head.chunked) == framing


def test_trailers_keep_what_may_come_late() -> None:
    side = Serving().start()
    side.feed(headers(1, *POST, ended=False))
    side.feed(headers(1, (b"checksum", b"1"), (b"content-length", b"7"), (b"authorization", b"x")))
    assert side.streams[0].trailers == b"checksum: 1\r\n"


def test_settings_and_pings_are_answered_in_order() -> None:
    side = Serving()
    assert side.feed(START) == ["SETTINGS ACK"]
    sent = frame(PING, 0, 0, b"12345678") + settings_frame([]) + frame(PING, 1, 0, b"12345678")
    assert side.feed(sent) == ["PING ACK", "SETTINGS ACK"]
    assert b"12345678" in side.written


def test_our_settings_come_first() -> None:
    written = Serving().written
    assert written[3:9] == bytes((SETTINGS, 0, 0, 0, 0, 0))


def test_streams_are_served_in_any_order() -> None:
    side = Serving().start()
    side.feed(*(headers(each, *REQUEST) for each in (1, 3, 5)))
    side.answer(side.streams[2])
    side.answer(side.streams[0])
    assert [each for each in side.frames() if each.startswith("DATA")] == [
        "DATA 5 5 END",
        "DATA 1 5 END",
    ]


def test_an_early_answer_asks_the_client_to_stop_and_what_is_on_its_way_is_forgiven() -> None:
    side = Serving().start()
    side.feed(headers(1, *POST, ended=False), data(1, b"x" * 9, ended=False))
    side.answer(side.streams[0])
    assert side.frames() == [*ANSWER, "RST 1 NO_ERROR"]
    assert side.feed(data(1, b"late"), headers(3, *REQUEST)) == []
    assert side.streams[0].told[-1] == ("data", b"x" * 9, False)
    assert side.connection.failure is None


def test_a_reset_is_told_and_nothing_more_is_sent() -> None:
    side = Serving().start()
    side.feed(headers(1, *REQUEST), rst_stream(1, 8))
    assert side.streams[0].told[-1] == ("reset", 8)
    side.answer(side.streams[0])
    assert side.frames() == []
    assert not side.connection.streams


def test_a_reset_of_a_closed_stream_is_no_error() -> None:
    side = Serving(answers=True).start()
    side.feed(headers(1, *REQUEST))
    assert side.feed(rst_stream(1, 8), window_update(1, 10)) == []
    assert side.connection.failure is None


def test_draining_loses_no_request() -> None:
    side = Serving().start()
    side.feed(headers(1, *REQUEST))
    side.connection.drain()
    side.connection.drain()
    assert side.frames() == [f"GOAWAY {2**31 - 1} NO_ERROR", "PING"]
    assert side.feed(headers(3, *REQUEST)) == [], "it was on its way"
    assert side.feed(frame(PING, 1, 0, b"draining")) == ["GOAWAY 3 NO_ERROR"]
    assert side.feed(headers(5, *REQUEST)) == [], "it may be sent again elsewhere"
    assert len(side.streams) == 2
    assert not side.connection.is_drained
    side.answer(side.streams[0])
    side.answer(side.streams[1])
    assert side.connection.is_drained
