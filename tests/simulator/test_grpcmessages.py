"""gRPC's framing and statuses, and protobuf's texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.grpcmessages import (
    explanation_of,
    first_message,
    framed,
    health_of,
    request_headers,
    status_of,
    text_message,
    text_of,
)


@given(st.binary(max_size=70_000))
def test_a_message_comes_out_of_its_frame_and_not_before_it_is_whole(message: bytes) -> None:
    frame = framed(message)
    assert first_message(frame) == first_message(frame + b"more") == message
    assert first_message(frame[:-1]) is None


def test_a_compressed_message_is_not_read() -> None:
    assert first_message(b"\1\0\0\0\1x") is None


@given(st.text())
def test_a_text_is_read_as_it_was_written(text: str) -> None:
    assert text_of(text_message(text)) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"", ""),
        (b"\x08\x01", ""),
        (b"\x0a\x05he", "he"),
        (b"\x0a", ""),
        (b"\x0a\x02\xff\xfe", "��"),
    ],
)
def test_what_is_no_text_is_read_as_far_as_it_goes(message: bytes, text: str) -> None:
    assert text_of(message) == text


@given(st.binary())
def test_any_message_is_read(message: bytes) -> None:
    text_of(message)
    health_of(message)


@pytest.mark.parametrize(
    ("http_status", "headers", "name"),
    [
        (200, {"grpc-status": "0"}, "OK"),
        (200, {"grpc-status": "14"}, "UNAVAILABLE"),
        (503, {"grpc-status": "4"}, "DEADLINE_EXCEEDED"),
        (200, {"grpc-status": "17"}, "UNKNOWN"),
        (200, {"grpc-status": "-1"}, "UNKNOWN"),
        (200, {"grpc-status": "²"}, "UNKNOWN"),
        (200, {"grpc-status": "9" * 5000}, "UNKNOWN"),
        (200, {}, "UNKNOWN"),
        (404, {}, "UNIMPLEMENTED"),
        (502, {}, "UNAVAILABLE"),
        (503, {}, "UNAVAILABLE"),
        (418, {}, "UNKNOWN"),
    ],
)
def test_a_status_is_a_name(http_status: int, headers: dict[str, str], name: str) -> None:
    assert status_of(http_status, headers) == name


def test_the_explanation_is_decoded() -> None:
    assert explanation_of({"grpc-message": "%E2%98%BA 100%25 \xe4"}) == "☺ 100% ä"
    assert explanation_of({}) == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(10.0, "10000m"), (0.0001, "1m"), (1e9, "99999999m")]
)
def test_the_deadline_has_at_most_eight_digits(seconds: float, text: str) -> None:
    headers = dict(request_headers("x", "/a.B/C", seconds))
    assert headers["grpc-timeout"] == text
    assert headers["te"] == "trailers"


@pytest.mark.parametrize(("message", "status"), [(b"\x08\x01", 1), (b"", 0), (b"\x08\x02", 2)])
def test_health_is_a_number(message: bytes, status: int) -> None:
    assert health_of(message) == status
