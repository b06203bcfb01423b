"""The head that goes up to the revision, and the head that comes back to the client. Pure."""

from __future__ import annotations

from gateway.http1.request import RequestHead
from gateway.http1.response import ResponseHead


def forwarding_lines(client_ip: str) -> bytes:
    """Return what every request of a client carries up when it brought no such header itself.

    `Forwarded` is synthesised as queue-proxy does from the other two (pkg/queue/forwarded_shim.go).
    """
    quoted = f'"[{client_ip}]"' if ":" in client_ip else client_ip
    return (
        f"X-Forwarded-For: {client_ip}\r\n"
        f"X-Forwarded-Proto: http\r\n"
        f"Forwarded: for={quoted};proto=http\r\n"
    ).encode("latin-1")


class HeaderRules:
    """What a split asks of the requests that it sends to one revision."""

    def __init__(self, headers: tuple[tuple[str, str], ...] = (), host: str = "") -> None:
        self.lines = "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")
        self.overwrites = frozenset(name.lower().encode("latin-1") for name, _ in headers)
        self.host = host.encode("latin-1")


def request_head(
    request: RequestHead, client_ip: str, prepared: bytes, rules: HeaderRules
) -> bytes:
    """Return the head to send up. `prepared` is `forwarding_lines`; `rules` are the split's own.

    Framing is written anew: at most one of Content-Length and Transfer-Encoding.
    """
    # The helpers' first lines, written out: two calls less for the usual request (0.1 us).
    if request.forwarded_for or request.forwarded:
        prepared = _appended(request, client_ip)
    lines = request.lines if not rules.overwrites else upstream_lines(request, rules)
    if request.chunked:
        framing = b"Transfer-Encoding: chunked\r\n\r\n"
    elif request.length >= 0:
        framing = b"Content-Length: %d\r\n\r\n" % request.length
    elif request.upgrade:
        framing = b"Connection: Upgrade\r\nUpgrade: %b\r\n\r\n" % request.upgrade
    else:
        framing = b"\r\n"
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n%b%b%b%b" % (
        request.method,
        request.target,
        rules.host or request.host,
        b"".join(lines),
        prepared,
        rules.lines,
        framing,
    )


def forwarded_lines(request: RequestHead, client_ip: str, prepared: bytes) -> bytes:
    """Return the lines that name the client: `prepared`, unless it came through other proxies."""
    if request.forwarded_for or request.forwarded:
        return _appended(request, client_ip)
    return prepared


def upstream_lines(request: RequestHead, rules: HeaderRules) -> list[bytes]:
    """Return the client's lines that go up: without those that the split sets itself.

    Kourier sets them with OVERWRITE_IF_EXISTS_OR_ADD (net-kourier `pkg/envoy/api/headers.go`).
    """
    if not rules.overwrites:
        return request.lines
    return [
        line for line in request.lines if line.partition(b":")[0].lower() not in rules.overwrites
    ]


def _appended(request: RequestHead, client_ip: str) -> bytes:
    """X-Forwarded-For appends; a Forwarded header of the client's is passed on as it is."""
    ip = client_ip.encode()
    chain = request.forwarded_for + b", " + ip if request.forwarded_for else ip
    lines = b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: http\r\n" % chain
    if request.forwarded:
        return lines + b"Forwarded: %b\r\n" % request.forwarded
    hops = [hop.strip() for hop in chain.split(b",") if hop.strip()]
    quoted = [b'for="[%b]"' % hop if b":" in hop else b"for=" + hop for hop in hops]
    quoted[0] += b";proto=http"
    return lines + b"Forwarded: %b\r\n" % b", ".join(quoted)


def response_head(
    response: ResponseHead, *, chunked: bool, connection: bytes, extra: bytes = b""
) -> bytes:
    """Return the head to send to the client. `connection` is a whole header line or nothing."""
    if chunked:
        framing = b"Transfer-Encoding: chunked\r\n\r\n"
    elif response.length >= 0:
        framing = b"Content-Length: %d\r\n\r\n" % response.length
    else:
        framing = b"\r\n"
    return b"HTTP/1.1 %d %b\r\n%b%b%b%b" % (
        response.status,
        response.reason,
        b"".join(response.lines),
        extra,
        connection,
        framing,
    )


def usual_response_head(response: ResponseHead) -> bytes:
    """Return the head of an answer of known length on a connection that stays open."""
    written = response.written
    if not written:
        written = response.written = b"HTTP/1.1 %d %b\r\n%b%bContent-Length: %d\r\n\r\n" % (
            response.status,
            response.reason,
            b"".join(response.lines),
            connection_lines(b"", response.offered),
            response.length,
        )
    return written


def connection_lines(option: bytes, offered: bytes) -> bytes:
    """Return the lines about this hop: `option`, if any, and what a 426 offers (RFC 9110 7.8)."""
    if not offered:
        return b"Connection: %b\r\n" % option if option else b""
    options = option + b", Upgrade" if option else b"Upgrade"
    return b"Connection: %b\r\nUpgrade: %b\r\n" % (options, offered)


def switching_head(response: ResponseHead, extra: bytes) -> bytes:
    """Return the head of a 101; `extra` are header lines of the gateway's own."""
    return b"HTTP/1.1 101 %b\r\nConnection: Upgrade\r\nUpgrade: %b\r\n%b%b\r\n" % (
        response.reason,
        response.upgrade,
        b"".join(response.lines),
        extra,
    )


def own_answer(status: bytes, body: str, *, with_body: bool, close: bool, extra: bytes) -> bytes:
    """Return a whole answer of the gateway itself: one line of plain text.

    `status` is code and phrase; `extra` are header lines of ours.
    """
    text = (body + "\n").encode()
    head = (
        b"HTTP/1.1 %b\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"X-Content-Type-Options: nosniff\r\n"
        b"%bContent-Length: %d\r\n"
        b"Connection: %b\r\n\r\n"
    ) % (status, extra, len(text), b"close" if close else b"keep-alive")
    return head + text if with_body else head
