"""What RFC 9113 and RFC 7541 forbid a client, and how it is told: the cases of h2spec, and more."""

from __future__ import annotations

import pytest

from gateway.http2.errors import ErrorCode
from gateway.http2.frames import (
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
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    frame,
    rst_stream,
    settings_frame,
    window_update,
)
from tests.support.http2 import POST, REQUEST, Fields, Serving, block, data, headers

GET = headers(1, *REQUEST)
OPEN = headers(1, *POST, ended=False)
HEAD = block(*REQUEST)
CUT = frame(HEADERS, END_STREAM, 1, HEAD)  # goes on in CONTINUATION
ON_ITSELF = b"\x00\x00\x00\x01\xff"

CONNECTION_ERRORS = [
    # 3.4 and 4: the start, and the shape of frames.
    ("an unknown preface", b"INVALID CONNECTION PREFACE\r\n\r\n", "PROTOCOL_ERROR"),
    ("a preface that ends wrong", PREFACE[:-1] + b"x", "PROTOCOL_ERROR"),
    ("a start without SETTINGS", PREFACE + GET, "PROTOCOL_ERROR"),
    ("a start with an ACK", PREFACE + frame(SETTINGS, ACK, 0, b""), "PROTOCOL_ERROR"),
    ("DATA that is too long", OPEN + data(1, b"x" * 16_385), "FRAME_SIZE_ERROR"),
    ("HEADERS that are too long", frame(HEADERS, 5, 1, b"x" * 16_385), "FRAME_SIZE_ERROR"),
    # 4.3 and 6.10: header blocks.
    ("a block cut short", frame(HEADERS, 5, 1, b"\x40"), "COMPRESSION_ERROR"),
    ("PRIORITY inside a block", CUT + frame(PRIORITY, 0, 1, b"\0" * 5), "PROTOCOL_ERROR"),
    ("another stream inside a block", CUT + headers(3, *REQUEST), "PROTOCOL_ERROR"),
    ("an unknown frame inside a block", CUT + frame(0xFA, 0, 1, b""), "PROTOCOL_ERROR"),
    ("DATA inside a block", CUT + data(1, b"x"), "PROTOCOL_ERROR"),
    ("CONTINUATION of another stream", CUT + frame(CONTINUATION, 4, 3, b""), "PROTOCOL_ERROR"),
    ("CONTINUATION of no stream", CUT + frame(CONTINUATION, 4, 0, b""), "PROTOCOL_ERROR"),
    ("CONTINUATION of nothing", frame(CONTINUATION, 4, 1, HEAD), "PROTOCOL_ERROR"),
    ("CONTINUATION after a whole head", GET + frame(CONTINUATION, 4, 1, b""), "PROTOCOL_ERROR"),
    (
        "CONTINUATION after the last one",
        CUT + frame(CONTINUATION, 4, 1, b"") + frame(CONTINUATION, 4, 1, b""),
        "PROTOCOL_ERROR",
    ),
    ("CONTINUATION after DATA", OPEN + data(1) + frame(CONTINUATION, 4, 1, b""), "PROTOCOL_ERROR"),
    # 5.1: stream states.
    ("an even stream", headers(2, *REQUEST), "PROTOCOL_ERROR"),
    ("a stream below the newest", headers(5, *REQUEST) + headers(3, *REQUEST), "PROTOCOL_ERROR"),
    ("DATA of an idle stream", data(1, b"x"), "PROTOCOL_ERROR"),
    ("RST_STREAM of an idle stream", rst_stream(1, 8), "PROTOCOL_ERROR"),
    ("WINDOW_UPDATE of an idle stream", window_update(1, 100), "PROTOCOL_ERROR"),
    ("CONTINUATION of an idle stream", frame(CONTINUATION, 4, 1, HEAD), "PROTOCOL_ERROR"),
    ("DATA of a closed stream", GET + data(1, b"x"), "STREAM_CLOSED"),
    ("HEADERS of a closed stream", GET + GET, "STREAM_CLOSED"),
    ("DATA after RST_STREAM", OPEN + rst_stream(1, 8) + data(1, b"x"), "STREAM_CLOSED"),
    ("HEADERS after RST_STREAM", OPEN + rst_stream(1, 8) + GET, "STREAM_CLOSED"),
    # 6.1 to 6.4.
    ("DATA of no stream", data(0, b"x"), "PROTOCOL_ERROR"),
    ("DATA all padding", OPEN + frame(DATA, PADDED, 1, b"\x05four"), "PROTOCOL_ERROR"),
    ("DATA without its padding's length", OPEN + frame(DATA, PADDED, 1, b""), "FRAME_SIZE_ERROR"),
    ("HEADERS of no stream", headers(0, *REQUEST), "PROTOCOL_ERROR"),
    ("HEADERS all padding", frame(HEADERS, 5 | PADDED, 1, b"\xff" + HEAD), "PROTOCOL_ERROR"),
    ("HEADERS cut in priority", frame(HEADERS, 5 | WITH_PRIORITY, 1, b"\0"), "FRAME_SIZE_ERROR"),
    ("PRIORITY of no stream", frame(PRIORITY, 0, 0, b"\0" * 5), "PROTOCOL_ERROR"),
    ("a short PRIORITY of an idle stream", frame(PRIORITY, 0, 1, b"\0" * 4), "FRAME_SIZE_ERROR"),
    ("RST_STREAM of no stream", rst_stream(0, 8), "PROTOCOL_ERROR"),
    ("a short RST_STREAM", OPEN + frame(RST_STREAM, 0, 1, b"\0" * 3), "FRAME_SIZE_ERROR"),
    # 6.5: SETTINGS.
    ("an ACK with settings", frame(SETTINGS, ACK, 0, b"\0" * 6), "FRAME_SIZE_ERROR"),
    ("SETTINGS of a stream", frame(SETTINGS, 0, 1, b""), "PROTOCOL_ERROR"),
    ("SETTINGS of a wrong length", frame(SETTINGS, 0, 0, b"\0" * 3), "FRAME_SIZE_ERROR"),
    ("push neither 0 nor 1", settings_frame([(2, 2)]), "PROTOCOL_ERROR"),
    ("an initial window too large", settings_frame([(4, 2**31)]), "FLOW_CONTROL_ERROR"),
    ("a frame size too small", settings_frame([(5, 16_383)]), "PROTOCOL_ERROR"),
    ("a frame size too large", settings_frame([(5, 2**24)]), "PROTOCOL_ERROR"),
    # 6.6 to 6.8, and 8.4.
    ("PUSH_PROMISE", frame(PUSH_PROMISE, 4, 1, b"\0\0\0\x02" + HEAD), "PROTOCOL_ERROR"),
    ("PING of a stream", frame(PING, 0, 1, b"\0" * 8), "PROTOCOL_ERROR"),
    ("PING of a wrong length", frame(PING, 0, 0, b"\0" * 6), "FRAME_SIZE_ERROR"),
    ("GOAWAY of a stream", frame(GOAWAY, 0, 1, b"\0" * 8), "PROTOCOL_ERROR"),
    ("GOAWAY of a wrong length", frame(GOAWAY, 0, 0, b"\0" * 7), "FRAME_SIZE_ERROR"),
    # 6.9: windows.
    ("WINDOW_UPDATE of 0", window_update(0, 0), "PROTOCOL_ERROR"),
    ("a short WINDOW_UPDATE", frame(WINDOW_UPDATE, 0, 0, b"\0" * 3), "FRAME_SIZE_ERROR"),
    ("a window beyond 2^31-1", window_update(0, 2**31 - 1), "FLOW_CONTROL_ERROR"),
    (
        "a stream's window beyond 2^31-1 by SETTINGS",
        OPEN + window_update(1, 2**31 - 1 - 65_535) + settings_frame([(4, 65_536)]),
        "FLOW_CONTROL_ERROR",
    ),
    # RFC 7541.
    ("HPACK: index 0", frame(HEADERS, 5, 1, b"\x80"), "COMPRESSION_ERROR"),
    ("HPACK: an index nobody has", frame(HEADERS, 5, 1, b"\xc6"), "COMPRESSION_ERROR"),
    ("HPACK: a name nobody has", frame(HEADERS, 5, 1, b"\x7f\x07\x01a"), "COMPRESSION_ERROR"),
    ("HPACK: a size update at the end", frame(HEADERS, 5, 1, HEAD + b"\x21"), "COMPRESSION_ERROR"),
    ("HPACK: a table too large", frame(HEADERS, 5, 1, b"\x3f\xe2\x1f"), "COMPRESSION_ERROR"),
    ("HPACK: padding over 7 bits", frame(HEADERS, 5, 1, b"\x00\x82\x1f\xff"), "COMPRESSION_ERROR"),
    ("HPACK: padding of zeros", frame(HEADERS, 5, 1, b"\x00\x81\x18\x00"), "COMPRESSION_ERROR"),
    (
        "HPACK: EOS in a string",
        frame(HEADERS, 5, 1, b"\x00\x84\xff\xff\xff\xff\x00"),
        "COMPRESSION_ERROR",
    ),
    ("HPACK: an endless integer", frame(HEADERS, 5, 1, b"\xff" * 12), "COMPRESSION_ERROR"),
]


