"""The table that our gateway and Envoy both serve, and what the revisions behind them say."""

from __future__ import annotations

from gateway.contract import Backend, HeaderRule, Route, RouteTable, Share, Split

HOST = b"hello.default.example.com"
SPLITS = {"half": (50, 50, 0), "canary": (90, 10, 0), "three": (33, 33, 34), "all": (0, 100, 0)}
H1 = ("one", "two", "three")
H2 = ("h2c",)


def table(backends: dict[str, Backend]) -> RouteTable:
    """Return routes of every kind that a RouteTable knows."""

    def split(key: str, *shares: Share) -> Split:
        return Split(key, shares, seed=7)

    everything = Share("one", 10_000)
    blue = Share("one", 10_000, (("X-Colour", "blue"), ("x-tag", "t")))
    rules = (
        HeaderRule("x-tag", "two", split("two", Share("two", 10_000))),
        HeaderRule("x-tag", "three", split("three", Share("three", 10_000))),
    )
    routes = [
        Route("hello", (HOST.decode(), "localhost"), split("hello", everything)),
        Route("rules", ("rules.example.com",), split("rules", everything), rules=rules),
        Route("headers", ("headers.example.com",), split("headers", blue)),
        Route("rewrite", ("rewrite.example.com",), split("rewrite", blue), host="inner.local"),
        Route("h2c", ("h2c.example.com",), split("h2c", Share("h2c", 10_000))),
    ]
    for name, percents in SPLITS.items():
        shares = [Share(each, percent * 100) for each, percent in zip(H1, percents, strict=True)]
        routes.append(Route(name, (f"{name}.example.com",), split(f"s-{name}", *shares)))
    return RouteTable(1, {route.key: route for route in routes}, backends)


def answer(name: str, path: bytes) -> bytes:
    """Return what the revision says to a path; "" has an answer of its own kind."""
    mark = b"X-From: %b\r\n" % name.encode()
    said = ANSWERS.get(path, b"200 OK\r\nContent-Length: 2\r\n\r\nok")
    interim, _, final = said.rpartition(b"|")
    start, _, rest = final.partition(b"\r\n")
    return interim + b"HTTP/1.1 %b\r\n%b%b" % (start, mark, rest)


_BIG = b"x" * 300_000
ANSWERS = {
    b"/empty": b"200 OK\r\nContent-Length: 0\r\n\r\n",
    b"/big": b"200 OK\r\nContent-Length: 300000\r\n\r\n" + _BIG,
    b"/chunked": b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
    b"/trailers": b"200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
    b"/until-close": b"200 OK\r\nConnection: close\r\n\r\nabc",
    b"/close": b"200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    b"/keep-alive": b"200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n"
    b"Keep-Alive: timeout=5\r\n\r\nok",
    b"/hop": b"200 OK\r\nContent-Length: 2\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\n\r\nok",
    b"/204": b"204 No Content\r\n\r\n",
    b"/205": b"205 Reset Content\r\nContent-Length: 0\r\n\r\n",
    b"/304": b'304 Not Modified\r\nETag: "a"\r\n\r\n',
    b"/304-length": b"304 Not Modified\r\nContent-Length: 99\r\n\r\n",
    b"/head-chunked": b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"/cookies": b"200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nVary: a\r\nVary: b\r\n"
    b"Content-Length: 2\r\n\r\nok",
    b"/headers": b"200 OK\r\nX-Empty:\r\nX-Spaces:   a  b  \r\nServer: mine\r\n"
    b"Content-Length: 2\r\n\r\nok",
    b"/latin": b"200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 2\r\n\r\nok",
    b"/reason": b"200 Very Well\r\nContent-Length: 2\r\n\r\nok",
    b"/no-reason": b"200 \r\nContent-Length: 2\r\n\r\nok",
    b"/301": b"301 Moved Permanently\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
    b"/401": b"401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno",
    b"/404": b"404 Not Found\r\nContent-Length: 2\r\n\r\nno",
    b"/418": b"418 I'm a teapot\r\nContent-Length: 2\r\n\r\nno",
    b"/426": b"426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Content-Length: 2\r\n\r\nno",
    b"/500": b"500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno",
    b"/503": b"503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno",
    b"/599": b"599 Odd\r\nContent-Length: 2\r\n\r\nno",
    b"/early": b"413 Content Too Large\r\nContent-Length: 2\r\n\r\nno",
    b"/103": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n|"
    b"200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"/102": b"HTTP/1.1 102 Processing\r\n\r\n|200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"/100": b"HTTP/1.1 100 Continue\r\n\r\n|200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"/ws": b"101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"/bad/both": b"200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nok\r\n0\r\n\r\n",
    b"/bad/lengths": b"200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokx",
    b"/bad/length": b"200 OK\r\nContent-Length: +2\r\n\r\nok",
    b"/bad/coding": b"200 OK\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\nok",
    b"/bad/name": b"200 OK\r\nX Name: 1\r\nContent-Length: 2\r\n\r\nok",
    b"/bad/control": b"200 OK\r\nX-Name: a\x01b\r\nContent-Length: 2\r\n\r\nok",
    b"/bad/101": b"101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
}
