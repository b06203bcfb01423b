"""Requests that our gateway and Envoy are both asked, and what the revisions say to them.

`DIFFERENCES` at the end names what the two treat in different ways; each name is a row of
docs/differences-from-envoy.md, which has the reason.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.conformance.envoy_world import ANSWERS, HOST

CHUNKED = b"Transfer-Encoding: chunked"
WEBSOCKET = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Version: 13",
)


class Case(NamedTuple):
    """A stream of requests on one connection, over HTTP/1.1."""

    id: str
    raw: bytes
    methods: tuple[bytes, ...] = (b"GET",)
    then: bytes = b""  # sent when something came back


class H2Case(NamedTuple):
    """One request over HTTP/2."""

    id: str
    head: list[tuple[str, str]]
    body: bytes | None = None
    trailers: list[tuple[str, str]] = []  # noqa: RUF012


def get(path: bytes = b"/", *lines: bytes, method: bytes = b"GET", host: bytes = HOST) -> bytes:
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method, path), b"Host: " + host, *lines, b"", b""])


def post(body: bytes, *lines: bytes, path: bytes = b"/", method: bytes = b"POST") -> bytes:
    return get(path, *lines, method=method) + body


def ask(id: str, *args: bytes, **options: bytes) -> Case:  # noqa: A002
    return Case(id, get(*args, **options), (options.get("method", b"GET"),))


def lengths(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


METHODS = [
    ask(f"method {method.decode()}", method=method)
    for method in (b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"TRACE", b"PROPFIND", b"PURGE")
] + [
    Case(f"method {method.decode()} with a body", post(b"abc", lengths(b"abc"), method=method))
    for method in (b"POST", b"PUT", b"PATCH", b"DELETE", b"GET", b"PROPFIND", b"REPORT")
]
TARGETS = [
    ask(f"target {target.decode()[:30]}", target)
    for target in (
        *(b"/a/b", b"/?a=b&c", b"/?", b"//a", b"//", b"/a//b", b"/./a", b"/a/../b", b"/%2e%2e/a"),
        *(b"/a;b=c", b"/%41", b"/%2F", b"/%zz", b"/%", b"/a|b", b"/[a]", b'/"', b"/{a}", b"/a^b"),
        *(b"/~a", b"/a?b?c", b"/a=b", b"/:80", b"/@", b"/a,b", b"/'", b"/(a)", b"/!$&*+", b"/`"),
        *(b"/" + b"a" * 4000, b"/?q=" + b"b" * 8000, b"/%00", b"/a\\b", b"/<a>", b"/%e2%82%ac"),
    )
]
HOSTS = [
    ask(f"host {host.decode() or 'empty'}", host=host)
    for host in (
        *(b"localhost", HOST + b":80", HOST + b":8080", HOST.upper(), b"LOCALHOST:1"),
        *(b"nobody.example.com", b"hello.default.example.com.evil.com", b"127.0.0.1", b"[::1]"),
        *(b"rules.example.com", b"headers.example.com", b"rewrite.example.com", b"example.com"),
    )
]
HEADERS = [
    ask(f"headers {'; '.join(line.decode('latin-1')[:40] for line in lines)}", b"/", *lines)
    for lines in (
        (b"X-A: 1", b"X-A: 2"),
        (b"Cookie: a=1", b"Cookie: b=2"),
        (b"Accept: text/html, */*;q=0.1",),
        (b"X-Empty:",),
        (b"X-Tight:a",),
        (b"X-Spaces:   a  b   ",),
        (b"X-Tab: a\tb",),
        (b"X-Latin: caf\xe9",),
        (b'X-Quoted: "a, b"',),
        (b"Authorization: Bearer x.y.z",),
        (b"User-Agent: curl/8",),
        (b"Accept-Encoding: gzip", b"Range: bytes=0-1"),
        (b"If-None-Match: *", b"Cache-Control: no-cache", b"Pragma: no-cache"),
        (b"Via: 1.1 a",),
        (b"Max-Forwards: 3",),
        (b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",),
        (b"B3: 0",),
        (b"X-Request-Id: mine",),
        (b"X-Forwarded-For: 1.2.3.4",),
        (b"X-Big: " + b"v" * 30_000,),
        tuple(b"X-N%d: %d" % (number, number) for number in range(80)),
        (b"!#$%&'*+-.^`|~1: odd name",),
        (b"K-Something: 1",),
        (b"Content-Type: text/plain",),
        (b"Date: Tue, 15 Nov 1994 08:12:31 GMT",),
        (b"Connection: x-hop", b"X-Hop: 1"),
        (b"Connection: keep-alive", b"Keep-Alive: timeout=5"),
        (b"Proxy-Connection: keep-alive",),
        (b"TE: trailers",),
        (b"TE: gzip",),
        (b"Expect: 200-ok",),
        (b"X_Under: 1",),
    )
]
RULES = [
    Case("a header rule", get(b"/", b"X-Tag: two", host=b"rules.example.com")),
    Case("another header rule", get(b"/", b"x-tag: three", host=b"rules.example.com")),
    Case("a rule's value is exact", get(b"/", b"X-Tag: Two", host=b"rules.example.com")),
    Case("a rule's value is whole", get(b"/", b"X-Tag: two2", host=b"rules.example.com")),
    Case("a rule's header without value", get(b"/", b"X-Tag:", host=b"rules.example.com")),
    Case(
        "a rule's header twice", get(b"/", b"X-Tag: two", b"X-Tag: two", host=b"rules.example.com")
    ),
    Case("set headers overwrite", get(b"/", b"X-Colour: red", host=b"headers.example.com")),
    Case(
        "set headers overwrite all",
        get(b"/", b"x-colour: a", b"X-COLOUR: b", b"X-Tag: u", host=b"headers.example.com"),
    ),
    Case("the host is rewritten", get(b"/p?q", b"X-Tag: u", host=b"rewrite.example.com:81")),
]
BODIES = [
    Case("an empty body", post(b"", b"Content-Length: 0"), (b"POST",)),
    Case("no body", post(b""), (b"POST",)),
    Case("a big body", post(b"x" * 500_000, lengths(b"x" * 500_000)), (b"POST",)),
    Case("a leading zero in a length", post(b"abc", b"Content-Length: 03"), (b"POST",)),
    Case("chunks", post(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", CHUNKED), (b"POST",)),
    Case("no chunk", post(b"0\r\n\r\n", CHUNKED), (b"POST",)),
    Case(
        "hexadecimal sizes",
        post(b"A\r\n0123456789\r\n00a\r\n0123456789\r\n0\r\n\r\n", CHUNKED),
        (b"POST",),
    ),
    Case("chunk extensions", post(b'3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n', CHUNKED), (b"POST",)),
    Case("trailers", post(b"3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n", CHUNKED), (b"POST",)),
    Case(
        "trailers, announced",
        post(b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", CHUNKED, b"Trailer: X-Sum"),
        (b"POST",),
    ),
    Case("CHUNKED", post(b"3\r\nabc\r\n0\r\n\r\n", b"transfer-encoding: Chunked"), (b"POST",)),
    Case(
        "100-continue",
        post(b"", b"Content-Length: 3", b"Expect: 100-continue"),
        (b"POST",),
        then=b"abc",
    ),
    Case(
        "100-continue with its body",
        post(b"abc", b"Content-Length: 3", b"Expect: 100-continue"),
        (b"POST",),
    ),
    Case("an early answer", post(b"abc", b"Content-Length: 100000", path=b"/early"), (b"POST",)),
]
ANSWERED = [
    Case(f"{method.decode()} {path.decode()}", get(path, method=method), (method,))
    for path in ANSWERS
    if path not in {b"/early", b"/ws", b"/head-chunked"}
    for method in (
        (b"GET", b"HEAD") if path in {b"/chunked", b"/304", b"/big", b"/204"} else (b"GET",)
    )
] + [Case("HEAD /head-chunked", get(b"/head-chunked", method=b"HEAD"), (b"HEAD",))]
CONNECTIONS = [
    Case("two requests", get(b"/a") + get(b"/b"), (b"GET", b"GET")),
    Case("many requests", get() * 20, (b"GET",) * 20),
    Case("a body, then a request", post(b"abc", lengths(b"abc")) + get(), (b"POST", b"GET")),
    Case("HEAD, then a request", get(b"/big", method=b"HEAD") + get(), (b"HEAD", b"GET")),
    Case("204, then a request", get(b"/204") + get(), (b"GET", b"GET")),
    Case("304, then a request", get(b"/304-length") + get(), (b"GET", b"GET")),
    Case("the client closes", get(b"/", b"Connection: close") + get(b"/b"), (b"GET", b"GET")),
    Case("Close among others", get(b"/", b"Connection: x, Close"), (b"GET",)),
    Case("the revision closes", get(b"/close") + get(), (b"GET", b"GET")),
    Case("until the revision closes", get(b"/until-close") + get(), (b"GET", b"GET")),
    Case("empty lines before", b"\r\n\r\n" + get()),
    Case("HTTP/1.0", b"GET / HTTP/1.0\r\nHost: %b\r\n\r\n" % HOST),
    Case(
        "HTTP/1.0 keep-alive",
        b"GET / HTTP/1.0\r\nHost: %b\r\nConnection: keep-alive\r\n\r\n" % HOST,
    ),
    Case("HTTP/1.0 and chunks", b"GET /chunked HTTP/1.0\r\nHost: %b\r\n\r\n" % HOST),
    Case("HTTP/1.0 without a host", b"GET / HTTP/1.0\r\n\r\n"),
    Case("absolute-form", b"GET http://%b/a?b HTTP/1.1\r\nHost: %b\r\n\r\n" % (HOST, HOST)),
    Case("absolute-form wins", b"GET http://%b/a HTTP/1.1\r\nHost: x\r\n\r\n" % HOST),
    Case("absolute-form without a path", b"GET http://%b HTTP/1.1\r\nHost: x\r\n\r\n" % HOST),
    Case("absolute-form with a port", b"GET http://%b:81/ HTTP/1.1\r\nHost: x\r\n\r\n" % HOST),
    Case("absolute-form, a query alone", b"GET http://%b?a HTTP/1.1\r\nHost: x\r\n\r\n" % HOST),
    Case("absolute-form, https", b"GET https://%b/ HTTP/1.1\r\nHost: x\r\n\r\n" % HOST),
    Case("asterisk-form", get(b"*", method=b"OPTIONS"), (b"OPTIONS",)),
    Case("CONNECT", get(b"a:1", method=b"CONNECT"), (b"GET",)),
    Case("a WebSocket", get(b"/ws", *WEBSOCKET), then=b"hello"),
    Case("no upgrade after all", get(b"/", *WEBSOCKET)),
    Case("an upgrade to something else", get(b"/", b"Connection: Upgrade", b"Upgrade: x")),
    Case(
        "h2c by upgrade",
        get(
            b"/",
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
        ),
    ),
    Case("an upgrade of another host", get(b"/ws", *WEBSOCKET, host=b"nobody.example.com")),
]
REFUSED = [
    Case(f"refused: {name}", raw)
    for name, raw in {
        "no host": b"GET / HTTP/1.1\r\n\r\n",
        "two hosts": get(b"/", b"Host: localhost"),
        "an empty host": get(host=b""),
        "a space in a name": get(b"/", b"X A: 1"),
        "a space before the colon": get(b"/", b"X-A : 1"),
        "a folded line": get(b"/", b"X-A: 1\r\n  2"),
        "a control byte": get(b"/", b"X-A: a\x01b"),
        "a NUL": get(b"/", b"X-A: a\x00b"),
        "a bare CR": get(b"/", b"X-A: a\rb"),
        "bare LFs": get().replace(b"\r\n", b"\n"),
        "no colon": get(b"/", b"X-A"),
        "an empty name": get(b"/", b": a"),
        "both framings": post(b"0\r\n\r\n", CHUNKED, b"Content-Length: 5"),
        "two lengths": post(b"abc", b"Content-Length: 3", b"Content-Length: 3"),
        "a list of lengths": post(b"abc", b"Content-Length: 3, 3"),
        "a signed length": post(b"abc", b"Content-Length: +3"),
        "a length in hexadecimal": post(b"abc", b"Content-Length: 0x3"),
        "gzip, chunked": post(b"0\r\n\r\n", b"Transfer-Encoding: gzip, chunked"),
        "identity": post(b"abc", b"Transfer-Encoding: identity"),
        "chunked twice": post(b"0\r\n\r\n", CHUNKED, CHUNKED),
        "a space in the target": get(b"/a b"),
        "a fragment": get(b"/a#b"),
        "no slash": get(b"a"),
        "another scheme": b"GET ftp://%b/ HTTP/1.1\r\nHost: x\r\n\r\n" % HOST,
        "8 bits in the target": get(b"/caf\xe9"),
        "HTTP/1.2": get().replace(b"HTTP/1.1", b"HTTP/1.2"),
        "HTTP/2.0": get().replace(b"HTTP/1.1", b"HTTP/2.0"),
        "http/1.1": get().replace(b"HTTP/1.1", b"http/1.1"),
        "no version": b"GET /\r\n\r\n",
        "a head of 70 KB": get(b"/", b"X-Big: " + b"v" * 70_000),
        "120 lines": get(b"/", *(b"X-N%d: 1" % number for number in range(120))),
    }.items()
]


def h2(method: str = "GET", path: str = "/", host: str = HOST.decode()) -> list[tuple[str, str]]:
    return [(":method", method), (":scheme", "http"), (":path", path), (":authority", host)]


_TO_H2C = h2("POST", "/pkg.Service/Method", "h2c.example.com")
_GRPC = [("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "5S")]
_MESSAGE = b"\x00\x00\x00\x00\x03abc"
OVER_H2 = [
    H2Case("GET", h2()),
    H2Case("GET of another host", h2(host="nobody.example.com")),
    H2Case("a host with a port", h2(host=HOST.decode() + ":8080")),
    H2Case("HEAD", h2("HEAD", "/big")),
    H2Case("a big answer", h2(path="/big")),
    H2Case("chunks become DATA", h2(path="/chunked")),
    H2Case("trailers come back", h2(path="/trailers")),
    H2Case("204", h2(path="/204")),
    H2Case("304", h2(path="/304")),
    H2Case("503", h2(path="/503")),
    H2Case("a body", h2("POST"), b"abc"),
    H2Case("a body of a known length", [*h2("POST"), ("content-length", "3")], b"abc"),
    H2Case("an empty body", h2("POST"), b""),
    H2Case("trailers go up", h2("POST"), b"abc", [("x-sum", "1")]),
    H2Case("headers", [*h2(), ("x-a", "1"), ("x-empty", ""), ("accept", "*/*")]),
    H2Case("cookies are joined", [*h2(), ("cookie", "a=1"), ("cookie", "b=2")]),
    H2Case("te: trailers", [*h2(), ("te", "trailers")]),
    H2Case("a header rule", [*h2(host="rules.example.com"), ("x-tag", "two")]),
    H2Case("a rewritten host", h2(host="rewrite.example.com")),
    H2Case("set headers", [*h2(host="headers.example.com"), ("x-colour", "red")]),
    H2Case("gRPC", [*_TO_H2C, *_GRPC], _MESSAGE),
    H2Case(
        "gRPC, trailers alone", [*h2("POST", "/trailers-only", "h2c.example.com"), *_GRPC], _MESSAGE
    ),
    H2Case("gRPC of another host", [*h2("POST", "/a", "nobody.example.com"), *_GRPC], _MESSAGE),
    H2Case("to h2c: GET", h2(host="h2c.example.com")),
    H2Case("to h2c: HEAD", h2("HEAD", "/", "h2c.example.com")),
    H2Case("to h2c: 204", h2("GET", "/204", "h2c.example.com")),
    H2Case("to h2c: trailers", _TO_H2C, b"abc", [("x-sum", "1")]),
]
TO_H2C = [
    Case("to h2c: a request", get(b"/a?b", b"X-A: 1", host=b"h2c.example.com")),
    Case("to h2c: HEAD", get(method=b"HEAD", host=b"h2c.example.com"), (b"HEAD",)),
    Case("to h2c: 204", get(b"/204", host=b"h2c.example.com")),
    Case(
        "to h2c: a body",
        get(b"/", b"Content-Length: 3", method=b"PUT", host=b"h2c.example.com") + b"abc",
    ),
    Case(
        "to h2c: chunks and trailers",
        get(b"/", CHUNKED, method=b"PUT", host=b"h2c.example.com")
        + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    ),
]
CASES = [
    *METHODS,
    *TARGETS,
    *HOSTS,
    *HEADERS,
    *RULES,
    *BODIES,
    *ANSWERED,
    *CONNECTIONS,
    *REFUSED,
    *TO_H2C,
]

# A row of docs/differences-from-envoy.md, and the cases that show it.
DIFFERENCES: dict[str, tuple[str, ...]] = {
    "no-content": ("method OPTIONS", "method PROPFIND", "method PURGE", "no body"),
    "length-rewritten": ("a leading zero in a length",),
    "te": ("headers TE: trailers", "over h2: te: trailers"),
    "expectation": ("headers Expect: 200-ok",),
    "continue": ("100-continue with its body",),
    "interim": ("GET /103", "GET /102"),
    "connection-names": ("GET /hop",),
    "joined": ("GET /cookies",),
    "unasked-101": ("GET /bad/101",),
    "upgrade-refused": ("no upgrade after all",),
    "upgrade-required": ("GET /426",),
    "upgrade-unknown": ("an upgrade to something else",),
    "connect": ("CONNECT",),
    "asterisk": ("asterisk-form",),
    "query-alone": ("absolute-form, a query alone",),
    "http10-host": ("HTTP/1.0 without a host",),
    "hosts": ("refused: two hosts", "refused: an empty host"),
    "folded": ("refused: a folded line",),
    "bare": ("refused: a bare CR", "refused: bare LFs"),
    "codings": ("refused: identity", "refused: chunked twice"),
    "minor-version": ("refused: HTTP/1.2",),
    "major-version": ("refused: HTTP/2.0",),
}