@pytest.mark.parametrize(
    ("sent", "code"), [pytest.param(*case, id=name) for name, *case in CONNECTION_ERRORS]
)
def test_a_client_that_breaks_the_connections_rules_gets_goaway(sent: bytes, code: str) -> None:
    side = Serving(answers=True)
    begins = sent.startswith((PREFACE[:5], b"INVALID"))
    frames = side.feed(sent) if begins else side.start().feed(sent)
    assert frames[-1].split()[::2] == ["GOAWAY", code]
    assert side.connection.failure is not None
    assert side.feed(GET) == [], "nothing more is read"
    assert not side.connection.streams


STREAM_ERRORS = [
    ("DATA after the end", GET.replace(b"\x01\x05", b"\x01\x05") + data(1, b"x"), "STREAM_CLOSED"),
    ("HEADERS after the end", GET + headers(1, *REQUEST), "STREAM_CLOSED"),
    ("WINDOW_UPDATE of 0", GET + window_update(1, 0), "PROTOCOL_ERROR"),
    ("a window beyond 2^31-1", GET + window_update(1, 2**31 - 1), "FLOW_CONTROL_ERROR"),
    ("PRIORITY of a wrong length", GET + frame(PRIORITY, 0, 1, b"\0" * 4), "FRAME_SIZE_ERROR"),
    ("PRIORITY on itself", GET + frame(PRIORITY, 0, 1, ON_ITSELF), "PROTOCOL_ERROR"),
    (
        "HEADERS that depend on themselves",
        frame(HEADERS, 5 | WITH_PRIORITY, 1, ON_ITSELF + HEAD),
        "PROTOCOL_ERROR",
    ),
    (
        "trailers that are not the end",
        OPEN + headers(1, (b"a", b"b"), ended=False),
        "PROTOCOL_ERROR",
    ),
    ("a pseudo-header field in trailers", OPEN + headers(1, *REQUEST), "PROTOCOL_ERROR"),
    ("trailers with an upper-case name", OPEN + headers(1, (b"A", b"b")), "PROTOCOL_ERROR"),
]


