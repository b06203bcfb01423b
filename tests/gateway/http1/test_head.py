"""Heads: what two parsers could read differently is refused, what is valid is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage, GatewayError
from gateway.forwarding import HeaderRules, forwarding_lines, request_head
from gateway.http1.head import REQUEST_KINDS, RESPONSE_KINDS, HeaderLines, host_of, read_field
from gateway.http1.repeated import RepeatedLines
from gateway.http1.request import RequestHead, read_request
from gateway.http1.response import read_response
from gateway.settings import Settings

SETTINGS = Settings()


def read(head: bytes) -> RequestHead:
    return read_request(head, HeaderLines(REQUEST_KINDS), SETTINGS, RepeatedLines())


def get(*lines: bytes) -> bytes:
    return b"\r\n".join((b"GET / HTTP/1.1", b"Host: a", *lines))


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(b"GET / HTTP/1.1", 400, id="no Host"),
        pytest.param(get(b"Host: b"), 400, id="two Hosts"),
        pytest.param(get(b"Content-Length: 1", b"Content-Length: 1"), 400, id="repeated length"),
        pytest.param(get(b"Content-Length: 1, 1"), 400, id="listed length"),
        pytest.param(get(b"Content-Length: 0x1"), 400, id="length in hexadecimal"),
        pytest.param(get(b"Content-Length: +1"), 400, id="length with a sign"),
        pytest.param(get(b"Content-Length: 1_0"), 400, id="length with an underscore"),
        pytest.param(get(b"Content-Length:"), 400, id="empty length"),
        pytest.param(
            get(b"Content-Length: 1", b"Transfer-Encoding: chunked"), 400, id="both lengths"
        ),
        pytest.param(get(b"Transfer-Encoding: gzip, chunked"), 501, id="more than chunked"),
        pytest.param(get(b"Transfer-Encoding: chunked, identity"), 400, id="chunked not last"),
        pytest.param(
            get(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400, id="twice"
        ),
        pytest.param(
            b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked", 400, id="chunked in 1.0"
        ),
        pytest.param(get(b" folded"), 400, id="obs-fold"),
        pytest.param(get(b"A : b"), 400, id="space before the colon"),
        pytest.param(get(b"A: b\nC: d"), 400, id="bare LF"),
        pytest.param(get(b"A: b\rC: d"), 400, id="bare CR"),
        pytest.param(get(b"A: \x00"), 400, id="NUL"),
        pytest.param(get(b"A: \x1b[31m"), 400, id="control byte"),
        pytest.param(get(b": b"), 400, id="empty name"),
        pytest.param(get(b"A"), 400, id="no colon"),
        pytest.param(b"GET /\xff HTTP/1.1\r\nHost: a", 400, id="high byte in the target"),
        pytest.param(b"GET  / HTTP/1.1\r\nHost: a", 400, id="two spaces"),
        pytest.param(b"GET / HTTP/1.1 \r\nHost: a", 400, id="space after the version"),
        pytest.param(b"GET / http/1.1\r\nHost: a", 400, id="version in lower case"),
        pytest.param(b"GET / HTTP/2.0\r\nHost: a", 505, id="another version"),
        pytest.param(b"GET\t/ HTTP/1.1\r\nHost: a", 400, id="tab in the request line"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\x7f", 400, id="DEL in Host"),
        pytest.param(b"CONNECT a:80 HTTP/1.1\r\nHost: a", 501, id="CONNECT"),
        pytest.param(b"CONNECT / HTTP/1.1\r\nHost: a", 501, id="CONNECT to a path"),
        pytest.param(b"GET http://a/ HTTP/1.1\r\nHost: a b", 400, id="absolute, malformed Host"),
        pytest.param(b"GET ftp://a/ HTTP/1.1\r\nHost: a", 400, id="another scheme"),
        pytest.param(b"GET * HTTP/1.1\r\nHost: a", 400, id="asterisk without OPTIONS"),
        pytest.param(b"GET /%b HTTP/1.1\r\nHost: a" % (b"x" * 20_000), 414, id="long target"),
        pytest.param(get(*[b"A: b"] * 100), 431, id="too many headers"),
        pytest.param(get(b"Expect: tea"), 417, id="another expectation"),
        pytest.param(b"", 400, id="nothing"),
    ],
)
def test_a_request_head_is_refused(head: bytes, status: int) -> None:
    with pytest.raises(GatewayError) as refusal:
        read(head)
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("head", "host", "target"),
    [
        pytest.param(get(), b"a", b"/", id="plain"),
        pytest.param(b"GET http://b:81/c?d HTTP/1.1\r\nHost: a", b"b:81", b"/c?d", id="absolute"),
        pytest.param(b"GET HTTP://b HTTP/1.1\r\nHost: a", b"b", b"/", id="absolute without path"),
        pytest.param(b"GET http://b?c HTTP/1.1\r\nHost: a", b"b", b"/?c", id="only a query"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: a", b"a", b"*", id="asterisk"),
        pytest.param(b"OPTIONS http://b HTTP/1.1\r\nHost: a", b"b", b"*", id="whole server"),
        pytest.param(b"OPTIONS http://b/ HTTP/1.1\r\nHost: a", b"b", b"/", id="its root"),
        pytest.param(b"GET / HTTP/1.0", b"", b"/", id="1.0 without Host"),
        pytest.param(b"M-SEARCH / HTTP/1.1\r\nHost: a", b"a", b"/", id="unknown method"),
        pytest.param(b"GET / HTTP/1.1\r\nHost:\t a \t", b"a", b"/", id="space around a value"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nA:", b"a", b"/", id="empty value"),
        pytest.param(get("A: ü".encode()), b"a", b"/", id="obs-text in a value"),
    ],
)
def test_a_valid_request_head_is_read(head: bytes, host: bytes, target: bytes) -> None:
    request = read(head)
    assert (request.host, request.target) == (host, target)


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        pytest.param(get(), True, id="1.1"),
        pytest.param(get(b"Connection: close"), False, id="1.1 close"),
        pytest.param(b"GET / HTTP/1.0\r\nHost: a", False, id="1.0"),
        pytest.param(b"GET / HTTP/1.0\r\nConnection: Keep-Alive", True, id="1.0 keep-alive"),
        pytest.param(get(b"Connection: keep-alive, Close"), False, id="close wins"),
    ],
)
def test_persistence_follows_version_and_connection(head: bytes, keep_alive: bool) -> None:
    assert read(head).keep_alive is keep_alive


def sent_up(*lines: bytes) -> bytes:
    return request_head(read(get(*lines)), "10.0.0.9", forwarding_lines("10.0.0.9"), HeaderRules())


@pytest.mark.parametrize(
    "line",
    [
        b"Keep-Alive: timeout=5",
        b"Proxy-Connection: keep-alive",
        b"Proxy-Authorization: Basic xyz",
        b"TE: trailers",
        b"Upgrade: h2c",
        b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
        b"Connection: keep-alive",
        b"K-Network-Probe: probe",
        b"Knative-Serving-Revision: other",
        b"X-Forwarded-Proto: https",
        b"Knary-Explain: 1",
        b"Transfer_Encoding: chunked",
        b"CONTENT_LENGTH: 99",
        b"X_Forwarded-Proto: https",
        b"K_Network_Probe: probe",
    ],
)
def test_what_is_for_this_hop_or_ours_alone_never_goes_up(line: bytes) -> None:
    assert sent_up(line) == sent_up()


def test_headers_that_connection_names_are_dropped() -> None:
    assert b"x-secret" not in sent_up(b"X-Secret: 1", b"Connection: X-Secret").lower()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            [],
            b"X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\n"
            b"Forwarded: for=10.0.0.9;proto=http\r\n",
            id="none brought",
        ),
        pytest.param(
            [b"X-Forwarded-For: 1.2.3.4"],
            b"X-Forwarded-For: 1.2.3.4, 10.0.0.9\r\nX-Forwarded-Proto: http\r\n"
            b"Forwarded: for=1.2.3.4;proto=http, for=10.0.0.9\r\n",
            id="appended",
        ),
        pytest.param(
            [b"Forwarded: for=x"],
            b"X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: http\r\nForwarded: for=x\r\n",
            id="Forwarded is passed on",
        ),
    ],
)
def test_the_client_is_named_as_queue_proxy_does(lines: list[bytes], expected: bytes) -> None:
    assert expected in sent_up(*lines)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 20 OK", id="short code"),
        pytest.param(b"HTTP/1.1 099 X", id="code below 100"),
        pytest.param(b"HTTP/2 200 OK", id="another version"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2", id="lengths"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", id="both"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked", id="another coding"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: b\x00", id="NUL"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA b", id="no colon"),
        pytest.param(b"HTTP/1.1 200 O\x07K", id="bell in the reason"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_hostile_response_head_is_refused(head: bytes) -> None:
    with pytest.raises(BadMessage):
        read_response(head, HeaderLines(RESPONSE_KINDS), SETTINGS)


@pytest.mark.parametrize(
    ("value", "host"),
    [
        (b"Hello.Default.Example.COM", "hello.default.example.com"),
        (b"hello.default.example.com:8080", "hello.default.example.com"),
        (b"hello.default.example.com.", "hello.default.example.com"),
        (b"[::1]:80", "[::1]"),
    ],
)
def test_a_host_matches_in_any_case_with_or_without_port(value: bytes, host: str) -> None:
    assert host_of(value) == host


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_never_worse(noise: bytes) -> None:
    lines = HeaderLines(REQUEST_KINDS)
    for head in (noise, b"GET / HTTP/1.1\r\nHost: a\r\n" + noise):
        try:
            request = read_request(head, lines, SETTINGS, RepeatedLines())
        except GatewayError:
            continue
        up = request_head(request, "::1", forwarding_lines("::1"), HeaderRules())
        assert up.count(b"\n") == up.count(b"\r\n")
        assert up.endswith(b"\r\n\r\n")
        assert up.count(b"\r\n\r\n") == 1


@given(st.lists(st.sampled_from([b"A: 1", b"B: 2", b"a: 3", b"Host: x", b"TE: y"]), max_size=300))
def test_a_remembered_line_reads_as_it_did_when_it_was_new(lines: list[bytes]) -> None:
    remembering = HeaderLines(REQUEST_KINDS)
    for line in lines:
        assert meaning(remembering, line) == meaning(HeaderLines(REQUEST_KINDS), line)


def meaning(lines: HeaderLines, line: bytes) -> tuple[list[bytes], list[tuple[int, bytes, int]]]:
    plain, special = lines.sort([line])
    return plain, [(each.kind, each.value, each.number) for each in special]


def test_a_name_with_many_values_is_still_checked_each_time() -> None:
    lines = HeaderLines(REQUEST_KINDS)
    for n in range(500):
        assert lines.sort([b"Cookie: %d" % n]) == ([b"Cookie: %d\r\n" % n], [])
    with pytest.raises(BadMessage):
        lines.sort([b"Cookie: \x00"])


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        pytest.param(b"Host: a%d.example.com", b"Host: a b", id="Host"),
        pytest.param(b"Content-Length: %d", b"Content-Length: 5x", id="Content-Length"),
        pytest.param(b"Content-Length: %d", b"Content-Length: +5", id="a sign"),
        pytest.param(b"Content-Length: %d", b"Content-Length: " + b"9" * 19, id="an overflow"),
        pytest.param(b"X-Forwarded-For: %d", b"X-Forwarded-For: \x00", id="X-Forwarded-For"),
        pytest.param(b"Forwarded: for=%d", b"Forwarded: a\x7f", id="Forwarded"),
    ],
)
def test_a_meaning_with_many_values_is_still_checked_each_time(good: bytes, bad: bytes) -> None:
    lines = HeaderLines(REQUEST_KINDS)
    for n in range(3000):
        plain, (special,) = lines.sort([good % n])
        assert (plain, special.value) == ([], (good % n).partition(b": ")[2])
    with pytest.raises(BadMessage):
        lines.sort([bad])


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"A:" + b" " * 4_000_000 + b"\x00", id="space before nothing"),
        pytest.param(b"A: b" + b" " * 4_000_000 + b"\x00", id="space after a value"),
        pytest.param(b"A: " + b"b " * 2_000_000 + b"\x00", id="space within a value"),
        pytest.param(b"A" * 4_000_000, id="a name without an end"),
    ],
)
def test_a_long_line_is_refused_in_a_time_that_grows_with_its_length(line: bytes) -> None:
    """With a pattern that tries again from each byte, these would take hours."""
    with pytest.raises(BadMessage):
        read_field(line)
