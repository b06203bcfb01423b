"""The stand-in replica answers both protocols, whatever the pieces that requests come in."""

from __future__ import annotations

import asyncio

import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nxxxxx\r\n0\r\n\r\n"
SIZED = b"POST / HTTP/1.1\r\nContent-Length: 7\r\n\r\nxxxxxxx"


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.said = b""
        self.protocol: object = None

    def write(self, data: bytes) -> None:
        self.said += data

    def set_protocol(self, protocol: object) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int) -> None:
        """As a transport's; nothing is ever full here."""


def replica(load):
    standin, h2 = load("standin"), load("standin_h2")
    loop = asyncio.new_event_loop()
    loop.close()
    wire = Wire()
    one = standin.Replica(loop, h2.plain_reply(13), slow=False)
    one.connection_made(wire)
    wire.protocol = one
    return wire


@pytest.mark.parametrize("request_", [GET, CHUNKED, SIZED], ids=["no body", "chunked", "sized"])
def test_a_request_is_answered_once_however_it_is_cut(load, request_: bytes) -> None:
    for cut in range(len(request_) + 1):
        wire = replica(load)
        for piece in (request_[:cut], request_[cut:], GET):
            if piece:
                wire.protocol.data_received(piece)
        assert wire.said.count(b"HTTP/1.1 200 OK\r\n") == 2, cut


def test_as_many_bytes_are_answered_as_asked_for(load) -> None:
    wire = replica(load)
    wire.protocol.data_received(b"GET /bytes/1000000 HTTP/1.1\r\n\r\n")
    head, _, body = wire.said.partition(b"\r\n\r\n")
    assert b"Content-Length: 1000000" in head
    assert len(body) == 1_000_000


def frames(h2c, data: bytes) -> list[tuple[int, int, int, int]]:
    found, at = [], 0
    while at < len(data):
        length, *rest = h2c.head(data, at)
        found.append((length, *rest))
        at += h2c.HEAD_BYTES + length
    return found


def test_a_stream_is_answered_when_it_ends_however_it_is_cut(load) -> None:
    h2c = load("h2c")
    flags = h2c.END_HEADERS | h2c.END_STREAM
    asked = h2c.PREFACE + h2c.settings({}) + h2c.frame(h2c.HEADERS, flags, 1, b"\x82\x86\x84")
    for cut in range(4, len(asked)):  # the first four bytes tell the protocols apart
        wire = replica(load)
        wire.protocol.data_received(asked[:cut])
        wire.protocol.data_received(asked[cut:])
        answered = [(kind, stream) for _, kind, _, stream in frames(h2c, wire.said) if stream]
        assert answered == [(h2c.HEADERS, 1), (h2c.DATA, 1)], cut


def test_a_long_answer_waits_for_the_window(load) -> None:
    h2c, h2 = load("h2c"), load("standin_h2")
    wire = Wire()
    one = h2.H2Replica(wire, h2.plain_reply(100_000))
    flags = h2c.END_HEADERS | h2c.END_STREAM
    one.data_received(h2c.PREFACE + h2c.frame(h2c.HEADERS, flags, 1, b"\x82"))

    def sent() -> int:
        return sum(length for length, kind, _, _ in frames(h2c, wire.said) if kind == h2c.DATA)

    assert sent() == h2c.INITIAL_WINDOW
    one.data_received(h2c.window_update(0, 100_000))
    assert sent() == h2c.INITIAL_WINDOW
    one.data_received(h2c.window_update(1, 100_000))
    assert sent() == 100_000
    assert frames(h2c, wire.said)[-1][2] & h2c.END_STREAM


def test_a_call_is_answered_with_a_message_and_a_status_in_the_trailers(load) -> None:
    h2c, h2 = load("h2c"), load("standin_h2")
    wire = Wire()
    one = h2.H2Replica(wire, h2.grpc_reply())
    one.data_received(h2c.PREFACE + h2c.frame(h2c.DATA, h2c.END_STREAM, 3, b"\0\0\0\0\0"))
    kinds = [kind for _, kind, _, stream in frames(h2c, wire.said) if stream]
    assert kinds == [h2c.HEADERS, h2c.DATA, h2c.HEADERS]
    assert b"grpc-status" in wire.said
