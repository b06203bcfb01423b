"""Requests that are refused for a header line, for Host, or for how their lines end."""

from __future__ import annotations

from tests.conformance.cases import CHUNKED, HOST, Refused, get, head, post, rows, shown
from tests.conformance.requests_refused_lines import CONTROLS, DELIMITERS, HIGH

NOT_IN_A_NAME = [byte for byte in (*CONTROLS, *HIGH, *DELIMITERS, b" ") if byte != b":"]
NOT_IN_A_VALUE = [byte for byte in CONTROLS if byte != b"\t"]

HOSTS = [
    *(b"", b" ", b"\t", b"a b", b"a\tb", b"a, b", b"a ,b", b"localhost, localhost", b"a;b c"),
    *(
        b"a@localhost",
        b"a:b@localhost",
        b"@localhost",
        b"localhost/",
        b"localhost/a",
        b"/",
        b"localhost?a",
    ),
    *(
        b"localhost#a",
        b"http://localhost",
        b"//localhost",
        b"*@",
        b"localhost\\a",
        b"\\\\localhost",
    ),
    *(
        b"::1",
        b"[::1",
        b"::1]",
        b"[]",
        b"[::1]a",
        b"[::1]:a",
        b"[::1]80",
        b"[v1.a]",
        b"[a]:b:c",
        b"[[::1]]",
    ),
    *(
        b":80",
        b":",
        b"localhost:a",
        b"localhost:80a",
        b"localhost:-1",
        b"localhost:+80",
        b"localhost:80:80",
    ),
    *(b"localhost: 80", b"localhost :80", b"localhost:0x50", b"localhost:8_0", b"localhost::80"),
    *(b'"localhost"', b"<localhost>", b"a|b", b"a^b", b"a`b", b"{a}", b"a%", b"a%2", b"a%zz", b"%"),
    *(
        b"loc\x80alhost",
        b"\xc3\xbc",
        b"localhost\xa0",
        b"\xfflocalhost",
        b"localhost\x00.example.com",
    ),
    *(b"localhost\x7f", b"localhost\x0b", b"local\rhost", b"local\nhost", b"localhost\r", b"\x00"),
]

HOST_SETS = [
    ("none", head(b"GET / HTTP/1.1")),
    ("none, other lines", head(b"GET / HTTP/1.1", b"Accept: */*", b"X-Host: localhost")),
    ("none in HTTP/1.2", head(b"GET / HTTP/1.2")),
    ("two", get(b"Host: other")),
    ("the same twice", get(HOST)),
    ("the same in another case", get(b"hOST: localhost")),
    ("an empty one after", get(b"Host:")),
    ("an empty one before", head(b"GET / HTTP/1.1", b"Host:", HOST)),
    ("three", get(HOST, HOST)),
    ("two, far apart", get(b"A: b", b"C: d", HOST)),
    ("two in HTTP/1.0", head(b"GET / HTTP/1.0", HOST, b"Host: b")),
    ("a malformed one in HTTP/1.0", head(b"GET / HTTP/1.0", b"Host: a b")),
    ("absolute-form, none", head(b"GET http://localhost/ HTTP/1.1")),
    ("absolute-form, two", head(b"GET http://localhost/ HTTP/1.1", HOST, HOST)),
    ("absolute-form, malformed", head(b"GET http://localhost/ HTTP/1.1", b"Host: a b")),
    ("absolute-form, empty", head(b"GET http://localhost/ HTTP/1.1", b"Host:")),
    ("OPTIONS *, none", head(b"OPTIONS * HTTP/1.1")),
    ("the name cut in two", head(b"GET / HTTP/1.1", b"Ho", b"st: localhost")),
    ("underscores are another name", head(b"GET / HTTP/1.1", b"H_ost: localhost")),
]

LINES = [
    *(b"A", b"A b", b"A;b", b"A=b", b": b", b" : b", b":", b"::", b"A : b", b"A\t: b", b"A \t : b"),
    *(
        b" A: b",
        b"\tA: b",
        b"  A: b",
        b" ",
        b"\t",
        b"  \t ",
        b"A\r: b",
        b"A: b\r",
        b"A: b\r\r",
        b"\rA: b",
    ),
    *(
        b"A: b\n",
        b"\nA: b",
        b"A: b\n c",
        b"A: b\rC: d",
        b"A: b\nC: d",
        b"A:\rC: d",
        b"A:\nC: d",
        b"A:\n\nC",
    ),
    *(
        b"A: b\n\nGET /evil HTTP/1.1",
        b"A: b\r\n c",
        b"A: b\r\n\tc",
        b"A:\r\n b",
        b"A: b\r\n ",
        b"A: b\r\n\t",
    ),
    *(
        b"A: b\r\n c\r\n d",
        b"A\r\n : b",
        b"A\r\n: b",
        b"(comment)",
        b"Content-Length 5",
        b"GET / HTTP/1.1",
    ),
    *(
        b"en-US Content-Type: text/xml",
        b"Connection\r\x1b5\xd5eep-Alive: a",
        b"X-A\x00: b",
        b"\x00",
        b"A\xa0: b",
    ),
    *(
        b"A: b\x00",
        b"A: \x00b",
        b"A:\x00",
        b"A: \x0b",
        b"A: b\x1b[31m",
        b"A: \x7f",
        b"Cookie: a=\x01b",
    ),
    *(
        b"Transfer-\r\nEncoding: chunked",
        b"TransferEncoding chunked",
        b'"A": b',
        b"A,B: c",
        b"A/B: c",
        b"[A]: b",
    ),
]

