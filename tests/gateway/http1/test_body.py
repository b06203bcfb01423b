"""Bodies, cut at every byte: where they end, what is in them, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.http1.body import Body, ChunkedBody, LengthBody


def fed(body: Body, *pieces: bytes) -> tuple[bytes, bytes]:
    decoded = rest = b""
    for piece in pieces:
        if body.done:
            rest += piece
            continue
        got, after = body.feed(piece)
        decoded += got
        rest += after
    return decoded, rest


def test_a_chunked_body_is_the_same_wherever_it_is_cut() -> None:
    raw = b"5;name=value\r\nhello\r\n1\r\n \r\n00A\r\n0123456789\r\n0\r\nX-Sum: 7\r\n\r\nGET /"
    for cut in range(len(raw) + 1):
        body = ChunkedBody(1024)
        assert fed(body, raw[:cut], raw[cut:]) == (b"hello 0123456789", b"GET /")
        assert body.done
        assert body.trailers == b"X-Sum: 7\r\n"


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.data())
def test_chunks_of_any_content_come_out_whole(chunks: list[bytes], data: st.DataObject) -> None:
    raw = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\nrest"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert fed(ChunkedBody(1024), *pieces) == (b"".join(chunks), b"rest")


def test_a_body_of_known_length_ends_there() -> None:
    raw = b"0123456789rest"
    for cut in range(len(raw) + 1):
        assert fed(LengthBody(10), raw[:cut], raw[cut:]) == (b"0123456789", b"rest")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"0x5\r\nhello\r\n", id="0x"),
        pytest.param(b"+5\r\nhello\r\n", id="sign"),
        pytest.param(b" 5\r\nhello\r\n", id="space before"),
        pytest.param(b"5_0\r\n", id="underscore"),
        pytest.param(b"\r\nhello\r\n", id="empty size"),
        pytest.param(b"5\nhello\r\n", id="bare LF after the size"),
        pytest.param(b"5\r\nhelloX\r\n", id="data not ended by CRLF"),
        pytest.param(b"5\r\nhello\n", id="data ended by LF"),
        pytest.param(b"-1\r\n", id="negative"),
        pytest.param(b"FFFFFFFFFFFFFFFFF\r\n", id="overflow"),
        pytest.param(b"5;\x00\r\nhello\r\n", id="control byte in an extension"),
        pytest.param(b"0\r\nA b\r\n\r\n", id="malformed trailer"),
        pytest.param(b"0\r\nA: b\n\r\n", id="trailer with bare LF"),
        pytest.param(b"1;" + b"x" * 5000 + b"\r\n", id="long extension"),
        pytest.param(b"1;" + b"x" * 5000, id="long extension without end"),
        pytest.param(b"0\r\n" + b"A: b\r\n" * 400, id="too many trailers"),
    ],
)
def test_a_malformed_chunked_body_is_refused_wherever_it_is_cut(raw: bytes) -> None:
    for cut in {0, 1, 2, len(raw) // 2, len(raw)}:
        with pytest.raises(GatewayError):
            fed(ChunkedBody(1024), raw[:cut], raw[cut:])


@pytest.mark.parametrize(
    "name", ["Content-Length", "transfer-encoding", "Host", "Authorization", "Set-Cookie"]
)
def test_trailers_that_frame_route_or_authenticate_are_dropped(name: str) -> None:
    body = ChunkedBody(1024)
    fed(body, f"0\r\n{name}: 1\r\nX: 2\r\n\r\n".encode())
    assert body.trailers == b"X: 2\r\n"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"5" + b";a=b" * 1000 + b"(", id="extensions"),
        pytest.param(b"5;a=" + b'"' + b"\\a" * 2000, id="escapes in a quote without an end"),
        pytest.param(b"5" + b" " * 4000 + b"!", id="space"),
        pytest.param(b"5" + b";a " * 1300 + b"=", id="space after names"),
    ],
)
def test_a_chunk_line_is_refused_in_a_time_that_grows_with_its_length(line: bytes) -> None:
    for _ in range(100):  # 0.2 ms each; with a pattern that tries again, minutes
        with pytest.raises(GatewayError):
            fed(ChunkedBody(1024), line + b"\r\n")
