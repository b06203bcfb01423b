"""Answers that are valid, however odd: a client understands what the revision meant."""

from __future__ import annotations

from tests.conformance.cases import CHUNKED, GoodAnswer, Message, answer, shown
from tests.conformance.requests_valid_bodies import BODIES
from tests.conformance.requests_valid_bodies import TRAILERS as SOME_TRAILERS

CLOSE = b"Connection: close"
LENGTH = b"Content-Length: 5"
HELLO = Message(b"200", b"hello")
EMPTY = Message(b"200")
OLD = b"HTTP/1.0 200 OK"

STATUSES = [
    200,
    201,
    202,
    203,
    206,
    207,
    226,
    299,
    300,
    301,
    302,
    303,
    307,
    308,
    400,
    401,
    402,
    403,
]
STATUSES += [
    404,
    405,
    406,
    409,
    410,
    413,
    418,
    421,
    425,
    428,
    429,
    431,
    451,
    499,
    500,
    501,
    502,
    503,
]
STATUSES += [504, 505, 507, 511, 599, 600, 777, 999]
STATUS_LINES = [
    *(
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 ",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 A longer reason, with: marks!",
    ),
    *(
        b"HTTP/1.1 200  OK",
        b"HTTP/1.1 200 \tOK\t",
        b"HTTP/1.1 200 Orient\xc3\xabren",
        b"HTTP/1.1 200 \xff",
    ),
    *(
        b"HTTP/1.1 200 " + b"a" * 1000,
        b"HTTP/1.1 200 404 Not Found",
        b"HTTP/1.2 200 OK",
        b"HTTP/1.1 200 HTTP/1.1 200",
    ),
]
LINES = [
    (b"A:b", b"a: b"),
    (b"A:  \tb \t", b"a: b"),
    (b"A:", b"a: "),
    (b"A: \xc3\xbc\xff", b"a: \xc3\xbc\xff"),
    (
        b"Set-Cookie: a=b; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
        b"set-cookie: a=b; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
    ),
    (b"Set-Cookie: a=b\r\nSet-Cookie: c=d", b"set-cookie: c=d"),
    (b"X-$PrototypeBI-Version: 1.6", b"x-$prototypebi-version: 1.6"),
    (b"DCLK_imp: v7;x;1", b"dclk_imp: v7;x;1"),
    (b"Content-Length-X: 0", b"content-length-x: 0"),
    (b".et-Cookie: a", b".et-cookie: a"),
    (b"_onnection: Keep-Alive", b"_onnection: Keep-Alive"),
    (b"Proxy-Authenticate_: a", b"proxy-authenticate_: a"),
    (b"Date: not a date", b"date: not a date"),
    (b'WWW-Authenticate: Basic realm="a, b"', b'www-authenticate: Basic realm="a, b"'),
    (b"Content-Encoding: gzip", b"content-encoding: gzip"),
    (b"A: " + b"b" * 20_000, b"a: " + b"b" * 20_000),
]
SILENT = [
    *(
        b"Connection: keep-alive",
        b"Keep-Alive: timeout=5",
        b"Proxy-Connection: close",
        b"Upgrade: h2c",
        b"Trailer: A",
    ),
    *(
        b"Connection: a\r\nA: b",
        b"Connection:",
        b"Connection: upgrade\r\nUpgrade: websocket",
        b"TE: trailers",
    ),
    *(b"Transfer_Encoding: chunked", b"Content_Length: 7", b"Connection: Content-Length"),
]
CONTINUE = answer(first=b"HTTP/1.1 100 Continue")
HINTS = answer(b"Link: </a.css>; rel=preload", first=b"HTTP/1.1 103 Early Hints")
HELLO_RAW = answer(LENGTH, body=b"hello")


def good(id_: str, raw: bytes, means: Message, **more: bool) -> GoodAnswer:
    return GoodAnswer(id_, raw, means, "RFC 9112 6.3 and 9.3", **more)


