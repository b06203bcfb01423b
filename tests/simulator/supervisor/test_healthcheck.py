"""What a gRPC probe makes of a server's answers, wherever they are cut."""

from __future__ import annotations

import hpack
import pytest

from simulator.supervisor.healthcheck import HealthCheck
from tests.support.h2frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    block,
    frame,
    frames,
    number,
)

AUTHORITY = "127.0.0.1:1"
HEAD = frame(HEADERS, END_HEADERS, 1, block((":status", "200")))


def answer(message: bytes, status: int = 0) -> bytes:
    framed = bytes(4) + bytes([len(message)]) + message
    end = frame(HEADERS, END_HEADERS | END_STREAM, 1, block(("grpc-status", str(status))))
    return frame(SETTINGS, 0, 0) + HEAD + frame(DATA, 0, 1, framed) + end


def only_trailers(status: int) -> bytes:
    told = block((":status", "200"), ("grpc-status", str(status)))
    return frame(HEADERS, END_HEADERS | END_STREAM, 1, told)


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        pytest.param(answer(b"\x08\x01"), True, id="serving"),
        pytest.param(answer(b"\x08\x02"), False, id="not serving"),
        pytest.param(answer(b""), False, id="unknown"),
        pytest.param(answer(b"\x08\x01", status=13), False, id="serving, with an error"),
        pytest.param(only_trailers(0), False, id="fine, without an answer"),
        pytest.param(only_trailers(5), False, id="no such service"),
        pytest.param(only_trailers(12), False, id="no health at all"),
        pytest.param(frame(RST_STREAM, 0, 1, number(2)), False, id="a reset"),
        pytest.param(frame(GOAWAY, 0, 0, number(0) * 2), False, id="a server that leaves"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", False, id="no HTTP/2"),
        pytest.param(HEAD, None, id="no end yet"),
    ],
)
def test_only_serving_passes(raw: bytes, verdict: bool | None) -> None:
    for cut in range(len(raw)):
        one = HealthCheck("", AUTHORITY)
        one.feed(raw[:cut])
        one.feed(raw[cut:])
        assert (None if one.flaw is None else not one.flaw) is verdict


@pytest.mark.parametrize(
    ("service", "message"), [("", b""), ("a.B", b"\x0a\x03a.B")], ids=["the server", "a service"]
)
def test_the_question_is_a_call_of_check(service: str, message: bytes) -> None:
    sent = HealthCheck(service, AUTHORITY).taken()
    head, body = [one for one in frames(sent[len(PREFACE) :]) if one[2] == 1]
    headers = dict(hpack.Decoder().decode(head[3]))
    assert headers[":path"] == "/grpc.health.v1.Health/Check"
    assert headers[":authority"] == AUTHORITY
    assert headers["user-agent"].startswith("kube-probe/")
    assert body[3] == bytes(4) + bytes([len(message)]) + message