@pytest.mark.parametrize(
    ("sent", "code"), [pytest.param(*case, id=name) for name, *case in STREAM_ERRORS]
)
def test_a_client_that_breaks_a_streams_rules_loses_the_stream_alone(
    sent: bytes, code: str
) -> None:
    side = Serving().start()  # nobody answers, so that the stream is still there
    assert side.feed(sent) == [f"RST 1 {code}"]
    assert side.feed(headers(3, *REQUEST), data(1, b"late")) == [], "the next one is served"
    assert side.streams[-1].told[0][0] == "request"


def request(*fields: tuple[bytes, bytes], without: bytes = b"") -> Fields:
    """Return a GET with these fields more, and without that one."""
    return (*(each for each in REQUEST if each[0] != without), *fields)


def replaced(name: bytes, value: bytes) -> Fields:
    return tuple((each, value if each == name else was) for each, was in REQUEST)


MALFORMED = [
    ("an upper-case name", request((b"X-Test", b"a"))),
    ("an empty name", request((b"", b"a"))),
    ("a name with a space", request((b"x test", b"a"))),
    ("a name with a colon", request((b"x:test", b"a"))),
    ("an unknown pseudo-header field", (*REQUEST, (b":test", b"a"))),
    ("a response's pseudo-header field", (*REQUEST, (b":status", b"200"))),
    ("a pseudo-header field after a plain one", ((b"x-test", b"a"), *REQUEST)),
    ("a pseudo-header field after host", ((b"host", b"hello.example.com"), *REQUEST)),
    ("connection", request((b"connection", b"keep-alive"))),
    ("keep-alive", request((b"keep-alive", b"timeout=5"))),
    ("proxy-connection", request((b"proxy-connection", b"keep-alive"))),
    ("transfer-encoding", request((b"transfer-encoding", b"chunked"))),
    ("upgrade", request((b"upgrade", b"h2c"))),
    ("te with more than trailers", request((b"te", b"trailers, deflate;q=0.5"))),
    ("no :method", request(without=b":method")),
    ("no :scheme", request(without=b":scheme")),
    ("no :path", request(without=b":path")),
    ("two :method", ((b":method", b"GET"), *REQUEST)),
    ("two :scheme", ((b":scheme", b"http"), *REQUEST)),
    ("two :path", ((b":path", b"/"), *REQUEST)),
    ("two :authority", ((b":authority", b"hello.example.com"), *REQUEST)),
    ("an empty :path", replaced(b":path", b"")),
    ("a :path without its slash", replaced(b":path", b"index.html")),
    ("an absolute :path", replaced(b":path", b"http://hello.example.com/")),
    ("a space in :path", replaced(b":path", b"/a b")),
    ("CRLF in :path", replaced(b":path", b"/ HTTP/1.1\r\nhost: b\r\n\r\n")),
    ("a tab in :path", replaced(b":path", b"/\t")),
    ("a byte over 0x7f in :path", replaced(b":path", b"/\xff")),
    ("a fragment in :path", replaced(b":path", b"/#a")),
    ("* for a GET", replaced(b":path", b"*")),
    ("an empty :authority", replaced(b":authority", b"")),
    ("userinfo in :authority", replaced(b":authority", b"me@hello.example.com")),
    ("a slash in :authority", replaced(b":authority", b"hello.example.com/x")),
    ("a space in :method", replaced(b":method", b"GET /")),
    ("a malformed :scheme", replaced(b":scheme", b"http://")),
    ("a host other than :authority", request((b"host", b"other.example.com"))),
    ("two hosts", request(*[(b"host", b"hello.example.com")] * 2)),
    ("two hosts without :authority", request(*[(b"host", b"a")] * 2, without=b":authority")),
    ("CR in a value", request((b"x-test", b"a\rb"))),
    ("LF in a value", request((b"x-test", b"a\nb"))),
    ("CRLF in a value", request((b"x-test", b"a\r\nevil: 1"))),
    ("NUL in a value", request((b"x-test", b"a\x00b"))),
    ("a bell in a value", request((b"x-test", b"a\x07b"))),
    ("DEL in a value", request((b"x-test", b"a\x7fb"))),
    ("a space before a value", request((b"x-test", b" a"))),
    ("a tab after a value", request((b"x-test", b"a\t"))),
    ("LF in a cookie", request((b"cookie", b"a\nb"))),
    ("two content-lengths", request(*[(b"content-length", b"0")] * 2)),
    ("a listed content-length", request((b"content-length", b"0, 0"))),
    ("a content-length with a sign", request((b"content-length", b"+0"))),
    ("a content-length without a body", request((b"content-length", b"1"))),
]


