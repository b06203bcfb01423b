"""By what a session is known, as an annotation or a file of routes says it. Pure."""

from __future__ import annotations

import hashlib
import re

from msgspec import Struct

from gateway.contract import STICKY

COOKIE_CHARACTERS_MAX = 64
FORMS = "cookie, cookie=NAME, header=NAME or address"
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 6265, 4.1.1; RFC 9110, 5.6.2
# A browser takes these over TLS alone (RFC 6265bis, 4.1.3), which the gateway does not speak.
_TLS_PREFIXES = ("__secure-", "__host-")
_DIGITS = 8
# What frames a message, or is the gateway's own to read and write (gateway.http1.head), and what a
# browser sends other values of as it goes on.
_NO_KEYS = frozenset(
    (
        *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te"),
        *("proxy-connection", "proxy-authenticate", "proxy-authorization", "upgrade", "expect"),
        *("http2-settings", "forwarded", "x-forwarded-for", "x-forwarded-proto"),
        *("x-forwarded-host", "k-network-probe", "k-network-hash", "k-proxy-request"),
        *("k-original-host", "knative-serving-revision", "knative-serving-namespace"),
        *("knative-serving-default-route", "knary-explain", "cookie"),
    )
)


class Stickiness(Struct, frozen=True, gc=False):
    """What keeps a session: `kind` is one of STICKY, "" is nothing; `name` may be empty."""

    kind: str = ""
    name: str = ""


def parse_sticky(text: str) -> Stickiness:
    """Return what the text asks for. Raise ValueError, which says what it may be."""
    kind, equals, name = text.partition("=")
    if kind not in STICKY or (kind == "address" and equals):
        raise ValueError(f"it must be {FORMS}")
    if kind == "header":
        return Stickiness(kind, _header(name))
    if equals and _TOKEN.fullmatch(name) is None:
        raise ValueError("want a cookie's name after `cookie=`, such as cookie=shop")
    if len(name) > COOKIE_CHARACTERS_MAX:
        raise ValueError(f"a cookie's name has at most {COOKIE_CHARACTERS_MAX} characters here")
    if name.lower().startswith(_TLS_PREFIXES):
        raise ValueError("browsers take a cookie of such a name over TLS alone")
    return Stickiness(kind, name)


def _header(name: str) -> str:
    """Return the header's name in lower case. Raise ValueError."""
    if _TOKEN.fullmatch(name) is None:
        raise ValueError("want a header's name after `header=`, such as header=X-User")
    if name.lower() in _NO_KEYS:
        raise ValueError("that header names no client; want one that does, such as header=X-User")
    return name.lower()


def of_split(wanted: Stickiness, route: str, rule: str = "") -> Stickiness:
    """Return what a split's sessions are known by: its cookie has a name that no other route's has.

    For hosts may share a browser's cookies, as 127.0.0.1 does on all of its ports. A cookie that
    was given a name has it; `rule` says which split a header chooses in place of the route's own,
    and such a one has its own cookie.
    """
    if wanted.kind != "cookie" or (wanted.name and not rule):
        return wanted
    digest = hashlib.sha256(f"{route}\0{rule}".encode()).hexdigest()[:_DIGITS]
    return Stickiness(wanted.kind, f"{wanted.name or 'knary'}-{digest}")
