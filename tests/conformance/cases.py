"""Rows of the conformance tables, and short ways to write the messages in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

HOST = b"Host: localhost"
CHUNKED = b"Transfer-Encoding: chunked"


class Refused(NamedTuple):
    """A stream of bytes that is answered with `status`, and of which nothing goes further."""

    id: str
    raw: bytes
    status: int
    why: str  # the section that forbids it


class Message(NamedTuple):
    """What a valid request means, or a valid response."""

    start: bytes  # method and target, or the status code
    body: bytes = b""
    lines: tuple[bytes, ...] = ()  # some of its header lines and trailers, names in lower case


class Valid(NamedTuple):
    """A stream of valid requests, and what each means."""

    id: str
    raw: bytes
    means: tuple[Message, ...]
    why: str


class BadAnswer(NamedTuple):
    """What a revision sends when it is hostile or broken: it must never look like an answer."""

    id: str
    raw: bytes
    why: str
    in_body: bool = False  # the head is good; what follows breaks the promise it made
    closes: bool = False  # the revision closes after it
    method: bytes = b"GET"


class GoodAnswer(NamedTuple):
    """A valid answer, what a client is to understand, and whether another request may follow."""

    id: str
    raw: bytes
    means: Message
    why: str
    reusable: bool = True
    closes: bool = False
    method: bytes = b"GET"


def head(first: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join((first, *lines, b"", b""))


def get(*lines: bytes) -> bytes:
    return head(b"GET / HTTP/1.1", HOST, *lines)


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return head(b"POST / HTTP/1.1", HOST, *lines) + body


def chunked(body: bytes) -> bytes:
    return post(CHUNKED, body=body)


def rows(
    why: str, status: int, cases: Iterable[tuple[str, bytes]], name: str = ""
) -> list[Refused]:
    """Return a table's part whose rows are refused for one reason."""
    prefix = f"{name}: " if name else ""
    return [Refused(prefix + case, raw, status, why) for case, raw in cases]


def answer(*lines: bytes, body: bytes = b"", first: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return head(first, *lines) + body


def shown(values: Iterable[bytes]) -> list[tuple[str, bytes]]:
    """Return each value with an id of printable ASCII."""
    return [(repr(value)[2:-1], value) for value in values]
