"""Heads that come again are read once; what is remembered is bounded, and given up when in vain."""

from __future__ import annotations

import pytest

from gateway.errors import BadMessage
from gateway.http1.head import RESPONSE_KINDS, HeaderLines
from gateway.http1.response import HEADS_MAX, LOOKS_SAVED, ResponseReader
from gateway.settings import Settings


def reader() -> ResponseReader:
    return ResponseReader(HeaderLines(RESPONSE_KINDS), Settings())


def head(number: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d" % number


def test_a_head_that_comes_again_is_the_same() -> None:
    one = reader()
    assert one.read(head(7)) is one.read(head(7))
    assert one.read(head(7)).length == 7
    assert one.read(head(8)).length == 8


def test_a_refused_head_is_refused_again() -> None:
    one = reader()
    for _ in range(2):
        with pytest.raises(BadMessage):
            one.read(b"HTTP/1.1 200 OK\r\nContent-Length: +1")


def test_heads_that_all_differ_are_looked_up_no_more_for_a_while() -> None:
    one = reader()
    for number in range(HEADS_MAX + 1):
        assert one.read(head(number)).length == number
    assert one.read(head(1)) is not one.read(head(1))
    for number in range(LOOKS_SAVED):
        assert one.read(head(number)).length == number
    assert one.read(head(1)) is one.read(head(1))


def test_a_long_head_is_not_remembered() -> None:
    long = head(3) + b"\r\nX: " + b"x" * 2000
    one = reader()
    assert one.read(long) is not one.read(long)
