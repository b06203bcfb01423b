"""What a hostile client costs at most: each attack ends, and honest clients never meet a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gateway.http2.frames import (
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PRIORITY,
    frame,
    rst_stream,
    settings_frame,
    window_update,
)
from tests.support.http2 import POST, REQUEST, Serving, block, data, headers

HEAD = block(*REQUEST)
OPEN = headers(1, *POST, ended=False)
WINDOW = (4, 2**30)  # the client's


def odd(count: int) -> Iterator[int]:
    return iter(range(1, 2 * count, 2))


def rapid_reset() -> list[bytes]:
    return [headers(each, *REQUEST) + rst_stream(each, 8) for each in odd(300)]


def made_you_reset(wrong: bytes) -> list[bytes]:
    """Streams that break a rule, so that the server resets them (CVE-2025-8671)."""
    return [
        headers(each, *REQUEST) + wrong.replace(b"\0\0\0\x01", each.to_bytes(4, "big"))
        for each in odd(300)
    ]


def too_many_streams() -> list[bytes]:
    return [headers(each, *REQUEST) for each in odd(500)]


def continuations(fragment: bytes) -> list[bytes]:
    start = frame(HEADERS, END_STREAM, 1, HEAD)
    return [start, *[frame(CONTINUATION, 0, 1, fragment)] * 2000]


ATTACKS: list[tuple[str, Callable[[], list[bytes]]]] = [
    ("rapid reset", rapid_reset),
    ("reset by a window of 0", lambda: made_you_reset(window_update(1, 0))),
    ("reset by a window too large", lambda: made_you_reset(window_update(1, 2**31 - 1))),
    ("reset by DATA after the end", lambda: made_you_reset(data(1, b"x"))),
    ("reset by a long PRIORITY", lambda: made_you_reset(frame(PRIORITY, 0, 1, b"\xff" * 6))),
    ("reset by a malformed head", lambda: [headers(each, *POST[1:]) for each in odd(300)]),
    ("refused streams", too_many_streams),
    ("CONTINUATION flood", lambda: continuations(block((b"a", b"b" * 4000)))),
    ("empty CONTINUATIONs", lambda: continuations(b"")),
    ("SETTINGS flood", lambda: [settings_frame([])] * 3000),
    ("SETTINGS ACK flood", lambda: [frame(4, 1, 0, b"")] * 3000),
    ("PING flood", lambda: [frame(PING, 0, 0, b"x" * 8)] * 3000),
    ("PING ACK flood", lambda: [frame(PING, 1, 0, b"x" * 8)] * 3000),
    ("PRIORITY flood", lambda: [frame(PRIORITY, 0, 1, b"\0\0\0\x03\0")] * 3000),
    ("WINDOW_UPDATE flood", lambda: [window_update(0, 1)] * 3000),
    ("RST_STREAM flood", lambda: [headers(1, *REQUEST), *[rst_stream(1, 8)] * 3000]),
    ("empty DATA", lambda: [headers(1, *POST, ended=False), *[data(1, ended=False)] * 3000]),
    (
        "DATA of a byte",
        lambda: [headers(1, *POST, ended=False), *[data(1, b"x", ended=False)] * 3000],
    ),
    ("frames of unknown types", lambda: [frame(0xFA, 0, 0, b"")] * 3000),
]


@pytest.mark.parametrize("attack", [pytest.param(case, id=name) for name, case in ATTACKS])
def test_an_attack_ends_the_connection_and_all_its_requests(
    attack: Callable[[], list[bytes]],
) -> None:
    side = Serving().start(WINDOW)
    frames = side.feed(*attack())
    assert frames[-1].endswith("ENHANCE_YOUR_CALM")
    assert frames[-1].startswith("GOAWAY")
    assert all(stream.told[-1][0] == "reset" for stream in side.streams)
    assert len(side.written) < 64 * 1024


def test_a_small_block_that_decodes_to_much_is_refused_by_what_it_decodes_to() -> None:
    side = Serving().start()
    bomb = block(*REQUEST) + b"\x40\x01a" + b"\x7f\xa1\x1e" + b"x" * 4000 + b"\xbe" * 12_000
    side.feed(frame(HEADERS, END_HEADERS | END_STREAM, 1, bomb))
    assert side.streams[0].told == [("refused", 431)]
    side.feed(frame(HEADERS, END_HEADERS | END_STREAM, 3, HEAD + b"\xbe"))
    assert side.streams[1].told[0][0] == "request", "the table is as the client believes"


def in_pieces(stream_id: int, whole: bytes) -> list[bytes]:
    """Return a header block, which ends its stream, as HEADERS and CONTINUATIONs."""
    pieces = [whole[start : start + 16_000] for start in range(0, len(whole), 16_000)]
    last = len(pieces) - 1
    kinds = [(HEADERS, END_STREAM), *[(CONTINUATION, 0)] * last]
    return [
        frame(kind, flags | (END_HEADERS if place == last else 0), stream_id, piece)
        for place, ((kind, flags), piece) in enumerate(zip(kinds, pieces, strict=True))
    ]


TOO_LONG = [
    pytest.param(block((b"x-big", b"v" * 70_000)), id="one value"),
    pytest.param(block(*[(b"x-%d" % each, b"v" * 400) for each in range(170)]), id="many"),
    pytest.param(b"\x40\x05x-big\x7f\xf1\xa1\x04" + b"v" * 70_000, id="a value for the table"),
]


@pytest.mark.parametrize("fields", TOO_LONG)
def test_a_head_that_is_too_long_ends_its_stream_alone(fields: bytes) -> None:
    side = Serving().start()
    side.feed(frame(HEADERS, END_HEADERS | END_STREAM, 1, HEAD + b"\x40\x01a\x01b"))
    side.feed(*in_pieces(3, HEAD + fields + b"\x40\x01c\x01d"))
    assert side.streams[1].told == [("refused", 431)]
    side.feed(frame(HEADERS, END_HEADERS | END_STREAM, 5, HEAD + b"\xbe"))
    head = side.streams[2].head
    assert head is not None
    assert head.lines == [b"c: d\r\n"], "the table is as the client believes"
    assert side.connection.failure is None


@pytest.mark.parametrize("fields", TOO_LONG)
def test_trailers_that_are_too_long_reset_their_stream_alone(fields: bytes) -> None:
    side = Serving().start()
    side.feed(headers(1, *POST, ended=False))
    assert side.feed(*in_pieces(1, fields)) == ["RST 1 ENHANCE_YOUR_CALM"]
    assert side.feed(*in_pieces(1, fields)) == [], "those were on their way"
    side.feed(headers(3, *REQUEST))
    assert side.streams[1].told[0][0] == "request"


def test_a_huge_head_is_cut_at_the_limit() -> None:
    side = Serving().start()
    piece = block((b"a", b"b" * 16_000))
    frames = side.feed(frame(HEADERS, 0, 1, HEAD), *[frame(CONTINUATION, 0, 1, piece)] * 9)
    assert frames == ["GOAWAY 0 ENHANCE_YOUR_CALM"]


@pytest.mark.parametrize("stream", ["the connection's", "the stream's"])
def test_more_than_a_window_is_an_error(stream: str) -> None:
    big = {"stream_window_bytes": 2**20} if stream == "the connection's" else {}
    side = Serving(connection_window_bytes=65_535, **big).start()
    whole = stream == "the connection's"
    if not whole:
        side = Serving(stream_window_bytes=65_535).start()
    side.feed(headers(1, *POST, ended=False))
    side.connection.pause(side.streams[0])
    frames = side.feed(*[data(1, b"x" * 16_384, ended=False)] * 5)
    said = ["GOAWAY 1 FLOW_CONTROL_ERROR"] if whole else ["RST 1 FLOW_CONTROL_ERROR"]
    assert frames == said
    assert len(side.streams[0].body) <= 65_535


def test_a_client_that_works_may_reset_ping_and_update_for_ever() -> None:
    """As gRPC does: cancelled calls among whole ones, and a PING for every message it gets."""
    side = Serving(answers=True).start(WINDOW)
    for count in range(2000):
        first, second = 4 * count + 1, 4 * count + 3
        side.feed(headers(first, *POST, ended=False), rst_stream(first, 8))
        side.feed(headers(second, *REQUEST))
        side.feed(frame(PING, 0, 0, b"x" * 8), window_update(0, 5))
    assert side.connection.failure is None


def test_a_client_that_resets_now_and_then_is_none() -> None:
    side = Serving().start()
    for each in odd(2000):
        side.now += 0.1
        side.feed(headers(each, *REQUEST), rst_stream(each, 8))
    assert side.connection.failure is None


def test_a_client_that_closes_all_its_streams_at_once_is_none() -> None:
    side = Serving().start()
    side.feed(*(headers(each, *REQUEST) for each in odd(100)))
    side.feed(*(rst_stream(each, 8) for each in odd(100)))
    assert side.connection.failure is None


def test_a_client_that_leaves_answers_that_have_begun_is_none() -> None:
    """As those who watch for a while do, in gRPC."""
    side = Serving().start()
    for each in odd(1000):
        side.feed(headers(each, *REQUEST))
        side.connection.send_head(side.streams[-1], block((b":status", b"200")), ended=False)
        side.feed(rst_stream(each, 8))
    assert side.connection.failure is None


def test_an_interim_answer_is_no_answer() -> None:
    side = Serving().start()
    for each in odd(300):
        side.feed(headers(each, *POST, (b"expect", b"100-continue"), ended=False))
        side.connection.send_interim(side.streams[-1], block((b":status", b"100")))
        side.feed(rst_stream(each, 8))
    assert side.connection.failure is not None


def test_a_client_that_speaks_of_priority_with_each_request_is_none() -> None:
    side = Serving(answers=True).start()
    for each in odd(1000):
        side.feed(frame(0x10, 0, 0, b"\0\0\0\x01u=3"), headers(each, *REQUEST))
        side.feed(frame(PRIORITY, 0, each, b"\0\0\0\0\x10"))
    assert side.connection.failure is None


def test_small_messages_are_no_waste() -> None:
    side = Serving().start()
    side.feed(headers(1, *POST, ended=False))
    side.feed(*[data(1, b"\0\0\0\0\0", ended=False)] * 5000)
    assert side.connection.failure is None


@pytest.mark.parametrize("answers", [1, 3])
def test_a_client_that_opens_no_window_holds_no_more_than_the_buffer(answers: int) -> None:
    side = Serving(stream_buffer_bytes_high=1000).start((4, 0))
    side.feed(headers(1, *REQUEST))
    stream = side.streams[0]
    head = block((b":status", b"200"))
    side.connection.send_head(stream, head, ended=False)
    for _ in range(answers):
        side.connection.send_data(stream, b"x" * 600, ended=False)
    assert [each for each in side.frames() if each.startswith("DATA")] == []
    assert (("full",) in stream.told) is (answers > 1), "then the source pauses"


def test_a_client_that_vanishes_within_a_head_is_noticed() -> None:
    side = Serving().start()
    side.feed(frame(HEADERS, END_STREAM, 1, HEAD))
    assert side.connection.block_since == side.now
    side.feed(frame(CONTINUATION, END_HEADERS, 1, b""))
    assert side.connection.block_since == -1.0