ROWS: list[GoodAnswer] = [
    *(
        GoodAnswer(
            f"status {code}",
            answer(LENGTH, body=b"hello", first=b"HTTP/1.1 %d X" % code),
            Message(b"%d" % code, b"hello"),
            "RFC 9110 15",
        )
        for code in STATUSES
    ),
    *(
        GoodAnswer(
            f"status line: {i[:40]}", answer(LENGTH, body=b"hello", first=v), HELLO, "RFC 9112 4"
        )
        for i, v in shown(STATUS_LINES)
    ),
    *(
        GoodAnswer(
            f"header line: {raw[:40]!r}",
            answer(raw, LENGTH, body=b"hello"),
            Message(b"200", b"hello", (line,)),
            "RFC 9110 5.5",
        )
        for raw, line in LINES
    ),
    *(
        GoodAnswer(
            f"goes no further: {i}", answer(v, LENGTH, body=b"hello"), HELLO, "RFC 9110 7.6.1"
        )
        for i, v in shown(SILENT)
    ),
    *(
        GoodAnswer(
            f"Content-Length: {i}",
            answer(b"Content-Length:" + v, body=b"hello"),
            HELLO,
            "RFC 9110 8.6",
        )
        for i, v in shown((b"5", b" 5 ", b"\t5\t", b"005"))
    ),
    *(
        GoodAnswer(
            f"chunked: {name}", answer(CHUNKED, body=raw), Message(b"200", body), "RFC 9112 7.1"
        )
        for name, raw, body in BODIES
    ),
    *(
        GoodAnswer(
            f"trailers: {raw!r}",
            answer(CHUNKED, body=b"0\r\n" + raw + b"\r\n\r\n"),
            Message(b"200", lines=lines),
            "RFC 9112 7.1.2",
        )
        for raw, lines in SOME_TRAILERS
    ),
    good("no body", answer(b"Content-Length: 0"), EMPTY),
    good("until it closes", answer(body=b"hello"), HELLO, reusable=False, closes=True),
    good(
        "until it closes, line ends in it",
        answer(body=b"a\r\n\r\nb\n0\r\n\r\n"),
        Message(b"200", b"a\r\n\r\nb\n0\r\n\r\n"),
        reusable=False,
        closes=True,
    ),
    good(
        "until it closes, said so", answer(CLOSE, body=b"hello"), HELLO, reusable=False, closes=True
    ),
    good("until it closes, nothing", answer(), EMPTY, reusable=False, closes=True),
    good(
        "until it closes, what looks like another answer",
        answer(body=HELLO_RAW),
        Message(b"200", HELLO_RAW),
        reusable=False,
        closes=True,
    ),
    good(
        "HTTP/1.0 until it closes",
        answer(body=b"hello", first=OLD),
        HELLO,
        reusable=False,
        closes=True,
    ),
    good(
        "HTTP/1.0 kept alive without a length",
        answer(b"Connection: keep-alive", body=b"hello", first=OLD),
        HELLO,
        reusable=False,
        closes=True,
    ),
    good("HTTP/1.0 with a length", answer(LENGTH, body=b"hello", first=OLD), HELLO, reusable=False),
    good(
        "HTTP/1.0 kept alive",
        answer(LENGTH, b"Connection: keep-alive", body=b"hello", first=OLD),
        HELLO,
    ),
    good("close, with a length", answer(LENGTH, CLOSE, body=b"hello"), HELLO, reusable=False),
    good(
        "close, in chunks",
        answer(CHUNKED, CLOSE, body=b"5\r\nhello\r\n0\r\n\r\n"),
        HELLO,
        reusable=False,
    ),
    good(
        "close wins",
        answer(LENGTH, b"Connection: keep-alive, close", body=b"hello"),
        HELLO,
        reusable=False,
    ),
    good(
        "close in a second line",
        answer(LENGTH, b"Connection: keep-alive", CLOSE, body=b"hello"),
        HELLO,
        reusable=False,
    ),
    good("CLOSE", answer(LENGTH, b"CONNECTION: CLOSE", body=b"hello"), HELLO, reusable=False),
    good("bytes after the end", answer(LENGTH, body=b"helloX"), HELLO, reusable=False),
    good("a line end after the end", answer(LENGTH, body=b"hello\r\n"), HELLO, reusable=False),
    good("a second answer after the first", HELLO_RAW * 2, HELLO, reusable=False),
    good(
        "a second answer after chunks",
        answer(CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n") + HELLO_RAW,
        HELLO,
        reusable=False,
    ),
    good("a 204", answer(first=b"HTTP/1.1 204 No Content"), Message(b"204")),
    good(
        "a 204 with length 0",
        answer(b"Content-Length: 0", first=b"HTTP/1.1 204 No Content"),
        Message(b"204"),
    ),
    good(
        "a 204 with a length",
        answer(LENGTH, first=b"HTTP/1.1 204 No Content"),
        Message(b"204"),
        reusable=False,
    ),
    good(
        "a 204 with a body",
        answer(LENGTH, body=b"hello", first=b"HTTP/1.1 204 No Content"),
        Message(b"204"),
        reusable=False,
    ),
    good(
        "a 204 in chunks",
        answer(CHUNKED, body=b"0\r\n\r\n", first=b"HTTP/1.1 204 No Content"),
        Message(b"204"),
        reusable=False,
    ),
    good(
        "a 204, then junk",
        answer(body=b"junk", first=b"HTTP/1.1 204 No Content"),
        Message(b"204"),
        reusable=False,
    ),
    good(
        "a 205", answer(b"Content-Length: 0", first=b"HTTP/1.1 205 Reset Content"), Message(b"205")
    ),
    good(
        "a 304",
        answer(b"ETag: a", first=b"HTTP/1.1 304 Not Modified"),
        Message(b"304", lines=(b"etag: a",)),
    ),
    good(
        "a 304 with a length", answer(LENGTH, first=b"HTTP/1.1 304 Not Modified"), Message(b"304")
    ),
    good(
        "a 304 with a body",
        answer(LENGTH, body=b"hello", first=b"HTTP/1.1 304 Not Modified"),
        Message(b"304"),
        reusable=False,
    ),
    good("a 304 in chunks", answer(CHUNKED, first=b"HTTP/1.1 304 Not Modified"), Message(b"304")),
    good("100, then 200", CONTINUE + HELLO_RAW, HELLO),
    good("103, then 200", HINTS + HELLO_RAW, HELLO),
    good("several 1xx, then 200", CONTINUE + HINTS * 5 + HELLO_RAW, HELLO),
    good(
        "100, then 404",
        CONTINUE + answer(LENGTH, body=b"hello", first=b"HTTP/1.1 404 X"),
        Message(b"404", b"hello"),
    ),
    good(
        "a 1xx with a length", answer(LENGTH, first=b"HTTP/1.1 103 Early Hints") + HELLO_RAW, HELLO
    ),
    good("a 1xx that is unknown", answer(first=b"HTTP/1.1 199 What") + HELLO_RAW, HELLO),
    good("100 header lines", answer(LENGTH, *[b"A: b"] * 99, body=b"hello"), HELLO),
    *(
        GoodAnswer(
            f"to HEAD: {name}",
            raw,
            Message(b"200"),
            "RFC 9110 9.3.2",
            reusable=reusable,
            method=b"HEAD",
        )
        for name, raw, reusable in (
            ("a length", answer(LENGTH), True),
            ("chunked", answer(CHUNKED), True),
            ("neither", answer(), True),
            ("a body", answer(LENGTH, body=b"hello"), False),
            ("chunks", answer(CHUNKED, body=b"0\r\n\r\n"), False),
            ("close", answer(LENGTH, CLOSE), False),
            ("HTTP/1.0", answer(LENGTH, first=OLD), False),
        )
    ),
]
