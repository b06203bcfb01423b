"""Requests that are refused for their request line, or for what comes before it."""

from __future__ import annotations

from tests.conformance.cases import HOST, Refused, get, head, rows, shown

CONTROLS = [bytes([byte]) for byte in (*range(0x20), 0x7F)]
HIGH = [b"\x80", b"\x85", b"\xa0", b"\xc3\xa9", b"\xff"]
DELIMITERS = [bytes([byte]) for byte in b'"(),/:;<=>?@[\\]{}']

SHAPES = [
    b"",
    b"GET",
    b"GET ",
    b"GET /",
    b"GET / ",
    b"GET HTTP/1.1",
    b"GET  HTTP/1.1",
    b" / HTTP/1.1",
    b"/ HTTP/1.1",
    b"GET  / HTTP/1.1",
    b"GET /  HTTP/1.1",
    b" GET / HTTP/1.1",
    b"\tGET / HTTP/1.1",
    b"GET\t/ HTTP/1.1",
    b"GET /\tHTTP/1.1",
    b"GET \t/ HTTP/1.1",
    b"GET\x0b/ HTTP/1.1",
    b"GET\x0c/ HTTP/1.1",
    b"GET\r/ HTTP/1.1",
    b"GET\xa0/ HTTP/1.1",
    b"GET\n/ HTTP/1.1",
    b"GET /\nHTTP/1.1",
    b"GET /\rHTTP/1.1",
    b"GET / HTTP/1.1 ",
    b"GET / HTTP/1.1\t",
    b"GET / HTTP/1.1\r",
    b"GET / HTTP/1.1\x00",
    b"GET / HTTP/1.1 x",
    b"GET / HTTP/1.1 HTTP/1.1",
    b"GET / HTTP/1.1 GET / HTTP/1.1",
    b"GET /a b HTTP/1.1",
    b"GET /a b/c d HTTP/1.1",
    b"GET, / HTTP/1.1",
    b"Extra lineGET / HTTP/1.1",
    b"http://localhost/ GET HTTP/1.1",
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 GET /",
    b"{}",
    b"MKCOL/ HTTP/1.1",
    b"GET/ HTTP/1.1",
    b"GET /HTTP/1.1",
    b"\x00 / HTTP/............0596.7407.",
]
VERSIONS = [
    *(b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"HTTP/11", b"HTTP/1.1.1", b"HTTP/1.10", b"HTTP/1.01"),
    *(b"HTTP/01.1", b"HTTP/01.01", b"HTTP/1.32", b"HTTP/10.1", b"HTTP/ 1.1", b"HTTP/1 .1"),
    *(
        b"HTTP/1. 1",
        b"HTTP /1.1",
        b"HTTP 1.1",
        b"HTTP/1,1",
        b"HTTP\\1.1",
        b"HTTP//1.1",
        b"HTTP-1.1",
    ),
    *(
        b"HTTP/-1.1",
        b"HTTP/+1.1",
        b"HTTP/1.-1",
        b"HTTP/1.+1",
        b"HTTP/a.b",
        b"HTTP/1.x",
        b"HTTP/x.1",
    ),
    *(b"HTTP/1.1x", b"HTTP/1.1;", b"HTTP/1.1,", b"HTTP/0x1.1", b"HTTP/1_1", b"HTTP", b"HTTP/"),
    *(b"HTTP/4294967295.255", b"HTTP/4294967297.1", b"HTTP/257.1", b"HTTP/1.257"),
    *(b"HTTP/\r\r1.1", b"HTTP/1\x00.1", b"HTTP/\xd9\xa1.\xd9\xa1", b"HTTP/\xef\xbc\x91.1"),
    *(b"http/1.1", b"Http/1.1", b"hTTP/1.1", b"HTTp/1.1", b"HTP/1.1", b"HTTPS/1.1", b"HTTPER/1.1"),
    *(b"XHTTP/1.1", b"IHTTP/1.0", b"ICE/1.0", b"RTSP/1.0", b"SIP/2.0", b"H/1.1", b"1.1"),
]
OTHER_VERSIONS = [
    b"HTTP/0.0",
    b"HTTP/0.9",
    b"HTTP/2.0",
    b"HTTP/2.1",
    b"HTTP/3.0",
    b"HTTP/5.6",
    b"HTTP/9.9",
]
FRAGMENTS = [
    *(b"#", b"/#", b"/a#", b"/a#b", b"/a?b#c", b"/a#b#c", b"/%23#", b"*#"),
    *(b"http://localhost/#a", b"http://localhost#a", b"http://localhost/?a#b"),
]
TARGETS = [
    *(
        b"!",
        b"a",
        b"index.html",
        b"?q=1",
        b":80",
        b"localhost",
        b"localhost:80",
        b"..",
        b"./a",
        b"\\",
    ),
    *(
        b"**",
        b"*a",
        b"*/",
        b"*?a",
        b"%2f",
        b"@",
        b"http",
        b"http:",
        b"http:/",
        b"http:a",
        b"http:/a",
    ),
    *(b"http://", b"http:///", b"http:///a", b"http://?a", b"http://:80/", b"http//localhost/"),
    *(b"http:\\\\localhost\\", b"http:/\\localhost/", b"://localhost/", b"//localhost:x@", b"///"),
    *(b"ftp://localhost/", b"file://localhost/", b"ws://localhost/", b"wss://localhost/"),
    *(b"javascript:alert(1)", b"mailto:a@localhost", b"data:,a", b"urn:a:b", b"httpx://localhost/"),
    *(b"http://a@localhost/", b"http://a:b@localhost/", b"http://@localhost/", b"http://a%40b@c/"),
    *(b"http://localhost:8x/", b"http://localhost:-1/", b"http://localhost:80:80/", b"http://::1/"),
    *(b"http://[::1/", b"http://::1]/", b"http://[]/", b"http://[::1]x/", b"http://[v1.a]/"),
    *(
        b"http://a<b/",
        b"http://a|b/",
        b'http://"a"/',
        b"http://a%/",
        b"http://a%zz/",
        b"http://a\\b/",
    ),
    *(b"http://a^b/", b"http://{a}/", b"http://a`b/", b"http://localhost,b:x/", b"http://a>b/"),
]
TARGETS = [target for target in TARGETS if not target.startswith(b"//")]  # empty segments are valid
BEFORE = [
    *(b"\n", b"\r", b" ", b"\t", b"\x00", b"\xef\xbb\xbf", b"\x0b", b"\x0c", b"\r\r\n", b"\n\n"),
    *(b"\r\n\n", b"\r\n\r", b"\r\n\r\n\r", b" \r\n", b"\r\n ", b"\r\n\t", b"X\r\n", b"0\r\n"),
    *(
        b"\r\nX\r\n",
        b"0\r\n\r\n",
        b"\xff\xfe",
        b"\x1b[A",
        b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
    ),
]
# What other protocols say first; some of it never comes to an empty line.
STRANGERS = [
    ("a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)),
    ("an SSL 2 handshake", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"),
    ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("SMTP", b"EHLO localhost\r\n"),
    ("Redis", b"*1\r\n$4\r\nPING\r\n"),
    ("SOCKS 5", b"\x05\x01\x00"),
    ("PROXY protocol 2", b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"),
    ("PostgreSQL", b"\x00\x00\x00\x08\x04\xd2\x16\x2f"),
    ("LDAP", b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03"),
    ("JSON", b'{"jsonrpc": "2.0", "method": "a"}\n'),
    ("a simple request of HTTP/0.9", b"GET /\r\n"),
    ("HTTP/0.9 with a bare LF", b"GET /\n"),
    ("a whole head with bare LFs", b"GET / HTTP/1.1\nHost: localhost\n\n"),
    ("a whole head with bare CRs", b"GET / HTTP/1.1\rHost: localhost\r\r"),
    ("a line of spaces", b"   \r\n\r\n"),
    ("noise", bytes(range(128, 192))),
    ("RTSP", b"OPTIONS rtsp://localhost/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
    ("the end of a chunked body", b"0\r\n\r\n"),
]

ROWS: list[Refused] = [
    *rows("RFC 9112 3", 400, [(i, head(v, HOST)) for i, v in shown(SHAPES)], "line"),
    *rows(
        "RFC 9112 2.3", 400, [(i, head(b"GET / " + v, HOST)) for i, v in shown(VERSIONS)], "version"
    ),
    *rows(
        "RFC 9110 15.6.6",
        505,
        [(i, head(b"GET / " + v, HOST)) for i, v in shown(OTHER_VERSIONS)],
        "version",
    ),
    *rows(
        "RFC 9110 5.6.2",
        400,
        [
            (i, head(b"G" + v + b"T / HTTP/1.1", HOST))
            for i, v in shown((*CONTROLS, *HIGH, *DELIMITERS))
        ],
        "in a method",
    ),
    *rows(
        "RFC 9112 3.2, RFC 3986 2",
        400,
        [(i, head(b"GET /a" + v + b"b HTTP/1.1", HOST)) for i, v in shown((*CONTROLS, *HIGH))],
        "in a target",
    ),
    *rows(
        "RFC 9112 3.2: no form of a target has a fragment",
        400,
        [(i, head(b"GET " + v + b" HTTP/1.1", HOST)) for i, v in shown(FRAGMENTS)],
        "fragment",
    ),
    *rows(
        "RFC 9112 3.2",
        400,
        [(i, head(b"GET " + v + b" HTTP/1.1", HOST)) for i, v in shown(TARGETS)],
        "target",
    ),
    *rows(
        "RFC 9112 3.2.4: the asterisk is for OPTIONS",
        400,
        [
            (method.decode(), head(method + b" * HTTP/1.1", HOST))
            for method in (b"GET", b"HEAD", b"POST", b"M-SEARCH", b"PRI", b"options", b"TRACE")
        ],
        "asterisk",
    ),
    *rows(
        "RFC 9110 9.1: a method implemented for no resource",
        501,
        [
            (i, head(b"CONNECT " + v + b" HTTP/1.1", HOST))
            for i, v in shown((b"localhost:80", b"localhost", b"/", b"*", b"http://localhost/"))
        ],
        "CONNECT",
    ),
    *rows("RFC 9112 2.2", 400, [(i, v + get()) for i, v in shown(BEFORE)], "before"),
    *rows("RFC 9112 3", 400, STRANGERS, "not HTTP"),
    *rows(
        "RFC 9110 15.5.15",
        414,
        [
            ("a target of 20 KB", head(b"GET /" + b"a" * 20_000 + b" HTTP/1.1", HOST)),
            ("a target of 100 KB", head(b"GET /" + b"a" * 100_000 + b" HTTP/1.1", HOST)),
            ("a method of 100 KB", head(b"A" * 100_000 + b" / HTTP/1.1", HOST)),
        ],
        "size",
    ),
]
