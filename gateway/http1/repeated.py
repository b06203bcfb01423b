"""The header lines that a client sends again with each request of a connection. Pure.

Most lines stay the same from one request to the next: the host, the client's name, what it accepts.
Those with which heads begin are known as one piece of bytes. Where a head begins with that piece,
only the lines that follow it have to be cut and looked at.
"""

from __future__ import annotations

from typing import Final

from gateway.http1.head import HOST, KEEP_ALIVE, HeaderLines, Special

REPEATED_BYTES_MAX: Final = 2048
CHANGES_MAX: Final = 256  # a connection that many clients share is not worth trying for ever


class RepeatedLines:
    """What the heads of one connection have in common after the request line.

    `plain` and `special` are what `HeaderLines.sort` says of them; requests share these lists, so
    they are replaced, never changed.
    """

    __slots__ = ("_changes", "_next", "_text", "host", "number", "plain", "special")

    def __init__(self) -> None:
        self._changes = 0
        self._forget()

    def _forget(self) -> None:
        self._text = b""  # the lines, a CRLF before each
        self._next = b""  # the line that followed them in the last head
        self.number = 0  # of lines
        self.plain: list[bytes] = []
        self.special: list[Special] = []
        self.host = b""  # when they ask of an HTTP/1.1 request nothing beyond it

    def following(self, head: bytes, cut: int) -> list[bytes]:
        """Return the lines after the repeated ones; `cut` is where the request line ends, or -1.

        A head that does not begin with the repeated lines ends them: all its lines follow.
        """
        end = cut + len(self._text)
        if cut >= 0 and head.startswith(self._text, cut):
            if end == len(head):
                return []
            if head.startswith(b"\r\n", end):
                return head[end + 2 :].split(b"\r\n")
        if self._text:
            self._changes += 1
            self._forget()
        return head[cut + 2 :].split(b"\r\n") if cut >= 0 else []

    def follow(self, rest: list[bytes], header_lines: HeaderLines) -> None:
        """Take note of the valid lines after the repeated ones: the first, seen twice, is one."""
        line = rest[0]
        if line != self._next:
            self._next = line
        elif self._changes < CHANGES_MAX and len(self._text) + len(line) < REPEATED_BYTES_MAX:
            plain, special = header_lines.sort([line])
            self._text += b"\r\n" + line
            self._next = rest[1] if len(rest) > 1 else b""
            self.number += 1
            self.plain = self.plain + plain
            self.special = self.special + special
            hosts = [each.value for each in self.special if each.kind == HOST]
            others = [each for each in self.special if each.kind not in (HOST, KEEP_ALIVE)]
            self.host = hosts[0] if len(hosts) == 1 and not others else b""
