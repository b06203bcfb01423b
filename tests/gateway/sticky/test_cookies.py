"""One cookie among all others."""

from __future__ import annotations

import pytest

from gateway.sticky.cookies import EMPTY, SEVERAL, SessionCookie

COOKIE = SessionCookie("knary-1")
FOUND = [
    pytest.param([], b"", id="no header"),
    pytest.param([b"Accept: knary-1=a\r\n"], b"", id="another header"),
    pytest.param([b"cookie: knary-1=a\r\n"], b"a", id="alone"),
    pytest.param([b"Cookie: x=1; knary-1=a; y=2\r\n"], b"a", id="in the midst"),
    pytest.param([b"COOKIE: x=1;knary-1=a\r\n"], b"a", id="without blanks"),
    pytest.param([b"Cookie: x=1\r\n", b"Cookie: knary-1=a\r\n"], b"a", id="in a second line"),
    pytest.param([b"Cookie: my-knary-1=a; knary-10=b\r\n"], b"", id="like others' names"),
    pytest.param([b"Cookie: x=knary-1=a\r\n"], b"", id="as another's value"),
    pytest.param([b"Cookie: KNARY-1=a\r\n"], b"", id="in other letters"),
    pytest.param([b"Cookie: knary-1=a; knary-1=b\r\n"], SEVERAL, id="twice"),
    pytest.param([b"Cookie: knary-1=a\r\n"] * 2, SEVERAL, id="in two lines"),
    pytest.param([b"Cookie: knary-1=\r\n"], EMPTY, id="empty"),
    pytest.param([b"Cookie: knary-1=; knary-1=a\r\n"], SEVERAL, id="empty and not"),
]


@pytest.mark.parametrize(("lines", "value"), FOUND)
def test_a_cookie_is_found_by_its_whole_name(lines: list[bytes], value: bytes) -> None:
    assert COOKIE.value(lines) == value


def test_a_name_is_no_pattern() -> None:
    assert SessionCookie("a.b*").value([b"Cookie: axbb=1\r\n"]) == b""
    assert SessionCookie("a.b*").value([b"Cookie: a.b*=1\r\n"]) == b"1"


def test_it_is_set_for_its_host_alone_and_out_of_reach_of_scripts() -> None:
    line = COOKIE.line(b"abc")
    assert line == b"Set-Cookie: knary-1=abc; Path=/; HttpOnly; SameSite=Lax\r\n"
