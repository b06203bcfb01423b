"""The cookie that a split's session comes with, among all others of a request. Pure.

RFC 6265: a client sends `Cookie: NAME=VALUE; NAME=VALUE`; HTTP/2 may part the line, which is put
together again before (RFC 9113 8.2.3).
"""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = b"cookie: "
SEVERAL: Final = b";"  # no value has one
EMPTY: Final = b"-"  # nor is this one of ours


class SessionCookie:
    """Reads and sets one cookie."""

    __slots__ = ("_found", "_name")

    def __init__(self, name: str) -> None:
        self._name = name.encode("latin-1")
        # Looked for in C: a head may have 64 KB of cookies.
        self._found = re.compile(rb"(?:\A|;)[ \t]*" + re.escape(self._name) + rb"=([^;\r]*)")

    def value(self, lines: list[bytes]) -> bytes:
        """Return its value, b"" without it; SEVERAL when there are two and more."""
        found = b""
        for line in lines:
            if line[: len(_LINE)].lower() != _LINE:
                continue
            for match in self._found.finditer(line[len(_LINE) :]):
                if found:
                    return SEVERAL
                found = match[1] or EMPTY
        return found

    def line(self, value: bytes) -> bytes:
        """Return the header line that sets it, for this host alone and until the client ends.

        As the sticky cookies of nginx, Traefik and HAProxy it has no lifetime of its own. Not
        `Secure`: the gateway speaks plain HTTP, and a client would not send it back.
        """
        return b"Set-Cookie: %b=%b; Path=/; HttpOnly; SameSite=Lax\r\n" % (self._name, value)
