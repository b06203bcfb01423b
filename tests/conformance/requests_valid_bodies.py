"""Requests with bodies, and several on one connection, that are valid, however odd."""

from __future__ import annotations

from tests.conformance.cases import CHUNKED, HOST, Message, Valid, chunked, get, head, post, shown

GET = Message(b"GET /")
POST = Message(b"POST /", b"hello")

LENGTHS = [b"5", b"05", b"005", b"000000000000000005", b"5 ", b" 5", b"  5  ", b"\t5\t"]
BODIES = [
    ("no chunks", b"0\r\n\r\n", b""),
    ("one chunk", b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    ("two chunks", b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", b"hello world"),
    ("small letters", b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    ("capital letters", b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    ("both", b"aA\r\n" + b"x" * 0xAA + b"\r\n0\r\n\r\n", b"x" * 0xAA),
    ("zeros before", b"00005\r\nhello\r\n0\r\n\r\n", b"hello"),
    ("many zeros before", b"0" * 16 + b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    ("three zeros at the end", b"5\r\nhello\r\n000\r\n\r\n", b"hello"),
    (
        "line ends in it",
        b"8\r\na\r\nb\nc\r\r\r\n0\r\n\r\n",
        b"a\r\nb\nc\r\r",
    ),
    ("a request in it", b"12\r\nGET / HTTP/1.1\r\n\r\n\r\n0\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"),
    ("an extension", b"5;a\r\nhello\r\n0\r\n\r\n", b"hello"),
    ("an extension with a value", b"5;a=b\r\nhello\r\n0\r\n\r\n", b"hello"),
    ("several extensions", b"5;a=b;c;d=e\r\nhello\r\n0;f\r\n\r\n", b"hello"),
    ("space around an extension", b"5 ; a = b ;\tc\r\nhello\r\n0\r\n\r\n", b"hello"),
    ("a quoted value", b'5;a="b c;d"\r\nhello\r\n0\r\n\r\n', b"hello"),
    ("quotes in a quoted value", b'5;a="\\"b\\" \\\\";c\r\nhello\r\n0\r\n\r\n', b"hello"),
    ("obs-text in a quoted value", b'5;a="\xc3\xbc"\r\nhello\r\n0\r\n\r\n', b"hello"),
    ("an extension of 1 KB", b"5;a=" + b"b" * 1024 + b"\r\nhello\r\n0\r\n\r\n", b"hello"),
    ("a dropped trailer", b"5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n", b"hello"),
    (
        "a dropped Transfer-Encoding",
        b"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"hello",
    ),
    ("a dropped Host", b"5\r\nhello\r\n0\r\nHost: evil\r\n\r\n", b"hello"),
    ("a dropped Authorization", b"5\r\nhello\r\n0\r\nAuthorization: a\r\n\r\n", b"hello"),
    ("a dropped Content-Type", b"5\r\nhello\r\n0\r\nContent-Type: a\r\n\r\n", b"hello"),
]
TRAILERS = [
    (b"X-Sum: 7", (b"x-sum: 7",)),
    (b"A:b\r\nC: d", (b"a: b", b"c: d")),
    (b"X:POST / HTTP/1.1", (b"x: POST / HTTP/1.1",)),
    (b"Empty:", (b"empty: ",)),
    (b"A: \xc3\xbc \t ", (b"a: \xc3\xbc",)),
    (b"Host: evil\r\nVary: *", (b"vary: *",)),
]
SECOND = head(b"GET /second HTTP/1.1", HOST)
PIPELINED = [
    ("two", get() + SECOND, (GET, Message(b"GET /second"))),
    ("an empty line between", get() + b"\r\n" + SECOND, (GET, Message(b"GET /second"))),
    ("an empty line before", b"\r\n" + get(), (GET,)),
    ("many empty lines before", b"\r\n" * 20 + get(), (GET,)),
    ("empty lines after", get() + b"\r\n\r\n", (GET,)),
    (
        "a body, and another",
        post(b"Content-Length: 5", body=b"hello") + SECOND,
        (POST, Message(b"GET /second")),
    ),
    (
        "chunks, and another",
        chunked(b"5\r\nhello\r\n0\r\n\r\n") + SECOND,
        (POST, Message(b"GET /second")),
    ),
    (
        "an empty line after a body",
        post(b"Content-Length: 5", body=b"hello\r\n") + SECOND,
        (POST, Message(b"GET /second")),
    ),
    (
        "no body, then bytes that make another method",
        post(b"Content-Length: 0") + b"X" + SECOND,
        (Message(b"POST /"), Message(b"XGET /second")),
    ),
    (
        "a request as a body",
        post(b"Content-Length: %d" % len(SECOND), body=SECOND),
        (Message(b"POST /", SECOND),),
    ),
    ("nothing is read after close", get(b"Connection: close") + SECOND, (GET,)),
    ("nothing is read after close, junk", get(b"Connection: close") + b"Invalid\r\n\r\n", (GET,)),
    ("nothing is read after HTTP/1.0", head(b"GET / HTTP/1.0", HOST) + SECOND, (GET,)),
    (
        "HTTP/1.0 kept alive",
        head(b"GET / HTTP/1.0", HOST, b"Connection: keep-alive") + SECOND,
        (GET, Message(b"GET /second")),
    ),
    ("twenty", get() * 20, (GET,) * 20),
]

ROWS: list[Valid] = [
    *(
        Valid(
            f"Content-Length: {i}",
            post(b"Content-Length:" + v, body=b"hello"),
            (POST,),
            "RFC 9110 8.6",
        )
        for i, v in shown(LENGTHS)
    ),
    *(
        Valid(f"chunked: {name}", chunked(raw), (Message(b"POST /", body),), "RFC 9112 7.1")
        for name, raw, body in BODIES
    ),
    *(
        Valid(
            f"trailers: {raw!r}",
            chunked(b"0\r\n" + raw + b"\r\n\r\n"),
            (Message(b"POST /", lines=lines),),
            "RFC 9112 7.1.2",
        )
        for raw, lines in TRAILERS
    ),
    *(
        Valid(
            f"Transfer-Encoding: {i}",
            post(b"Transfer-Encoding:" + v, body=b"5\r\nhello\r\n0\r\n\r\n"),
            (POST,),
            "RFC 9112 6.1",
        )
        for i, v in shown((b"chunked", b"\tchunked\t", b" CHUNKED", b"  cHuNkeD  "))
    ),
    *(
        Valid(
            f"a body in {m.decode()}",
            head(m + b" / HTTP/1.1", HOST, b"Content-Length: 5") + b"hello",
            (Message(m + b" /", b"hello"),),
            "RFC 9110 9.3",
        )
        for m in (b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"PUT", b"PATCH", b"QUERY", b"foo")
    ),
    *(Valid(f"in a row: {name}", raw, means, "RFC 9112 9.3.2") for name, raw, means in PIPELINED),
    Valid("POST without a length", post(), (Message(b"POST /"),), "RFC 9112 6.3"),
    Valid("POST of length 0", post(b"Content-Length: 0"), (Message(b"POST /"),), "RFC 9110 8.6"),
    Valid(
        "POST with an Expect",
        post(b"Expect: 100-continue", b"Content-Length: 5", body=b"hello"),
        (POST,),
        "RFC 9110 10.1.1",
    ),
    Valid(
        "chunks with an Expect",
        post(b"Expect: 100-continue", CHUNKED, body=b"5\r\nhello\r\n0\r\n\r\n"),
        (POST,),
        "RFC 9110 10.1.1",
    ),
    Valid(
        "a TRACE without content",
        head(b"TRACE / HTTP/1.1", HOST, b"Content-Length: 0"),
        (Message(b"TRACE /"),),
        "RFC 9110 9.3.8",
    ),
    Valid(
        "a WebSocket by POST is no upgrade",
        post(b"Connection: Upgrade", b"Upgrade: websocket"),
        (Message(b"POST /"),),
        "RFC 6455 4.1",
    ),
    Valid(
        "a body of bytes that are a head",
        post(b"Content-Length: 9", body=b"a: b\r\n\r\n\n"),
        (Message(b"POST /", b"a: b\r\n\r\n\n"),),
        "RFC 9112 6",
    ),
]
