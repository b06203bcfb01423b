"""Streams near the tables' rows, made by chance: read alike wherever cut, and written well.

What is understood goes up in a form that an independent strict parser understands alike.
"""

from __future__ import annotations

import h11
from hypothesis import given
from hypothesis import strategies as st

from gateway.forwarding import HeaderRules, forwarding_lines, request_head
from gateway.http1.head import REQUEST_KINDS, HeaderLines
from gateway.http1.repeated import RepeatedLines
from gateway.http1.request import read_request
from tests.conformance import responses_broken, responses_refused, responses_valid
from tests.conformance.http1_requests import REFUSED, VALID
from tests.support.http1_stream import SETTINGS, read_answers, read_requests

SEED_BYTES_MAX = 400
REQUESTS = [row.raw for row in (*REFUSED, *VALID) if len(row.raw) <= SEED_BYTES_MAX]
ANSWERS = [
    row.raw
    for row in (*responses_refused.ROWS, *responses_broken.ROWS, *responses_valid.ROWS)
    if len(row.raw) <= SEED_BYTES_MAX
]
# What makes the difference between two readings.
MEANINGFUL = [
    *(
        b"\r\n",
        b"\r",
        b"\n",
        b"\x00",
        b":",
        b" ",
        b"\t",
        b",",
        b";",
        b"=",
        b'"',
        b"#",
        b"%",
        b"0",
        b"\x80",
    ),
    *(
        b"\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\n",
        b"Host: a\r\n",
        b"chunked",
    ),
]


@st.composite
def near(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """Draw a row's bytes with a few edits."""
    raw = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(raw)))
        cut = draw(st.integers(0, 4))
        piece = draw(st.one_of(st.sampled_from(MEANINGFUL), st.binary(max_size=3)))
        raw = raw[:at] + piece + raw[at + cut :]
    return raw


@st.composite
def in_pieces(draw: st.DrawFn, seeds: list[bytes]) -> list[bytes]:
    """Draw a stream near a row, cut anywhere."""
    raw = draw(near(seeds))
    cuts = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=4)))
    return [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]


@given(in_pieces(REQUESTS))
def test_requests_are_read_alike_wherever_they_are_cut(pieces: list[bytes]) -> None:
    whole, error = read_requests([b"".join(pieces)])
    cut, error_of_cut = read_requests(pieces)
    assert cut == whole
    assert (error_of_cut is None) is (error is None)


@given(in_pieces(ANSWERS))
def test_answers_are_read_alike_wherever_they_are_cut(pieces: list[bytes]) -> None:
    whole, head, error = read_answers([b"".join(pieces)])
    cut, head_of_cut, error_of_cut = read_answers(pieces)
    assert (error_of_cut is None) is (error is None)
    if error is None:
        assert cut == whole
        assert (head is None) is (head_of_cut is None)


@given(near(REQUESTS))
def test_what_goes_up_is_one_request_to_another_parser(raw: bytes) -> None:
    requests, _ = read_requests([raw])
    if not requests or not requests[0].host:
        return  # HTTP/1.0 without a Host goes nowhere
    at = 0
    while raw[at : at + 2] == b"\r\n":
        at += 2
    request = read_request(
        raw[at : raw.index(b"\r\n\r\n", at)],
        HeaderLines(REQUEST_KINDS),
        SETTINGS,
        RepeatedLines(),
    )
    up = request_head(request, "127.0.0.1", forwarding_lines("127.0.0.1"), HeaderRules())
    other = h11.Connection(h11.SERVER)
    other.receive_data(up)
    event = other.next_event()
    assert isinstance(event, h11.Request)
    assert bytes(event.method) + b" " + bytes(event.target) == requests[0].start
    assert dict(event.headers)[b"host"] == requests[0].host
    assert up.count(b"\r\n\r\n") == 1
    assert up.count(b"\r") == up.count(b"\n") == up.count(b"\r\n")


@given(st.lists(near(REQUESTS), max_size=8))
def test_what_was_read_before_never_changes_what_is_read(streams: list[bytes]) -> None:
    remembering = HeaderLines(REQUEST_KINDS)
    for raw in streams:
        for _ in range(2):
            fresh, error = read_requests([raw])
            again, error_again = read_requests([raw], remembering)
            assert again == fresh
            assert type(error_again) is type(error)


@given(st.binary(max_size=100))
def test_an_answer_is_read_or_refused_never_worse(noise: bytes) -> None:
    for raw in (
        noise,
        b"HTTP/1.1 200 OK\r\n" + noise,
        b"HTTP/1.1 200 OK\r\nA: " + noise + b"\r\n\r\n",
    ):
        answers, head, _ = read_answers([raw])
        assert head is None or not any(b"\n" in line for each in answers for line in each.lines)