ENDS = [
    ("LF LF", b"GET / HTTP/1.1\r\nHost: localhost\n\n"),
    ("CRLF LF", b"GET / HTTP/1.1\r\nHost: localhost\r\n\n"),
    ("LF CRLF", b"GET / HTTP/1.1\r\nHost: localhost\n\r\n"),
    ("CR CR LF", b"GET / HTTP/1.1\r\nHost: localhost\r\r\n\r\n"),
    ("CR LF CR CR LF", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\r\n"),
    ("CR CR", b"GET / HTTP/1.1\r\nHost: localhost\r\r"),
    ("LF CR", b"GET / HTTP/1.1\r\nHost: localhost\n\r"),
    (
        "CRLF CR X",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\rXGET /evil: HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    ("CRLF CR and a name", b"GET / HTTP/1.1\r\nHost: localhost\r\n\rA: b\r\n\r\n"),
    (
        "CRLF CR and a body",
        b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\rabc\r\n\r\n",
    ),
    ("CRLF NUL CRLF", b"GET / HTTP/1.1\r\nHost: localhost\r\n\x00\r\n\r\n"),
    ("CRLF space CRLF", b"GET / HTTP/1.1\r\nHost: localhost\r\n \r\n\r\n"),
    ("CRLF VT CRLF", b"GET / HTTP/1.1\r\nHost: localhost\r\n\x0b\r\n\r\n"),
    ("LF after the request line", b"GET / HTTP/1.1\nHost: localhost\r\n\r\n"),
    ("CR after the request line", b"GET / HTTP/1.1\rHost: localhost\r\n\r\n"),
    ("LF in the middle", b"GET / HTTP/1.1\r\nA: b\nHost: localhost\r\n\r\n"),
    ("LF in the middle, framing after", get(b"X: x\nTransfer-Encoding: chunked")),
    ("CR in the middle, framing after", get(b"X: x\rTransfer-Encoding: chunked")),
    ("a space before the first line", b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n"),
    ("a tab before the first line", b"GET / HTTP/1.1\r\n\tHost: localhost\r\n\r\n"),
    ("a line of spaces before the first", b"GET / HTTP/1.1\r\n \r\nHost: localhost\r\n\r\n"),
    ("a fold of the first line", b"GET / HTTP/1.1\r\nHost:\r\n localhost\r\n\r\n"),
    ("an unfinished fold", b"GET / HTTP/1.1\r\n Host: localhost"),
    ("an unfinished fold with a tab", b"GET / HTTP/1.1\r\nHost: localhost\r\n\tA"),
    ("a fold of Content-Length", post(b"Content-Length:\r\n 5", body=b"hello")),
    ("a fold of Content-Length's digits", post(b"Content-Length: 1\r\n 0", body=b"0123456789")),
    ("a fold of Transfer-Encoding", post(b"Transfer-Encoding:\r\n chunked", body=b"0\r\n\r\n")),
    ("a fold after chunked", post(CHUNKED + b"\r\n  abc", body=b"5\r\nhello\r\n0\r\n\r\n")),
    ("a fold with a tab after chunked", post(CHUNKED + b"\r\n\t", body=b"0\r\n\r\n")),
]

SIZES = [
    ("101 header lines", get(*[b"A: b"] * 100)),
    ("1000 header lines", get(*[b"X-%d: value" % n for n in range(1000)])),
    ("10,000 header lines", get(*[b"X-%d: value" % n for n in range(10_000)])),
    ("a value of 100 KB", get(b"A: " + b"b" * 100_000)),
    ("a name of 100 KB", get(b"A" * 100_000 + b": b")),
    ("values of 100 KB together", get(*[b"A: " + b"b" * 10_000] * 10)),
    ("a value of 100 KB without an end", b"GET / HTTP/1.1\r\nA: " + b"b" * 100_000),
    ("a Host of 100 KB", head(b"GET / HTTP/1.1", b"Host: " + b"b" * 100_000)),
]

EXPECTATIONS = [
    *(
        b"tea",
        b"200-ok",
        b"",
        b"100",
        b"100-continue, tea",
        b"tea, 100-continue",
        b"100-continue;q=1",
    ),
    *(b"100-continue,", b"100 continue", b"102-processing", b'"100-continue"', b"100-continuee"),
]

ROWS: list[Refused] = [
    *rows(
        "RFC 9110 7.2, RFC 3986 3.2.2",
        400,
        [(i, head(b"GET / HTTP/1.1", b"Host: " + v)) for i, v in shown(HOSTS)],
        "Host",
    ),
    *rows("RFC 9112 3.2", 400, HOST_SETS, "Hosts"),
    *rows("RFC 9112 5", 400, [(i, get(v)) for i, v in shown(LINES)], "header line"),
    *rows(
        "RFC 9110 5.1 and 5.6.2",
        400,
        [(i, get(b"X" + v + b"Y: 1")) for i, v in shown(NOT_IN_A_NAME)],
        "in a name",
    ),
    *rows(
        "RFC 9110 5.5",
        400,
        [(i, get(b"X: a" + v + b"b")) for i, v in shown(NOT_IN_A_VALUE)],
        "in a value",
    ),
    *rows("RFC 9112 2.2 and 5.2", 400, ENDS, "line ends"),
    *rows("RFC 6585 5", 431, SIZES, "size"),
    *rows(
        "RFC 9110 10.1.1",
        417,
        [
            (i, post(b"Expect: " + v, b"Content-Length: 1", body=b"a"))
            for i, v in shown(EXPECTATIONS)
        ],
        "Expect",
    ),
]
