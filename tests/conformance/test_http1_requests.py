"""The tables of requests, read by the pure readers, cut everywhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.errors import BadMessage, GatewayError
from gateway.http1.head import REQUEST_KINDS, HeaderLines
from tests.conformance.cases import Refused, Valid, get
from tests.conformance.http1_requests import REFUSED, VALID
from tests.support.http1_stream import RequestStream, read_requests

CUT_EVERYWHERE_BYTES_MAX = 400


def cuts(raw: bytes) -> Iterator[tuple[bytes, ...]]:
    """Yield the bytes whole, in two pieces in every way, and one by one (long ones in fewer)."""
    yield (raw,)
    step = 1 if len(raw) <= CUT_EVERYWHERE_BYTES_MAX else len(raw) // 7
    for cut in range(1, len(raw), step):
        yield raw[:cut], raw[cut:]
    size = 1 if len(raw) <= CUT_EVERYWHERE_BYTES_MAX else 1000
    yield tuple(raw[at : at + size] for at in range(0, len(raw), size))


def test_every_row_has_a_name_of_its_own() -> None:
    names = [row.id for row in (*REFUSED, *VALID)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.id)
def test_a_stream_is_refused_wherever_it_is_cut(row: Refused) -> None:
    for pieces in cuts(row.raw):
        requests, error = read_requests(pieces)
        assert requests == [], f"{row.why}: understood as {requests}, cut after {len(pieces[0])}"
        assert error is not None, f"{row.why}: waits for more, cut after {len(pieces[0])}"
        assert error.status == row.status, f"{error.body}, cut after {len(pieces[0])}"


@pytest.mark.parametrize("row", VALID, ids=lambda row: row.id)
def test_a_valid_stream_means_the_same_wherever_it_is_cut(row: Valid) -> None:
    whole, _ = read_requests((row.raw,))
    assert [request.start for request in whole] == [message.start for message in row.means]
    assert [request.body for request in whole] == [message.body for message in row.means]
    for request, message in zip(whole, row.means, strict=True):
        assert set(message.lines) <= set(request.lines)
    for pieces in cuts(row.raw):
        assert read_requests(pieces) == (whole, None), row.why


@pytest.mark.parametrize(
    "start",
    [
        *(b"G", b"GET ", b"GET /hello", b"GET /hello ", b"GET /hello HTTP", b"GET /hello HTTP/1.1"),
        *(b"GET /hello HTTP/1.1\r", b"GET /hello HTTP/1.1\r\n", b"GET /hello HTTP/1.1\r\nHos"),
        *(b"GET /hello HTTP/1.1\r\nHost:", b"GET /hello HTTP/1.1\r\nHost: "),
        *(b"GET /hello HTTP/1.1\r\nHost: localhost", b"GET /hello HTTP/1.1\r\nHost: localhost\r"),
        *(get()[:-2], get()[:-1], b"\r", b"\r\n", b"", b"PRI * HTTP/2.0\r\n", b"A" * 2000),
    ],
    ids=lambda start: repr(start[:40]),
)
def test_an_unfinished_head_waits_for_more(start: bytes) -> None:
    for pieces in cuts(start):
        assert read_requests(pieces) == ([], None)


def test_a_line_that_was_seen_before_is_no_less_refused() -> None:
    """What is remembered of one client's lines must not open the door to another's."""
    known = HeaderLines(REQUEST_KINDS)
    for valid in VALID:
        RequestStream(known).feed(valid.raw)
    for n in range(100):  # so many values that these names are no longer read one by one
        RequestStream(known).feed(b"GET / HTTP/1.1\r\nHost: a\r\nA: %d\r\nX: %d\r\n\r\n" % (n, n))
    for refused in REFUSED:
        for _ in range(2):
            with pytest.raises(GatewayError):
                RequestStream(known).feed(refused.raw)


def test_what_a_client_is_told_is_one_line_of_our_own() -> None:
    told = set()
    for row in REFUSED:
        _, error = read_requests((row.raw,))
        assert error is not None
        assert error.body.isascii()
        assert error.body.isprintable()
        if isinstance(error, BadMessage) and error.status == 400:
            assert error.detail, row.id
        told.add(error.body)
    assert len(told) < 60, "as many texts as requests: do they repeat the client's bytes?"
