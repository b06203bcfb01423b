"""A connection's memory of its heads saves time, and changes nothing of what they mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, HeadTooLarge
from gateway.http1.head import REQUEST_KINDS, HeaderLines
from gateway.http1.repeated import CHANGES_MAX, REPEATED_BYTES_MAX, RepeatedLines
from gateway.http1.request import read_request
from gateway.settings import Settings

SETTINGS = Settings()
FIRST = b"GET / HTTP/1.1"
BROWSER = [b"Host: a.example.com", b"User-Agent: one", b"Accept: */*", b"Connection: keep-alive"]

LINES = [
    *(b"Host: a.example.com", b"Host: b.example.com", b"host: a.example.com", b"Host: bad host"),
    *(
        b"A: 1",
        b"A: 12",
        b"a: 1",
        b"B: 2",
        b"Cookie: c",
        b"Cookie: d",
        b"Bad : name",
        b"",
        b" fold",
    ),
    *(b"Connection: keep-alive", b"Connection: close", b"Connection: A", b"TE: trailers"),
    *(
        b"Content-Length: 3",
        b"Content-Length: 4",
        b"Transfer-Encoding: chunked",
        b"Knary-Explain: 1",
    ),
    *(b"X-Forwarded-For: 10.0.0.1", b"Forwarded: for=x", b"Expect: 100-continue"),
    *(b"Upgrade: websocket", b"Connection: Upgrade"),
]
STARTS = [
    FIRST,
    b"GET /other HTTP/1.1",
    b"POST / HTTP/1.1",
    b"GET / HTTP/1.0",
    b"CONNECT a:1 HTTP/1.1",
]
STARTS += [b"GET http://c.example.com/ HTTP/1.1", b"OPTIONS * HTTP/1.1", b"nonsense"]


def meaning(head: bytes, repeated: RepeatedLines, lines: HeaderLines) -> Any:
    """Return all that a head was understood as, or why it was refused."""
    try:
        request = read_request(head, lines, SETTINGS, repeated)
    except GatewayError as error:
        return type(error), error.detail
    names = ("method", "target", "is_http11", "keep_alive", "length", "chunked", "host", "lines")
    more = ("expects_continue", "explain", "forwarded_for", "forwarded", "upgrade")
    return [getattr(request, name) for name in (*names, *more)]


def head(*lines: bytes, start: bytes = FIRST) -> bytes:
    return b"\r\n".join((start, *lines))


def common_or_not(count: int) -> st.SearchStrategy[list[list[bytes]]]:
    """Lists of lines that often begin like those before them."""
    beginning = st.lists(st.sampled_from(LINES), max_size=4)
    ends = st.lists(st.lists(st.sampled_from(LINES), max_size=2), min_size=1, max_size=count)
    one = st.tuples(beginning, ends).map(lambda pair: [[*pair[0], *end] for end in pair[1]])
    return st.lists(one, max_size=3).map(lambda parts: [lines for part in parts for lines in part])


@given(common_or_not(6), st.lists(st.sampled_from(STARTS), min_size=1))
def test_heads_mean_the_same_with_and_without_memory(
    heads: list[list[bytes]], starts: list[bytes]
) -> None:
    repeated, remembering = RepeatedLines(), HeaderLines(REQUEST_KINDS)
    for number, lines in enumerate(heads):
        raw = head(*lines, start=starts[number % len(starts)])
        alone = meaning(raw, RepeatedLines(), HeaderLines(REQUEST_KINDS))
        assert meaning(raw, repeated, remembering) == alone


def after(*heads: bytes) -> RepeatedLines:
    repeated, lines = RepeatedLines(), HeaderLines(REQUEST_KINDS)
    for each in heads:
        read_request(each, lines, SETTINGS, repeated)
    return repeated


def test_lines_that_come_again_are_known_one_by_one() -> None:
    raw = head(*BROWSER)
    assert [after(*[raw] * count).number for count in range(7)] == [0, 0, 1, 2, 3, 4, 4]


def test_a_line_that_changes_is_read_each_time() -> None:
    repeated = after(*(head(*BROWSER, b"Cookie: %d" % n) for n in range(20)))
    assert repeated.number == len(BROWSER)
    assert repeated.host == b"a.example.com"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(head(b"Host: other.example.com"), id="another line"),
        pytest.param(head(b"Host: a.example.com.au"), id="a line that only begins like it"),
        pytest.param(head(b"Host: a.example.co"), id="a line that it only begins like"),
        pytest.param(head(start=b"GET / HTTP/1.0"), id="no line at all"),
    ],
)
def test_another_beginning_ends_what_was_known(other: bytes) -> None:
    known = [head(*BROWSER)] * 8
    assert after(*known).number == 4
    assert after(*known, other).number == 0


def test_what_was_asked_by_a_repeated_line_is_asked_each_time() -> None:
    lines = HeaderLines(REQUEST_KINDS)
    repeated = RepeatedLines()
    for _ in range(9):
        request = read_request(head(*BROWSER, b"Knary-Explain: 1"), lines, SETTINGS, repeated)
        assert request.explain
    assert repeated.number == 5
    assert repeated.host == b""  # there is more to it than a host


def test_requests_share_nothing_that_one_may_change() -> None:
    raw = head(b"Host: a", b"A: 1", b"Connection: A")
    lines, repeated = HeaderLines(REQUEST_KINDS), RepeatedLines()
    for _ in range(9):
        assert read_request(raw, lines, SETTINGS, repeated).lines == []
    assert repeated.plain == [b"A: 1\r\n"]


def test_repeated_lines_count_among_the_headers() -> None:
    lines, repeated = HeaderLines(REQUEST_KINDS), RepeatedLines()
    few = [b"Host: a", *(b"A%d: 1" % n for n in range(SETTINGS.headers_max - 1))]
    for _ in range(9):
        read_request(head(*few), lines, SETTINGS, repeated)
    with pytest.raises(HeadTooLarge):
        read_request(head(*few, b"One: more"), lines, SETTINGS, repeated)


def test_what_is_remembered_is_bounded() -> None:
    repeated = after(*[head(b"Host: a", b"A: " + b"x" * REPEATED_BYTES_MAX)] * 9)
    assert repeated.number == 1


def test_a_connection_that_many_clients_share_is_given_up() -> None:
    one, other = head(b"Host: a"), head(b"Host: b")
    assert after(*[one, one, other, other] * CHANGES_MAX).number == 0