@pytest.mark.parametrize("fields", [pytest.param(case, id=name) for name, case in MALFORMED])
@pytest.mark.parametrize("before", [0, 100], ids=["at first", "after many of that name"])
def test_a_malformed_request_reaches_nobody(fields: Fields, before: int) -> None:
    side = Serving().start()
    for count in range(before):
        side.feed(headers(1 + 2 * count, *REQUEST, (b"x-test", b"%d" % count)))
        side.connection.reset(side.streams[-1], ErrorCode.NO_ERROR)
    side.frames()
    stream_id = 1 + 2 * before
    assert side.feed(headers(stream_id, *fields)) == [f"RST {stream_id} PROTOCOL_ERROR"]
    assert len(side.streams) == before


@pytest.mark.parametrize(
    ("length", "bodies"),
    [
        pytest.param(b"1", [b"two"], id="too much"),
        pytest.param(b"1", [b"t", b"wo"], id="too much in two frames"),
        pytest.param(b"8", [b"less"], id="too little"),
        pytest.param(b"0", [b"x"], id="some where there is none"),
    ],
)
def test_a_body_that_is_not_its_content_length_ends_the_stream(
    length: bytes, bodies: list[bytes]
) -> None:
    side = Serving().start()
    side.feed(headers(1, *POST, (b"content-length", length), ended=False))
    frames = side.feed(*(data(1, each, ended=each is bodies[-1]) for each in bodies))
    assert frames == ["RST 1 PROTOCOL_ERROR"]
    assert side.streams[0].code == 1


def test_trailers_end_a_body_that_is_shorter_than_its_content_length_with_an_error() -> None:
    side = Serving().start()
    side.feed(headers(1, *POST, (b"content-length", b"9"), ended=False), data(1, b"x", ended=False))
    assert side.feed(headers(1, (b"a", b"b"))) == ["RST 1 PROTOCOL_ERROR"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param(
            ((b":method", b"CONNECT"), (b":authority", b"a:80")), 501, id="CONNECT is not served"
        ),
        pytest.param(replaced(b":path", b"/" + b"x" * 17_000), 414, id="a long path"),
        pytest.param(request((b"expect", b"tea")), 417, id="another expectation"),
        pytest.param(request(*[(b"a", b"b")] * 100), 431, id="too many fields"),
    ],
)
def test_a_request_beyond_a_limit_gets_an_answer_as_in_http1(fields: Fields, status: int) -> None:
    side = Serving().start()
    whole = block(*fields)
    pieces = [whole[at : at + 16_000] for at in range(0, len(whole), 16_000)]
    for place, piece in enumerate(pieces):
        kind = CONTINUATION if place else HEADERS
        flags = END_HEADERS if piece is pieces[-1] else 0
        side.feed(frame(kind, flags | (0 if place else END_STREAM), 1, piece))
    assert side.streams[0].told == [("refused", status)]
    assert side.connection.failure is None


def test_a_stream_beyond_the_limit_is_refused_and_may_be_sent_again() -> None:
    side = Serving(concurrent_streams_max=2).start()
    frames = side.feed(*(headers(each, *REQUEST) for each in (1, 3, 5)))
    assert frames == ["RST 5 REFUSED_STREAM"]
    assert len(side.streams) == 2
