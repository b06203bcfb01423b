"""Answers of a revision that are refused for their head."""

from __future__ import annotations

from tests.conformance.cases import CHUNKED, BadAnswer, answer, shown
from tests.conformance.requests_refused_fields import NOT_IN_A_NAME, NOT_IN_A_VALUE
from tests.conformance.requests_refused_framing import (
    BOTH,
    CODING_SETS,
    CODINGS,
    LENGTH_SETS,
    LENGTHS,
    UNKNOWN_BEFORE_CHUNKED,
)

OK = b"HTTP/1.1 200 OK"
STATUS_LINES = [
    *(
        b"",
        b"HTTP",
        b"HTTP/",
        b"HTTP/1.1",
        b"HTTP/1.1 ",
        b"HTTP/1.1 2",
        b"HTTP/1.1 20",
        b"HTTP/1.1 2000 OK",
    ),
    *(
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 099 X",
        b"HTTP/1.1 000 X",
        b"HTTP/1.1 001",
        b"HTTP/1.1 abc OK",
        b"HTTP/1.1 20x OK",
    ),
    *(
        b"HTTP/1.1 -20 OK",
        b"HTTP/1.1 +200 OK",
        b"HTTP/1.1 2 0 0",
        b"HTTP/1.1 200.1 OK",
        b"HTTP/1.1 0x200 OK",
    ),
    *(
        b"HTTP/1.1  200 OK",
        b"HTTP/1.1\t200 OK",
        b"HTTP/1.1 200\tOK",
        b"HTTP/1.1 200OK",
        b"HTTP/1.1 200,OK",
    ),
    *(
        b" HTTP/1.1 200 OK",
        b"\tHTTP/1.1 200 OK",
        b"\rHTTP/1.1 200 OK",
        b"\r\nHTTP/1.1 200 OK",
        b"\nHTTP/1.1 200 OK",
    ),
    *(
        b"XHTTP/1.1 200 OK",
        b"HTP/1.1 200 OK",
        b"http/1.1 200 OK",
        b"Http/1.1 200 OK",
        b"HTTP 1.1 200 OK",
    ),
    *(
        b"HTTP/2 200 OK",
        b"HTTP/2.0 200 OK",
        b"HTTP/0.9 200 OK",
        b"HTTP/3.0 200 OK",
        b"HTTP/5.6 200 OK",
    ),
    *(
        b"HTTP/01.1 200 OK",
        b"HTTP/11.1 200 OK",
        b"HTTP/1.01 200 OK",
        b"HTTP/1.10 200 OK",
        b"HTTP/1 200 OK",
    ),
    *(
        b"HTTP/1. 200 OK",
        b"HTTP/.1 200 OK",
        b"HTTP/1,1 200 OK",
        b"HTTP/ 1.1 200 OK",
        b"HTTP/1.1x 200 OK",
    ),
    *(
        b"RTSP/1.1 200 OK",
        b"ICE/1.1 200 OK",
        b"ICY 200 OK",
        b"HTTPS/1.1 200 OK",
        b"HTTPER/1.1 200 OK",
        b"200 OK",
    ),
    *(
        b"HTTP/1.1 \xef\xbc\x92\xef\xbc\x90\xef\xbc\x90 OK",
        b"HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 OK",
        b"SSH-2.0-a",
        b"<html>",
    ),
    *(
        b"GET / HTTP/1.1",
        b"HTTP/1.1 GET /",
        b"OK 200 HTTP/1.1",
        b"Content-Length: 0",
        b"{}",
        b"\x00",
        b"\xff\xfe",
    ),
    *(
        b"HTTP/1.1 200 OK\rContent-Length: 0",
        b"HTTP/1.1 200 OK\nContent-Length: 0",
        b"HTTP/1.1 200 OK\r",
        b"HTTP/1.1\r200",
    ),
]
LINES = [
    *(
        b"A",
        b"A b",
        b": b",
        b":",
        b"A : b",
        b"A\t: b",
        b" A: b",
        b"\tA: b",
        b" ",
        b"\t",
        b"A: b\r\n c",
        b"A: b\r\n\tc",
    ),
    *(
        b"A:\r\n b",
        b"A: b\r\n ",
        b"A: b\rC: d",
        b"A: b\nC: d",
        b"A: b\r",
        b"A: b\n",
        b"\rA: b",
        b"\nA: b",
        b"A: b\x00",
    ),
    *(
        b"A: \x00b",
        b"A: \x1b[31m",
        b"A: b\x7f",
        b"A\x00: b",
        b"A\xa0: b",
        b"\xffA: b",
        b"A(b): c",
        b"[A]: b",
        b"A,B: c",
    ),
    *(
        b"en-US Content-Type: text/xml",
        b"Set-Cookie: a=b\nSet-Cookie: c=d",
        b"Set-Cookie: a=\x01",
        b"Location: /\r\r\nA: b",
    ),
    *(
        b"HTTP/1.1 200 OK",
        b"Content-Length 5",
        b"Content-Length : 5",
        b" Content-Length: 5",
        b"Transfer-Encoding:\r\n chunked",
    ),
]
SIZES = [
    ("headers of 10 MB", answer(*[b"A: " + b"b" * 1000] * 10_000)),
    ("a header of 100 KB", answer(b"A: " + b"b" * 100_000)),
    ("a header without an end", OK + b"\r\nA: " + b"b" * 100_000),
    ("a status line of 100 KB", answer(first=OK + b"K" * 100_000)),
    ("101 header lines", answer(*[b"A: b"] * 101)),
    ("10,000 header lines", answer(*[b"A: b"] * 10_000)),
    ("noise of 100 KB", b"x" * 100_000),
]
EARLY_HINTS = answer(b"Link: </a>", first=b"HTTP/1.1 103 Early Hints")
UPGRADE = answer(
    b"Connection: Upgrade", b"Upgrade: websocket", first=b"HTTP/1.1 101 Switching Protocols"
)
INTERIM = [
    (
        "a malformed 100",
        answer(b"A b", first=b"HTTP/1.1 100 Continue") + answer(b"Content-Length: 0"),
    ),
    ("malformed after a 100", answer(first=b"HTTP/1.1 100 Continue") + b"HTTP/1.1 2 OK\r\n\r\n"),
]
# Good by themselves, and refused by what was asked, or for their number.
OUT_OF_PLACE = [
    ("a 101 that nobody asked for", UPGRADE),
    ("a 101 without an Upgrade", answer(first=b"HTTP/1.1 101 Switching Protocols")),
    ("a flood of 100s", answer(first=b"HTTP/1.1 100 Continue") * 1000),
    ("a flood of 103s", EARLY_HINTS * 1000),
]
CUT_HEADS = [
    *(
        b"",
        b"H",
        b"HTTP/1.1",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r",
        b"HTTP/1.1 200 OK\r\n",
    ),
    *(
        b"HTTP/1.1 200 OK\r\nA",
        b"HTTP/1.1 200 OK\r\nA: b\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r",
    ),
    *(answer(first=b"HTTP/1.1 100 Continue"), b"HTTP/1.1 204 No Content\r\n"),
]
# Bytes that never come to the end of a head: a wait would last as long as the request may.
ENDLESS = [
    ("bare LFs", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    ("bare CRs", b"HTTP/1.1 200 OK\rContent-Length: 0\r\r"),
    ("a bare LF at the end", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n"),
    ("a TLS alert", b"\x15\x03\x01\x00\x02\x02\x0a"),
    ("an HTTP/2 preface's answer", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"),
    ("a banner", b"220 localhost ESMTP\r\n"),
    ("text", b"hello"),
    ("an unfinished fold", b"HTTP/1.1 200 OK\r\n Content-Length: 0"),
]


def refused(why: str, cases: list[tuple[str, bytes]], name: str) -> list[BadAnswer]:
    return [BadAnswer(f"{name}: {case}", raw, why) for case, raw in cases]


ROWS: list[BadAnswer] = [
    *refused(
        "RFC 9112 4",
        [(i, answer(b"Content-Length: 0", first=v)) for i, v in shown(STATUS_LINES)],
        "status line",
    ),
    *refused(
        "RFC 9112 4, RFC 9110 5.5",
        [(i, answer(first=OK + v + b"!")) for i, v in shown(NOT_IN_A_VALUE)],
        "in a reason",
    ),
    *refused(
        "RFC 9112 5", [(i, answer(v, b"Content-Length: 0")) for i, v in shown(LINES)], "header line"
    ),
    *refused(
        "RFC 9110 5.1",
        [(i, answer(b"X" + v + b"Y: 1")) for i, v in shown(NOT_IN_A_NAME)],
        "in a name",
    ),
    *refused(
        "RFC 9110 5.5",
        [(i, answer(b"X: a" + v + b"b")) for i, v in shown(NOT_IN_A_VALUE)],
        "in a value",
    ),
    *refused(
        "RFC 9110 8.6",
        [(i, answer(b"Content-Length: " + v, body=b"hello")) for i, v in shown(LENGTHS)],
        "Content-Length",
    ),
    *refused(
        "RFC 9112 6.3",
        [(i, answer(v, body=b"hello")) for i, v in shown(b"\r\n".join(s) for s in LENGTH_SETS)],
        "lengths",
    ),
    *refused(
        "RFC 9112 6.3: response splitting",
        [(i, answer(v, body=b"0\r\n\r\n")) for i, v in shown(b"\r\n".join(s) for s in BOTH)],
        "both",
    ),
    *refused(
        "RFC 9112 6.1 and 6.3",
        [
            (i, answer(b"Transfer-Encoding: " + v, body=b"0\r\n\r\n"))
            for i, v in shown((*CODINGS, *UNKNOWN_BEFORE_CHUNKED))
        ],
        "Transfer-Encoding",
    ),
    *refused(
        "RFC 9112 6.1",
        [(i, answer(v, body=b"0\r\n\r\n")) for i, v in shown(b"\r\n".join(s) for s in CODING_SETS)],
        "codings",
    ),
    BadAnswer(
        "chunked in HTTP/1.0",
        answer(CHUNKED, body=b"0\r\n\r\n", first=b"HTTP/1.0 200 OK"),
        "RFC 9112 6.1",
    ),
    *refused("bounds", SIZES, "size"),
    *refused("RFC 9110 15.2", INTERIM, "interim"),
    *refused("RFC 9112 2.2", ENDLESS, "no end"),
    *(
        BadAnswer(f"closed within a head: {i}", v, "RFC 9112 8", closes=True)
        for i, v in shown(CUT_HEADS)
    ),
    BadAnswer(
        "a HEAD's answer is no less checked",
        answer(b"Content-Length: x"),
        "RFC 9110 8.6",
        method=b"HEAD",
    ),
]
BY_CONNECTIONS: list[BadAnswer] = refused("RFC 9110 15.2", OUT_OF_PLACE, "interim")
