"""Requests that are valid, however odd: they go up, and mean there what they meant here."""

from __future__ import annotations

from tests.conformance.cases import HOST, Message, Valid, get, head, shown

GET = Message(b"GET /")
POST = Message(b"POST /", b"hello")
TOKEN_BYTES = b"!#$%&'*+-.^_`|~09azAZ"
MAX_KB = b"a" * 15_000

METHODS = [
    *(
        b"GET",
        b"HEAD",
        b"POST",
        b"PUT",
        b"DELETE",
        b"OPTIONS",
        b"TRACE",
        b"PATCH",
        b"QUERY",
        b"PROPFIND",
        b"REPORT",
    ),
    *(
        b"M-SEARCH",
        b"PURGE",
        b"LINK",
        b"SEARCH",
        b"FOOBAR",
        b"get",
        b"Get",
        b"XGET",
        b"G",
        b"connect",
        b"PRI",
        b"HTTP",
    ),
    *(TOKEN_BYTES, b"A" * 1000, b"1", b"GET.", b"_", b"ANNOUNCE", b"SOURCE"),
]
TARGETS = [
    *(
        b"/",
        b"//",
        b"/a//b",
        b"/a/../b",
        b"/./a",
        b"/..",
        b"/a;b=c",
        b"/a:b@c",
        b"/~a",
        b"/-._~!$&'()*+,;=:@",
    ),
    *(
        b"/%2F",
        b"/%00",
        b"/%0d%0aX:%20y",
        b"/%zz",
        b"/%",
        b"/100%",
        b"/%C3%BC",
        b"/%c3%bc",
        b"/a%20b",
        b"/%2e%2e/a",
    ),
    *(
        b"/?",
        b"/?a",
        b"/?a=b&c=d",
        b"/a?b?c",
        b"/?a=/b/../c",
        b"/?url=http://a/b",
        b"/a?%23",
        b"/?a%00b",
        b"/?a[]=1",
    ),
    *(
        b"/a|b",
        b'/with_"lovely"_quotes?foo=\\"bar\\"',
        b"/{a}",
        b"/a^b",
        b"/a`b",
        b"/[a]",
        b"/<a>",
        b"/a\\b",
        b"/?q=|",
    ),
    *(
        b"/" + b"a" * 8000,
        b"/long/" + MAX_KB,
        b"/?" + b"a=b&" * 2000,
        b"/*",
        b"/http://a/",
        b"/GET",
        b"/HTTP/1.1",
    ),
]
FORMS = [
    (b"GET http://localhost/", GET),
    (b"GET http://localhost", GET),
    (b"GET HTTP://localhost/", GET),
    (b"GET http://LOCALHOST/", GET),
    (b"GET http://localhost:80/", GET),
    (b"GET http://localhost:/", GET),
    (b"GET http://localhost/a/b?c=d", Message(b"GET /a/b?c=d")),
    (b"GET http://localhost?a=b", Message(b"GET /?a=b")),
    (b"GET http://localhost:8080?a=b", Message(b"GET /?a=b")),
    (b"GET https://localhost/a", Message(b"GET /a")),
    (b"GET http://localhost//a", Message(b"GET //a")),
    (b"OPTIONS *", Message(b"OPTIONS *")),
    (b"OPTIONS /", Message(b"OPTIONS /")),
    (b"OPTIONS http://localhost", Message(b"OPTIONS *")),
    (b"OPTIONS http://localhost/", Message(b"OPTIONS /")),
    (b"OPTIONS http://localhost:80", Message(b"OPTIONS *")),
]
HOSTS = [
    *(
        b"localhost",
        b"LOCALHOST",
        b"LocalHost",
        b"localhost:80",
        b"localhost:",
        b"localhost:8080",
        b"localhost.",
    ),
    *(b"localhost:00080", b"\tlocalhost", b"localhost \t", b"   localhost   "),
]
LINES = [
    (b"A:b", b"a: b"),
    (b"A:  b", b"a: b"),
    (b"A:\tb", b"a: b"),
    (b"A: \t b \t ", b"a: b"),
    (b"A:", b"a: "),
    (b"A: ", b"a: "),
    (b"A: \t ", b"a: "),
    (b"A: b c\td", b"a: b c\td"),
    (b"A: a a a a a ", b"a: a a a a a"),
    (b"A: \xc3\xbc", b"a: \xc3\xbc"),
    (b"A: \xff\xfe\x80", b"a: \xff\xfe\x80"),
    (b"A: :b", b"a: :b"),
    (b"A: b: c", b"a: b: c"),
    (b'A: "b\\"c"', b'a: "b\\"c"'),
    (b"A: (b (c))", b"a: (b (c))"),
    (b"A: b, , c,", b"a: b, , c,"),
    (b"A: " + b"b" * 20_000, b"a: " + b"b" * 20_000),
    (b"a" * 1000 + b": b", b"a" * 1000 + b": b"),
    (b"!#$%&'*+-.^_`|~: b", b"!#$%&'*+-.^_`|~: b"),
    (b"0: 1", b"0: 1"),
    (b"aaaaaaaaaaaaa:++++++++++", b"aaaaaaaaaaaaa: ++++++++++"),
    (b"X_Under_Score: b", b"x_under_score: b"),
    (b'Cookie: a=b; c="d"; $e=f', b'cookie: a=b; c="d"; $e=f'),
    (b"Content-Type: a\r\nContent-Type: b", b"content-type: b"),
    (b"Range: bytes=abc", b"range: bytes=abc"),
    (b"Accept: application/x-nonsense", b"accept: application/x-nonsense"),
    (b"Content-Encoding: chunked", b"content-encoding: chunked"),
    (b"Authorization: Basic a:b", b"authorization: Basic a:b"),
]
# Lines that mean something here, or to nobody behind us: the request goes up without them.
SILENT = [
    *(
        b"Connection: keep-alive",
        b"Connection: Keep-Alive",
        b"Connection:",
        b"Connection: ,",
        b"Connection: a, ,b",
    ),
    *(
        b"Connection: close, a",
        b"Connection: upgrade\r\nUpgrade: h2c",
        b"Upgrade: websocket",
        b"Upgrade: a/1.0",
    ),
    *(
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
        b"TE: trailers",
    ),
    *(
        b"TE: gzip;q=0.5",
        b"Keep-Alive: timeout=5",
        b"Proxy-Connection: keep-alive",
        b"Trailer: A",
        b"Expect: 100-Continue",
    ),
    *(
        b"Transfer_Encoding: chunked",
        b"Content_Length: 99",
        b"X_Forwarded_For: 1.2.3.4",
        b'Connection: "a"',
    ),
    *(
        b"A: b\r\nConnection: a",
        b"Connection: host",
        b"Connection: Transfer-Encoding",
        b"Connection: close\t",
    ),
]
ROWS: list[Valid] = [
    *(
        Valid(
            f"method: {i[:40]}",
            head(v + b" / HTTP/1.1", HOST),
            (Message(v + b" /"),),
            "RFC 9110 9.1",
        )
        for i, v in shown(METHODS)
    ),
    *(
        Valid(
            f"target: {i[:40]}",
            head(b"GET " + v + b" HTTP/1.1", HOST),
            (Message(b"GET " + v),),
            "RFC 9112 3.2.1",
        )
        for i, v in shown(TARGETS)
    ),
    *(
        Valid(f"form: {v.decode()}", head(v + b" HTTP/1.1", HOST), (means,), "RFC 9112 3.2")
        for v, means in FORMS
    ),
    *(
        Valid(
            f"form, another Host: {v.decode()}",
            head(v + b" HTTP/1.1", b"Host: other"),
            (means,),
            "RFC 9112 3.2.2",
        )
        for v, means in FORMS
        if b"localhost" in v
    ),
    *(
        Valid(f"Host: {i}", head(b"GET / HTTP/1.1", b"Host:" + v), (GET,), "RFC 9110 7.2")
        for i, v in shown(HOSTS)
    ),
    *(
        Valid(
            f"header line: {raw[:40]!r}",
            get(raw),
            (Message(b"GET /", lines=(line,)),),
            "RFC 9110 5.5",
        )
        for raw, line in LINES
    ),
    *(
        Valid(f"goes no further: {i[:60]}", get(v), (GET,), "RFC 9110 7.6.1")
        for i, v in shown(SILENT)
    ),
    Valid("HTTP/1.0", head(b"GET / HTTP/1.0", HOST), (GET,), "RFC 9112 2.3"),
    Valid(
        "HTTP/1.0 with a body",
        head(b"POST / HTTP/1.0", HOST, b"Content-Length: 5") + b"hello",
        (POST,),
        "RFC 9112 6.3",
    ),
    Valid(
        "HTTP/1.0 with an Expect",
        head(b"POST / HTTP/1.0", HOST, b"Expect: 100-continue", b"Content-Length: 5") + b"hello",
        (POST,),
        "RFC 9110 10.1.1",
    ),
    Valid(
        "HTTP/1.0 with an Upgrade",
        head(b"GET / HTTP/1.0", HOST, b"Connection: Upgrade", b"Upgrade: websocket"),
        (GET,),
        "RFC 9110 7.8",
    ),
    Valid("a later minor version", head(b"GET / HTTP/1.2", HOST), (GET,), "RFC 9110 2.5"),
    Valid("the latest minor version", head(b"GET / HTTP/1.9", HOST), (GET,), "RFC 9110 2.5"),
    Valid("99 header lines and Host", get(*[b"A: b"] * 99), (GET,), "RFC 9110 5.4"),
]
