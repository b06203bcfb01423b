"""By what a session is known, as an annotation says it."""

from __future__ import annotations

import pytest

from gateway.contract import STICKY
from gateway.http1.head import REQUEST_KINDS
from simulator.resources.stickiness import FORMS, Stickiness, parse_sticky

READ = [
    ("cookie", Stickiness("cookie")),
    ("cookie=shop", Stickiness("cookie", "shop")),
    ("header=X-User", Stickiness("header", "x-user")),
    ("address", Stickiness("address")),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_each_form_is_read(text: str, expected: Stickiness) -> None:
    assert parse_sticky(text) == expected
    assert expected.kind in STICKY
    assert expected.kind in FORMS


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", FORMS),
        ("yes", FORMS),
        ("Cookie", FORMS),
        ("address=1.2.3.4", FORMS),
        ("header", "such as header=X-User"),
        ("header=", "such as header=X-User"),
        ("header=X User", "such as header=X-User"),
        ("cookie=", "such as cookie=shop"),
        ("cookie=a;b", "such as cookie=shop"),
        ("cookie=__Secure-a", "over TLS alone"),
    ],
)
def test_anything_else_is_refused_with_what_it_may_be(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_sticky(text)


@pytest.mark.parametrize("name", [*sorted(REQUEST_KINDS), b"cookie"])
def test_a_header_that_the_gateway_keeps_to_itself_names_no_client(name: bytes) -> None:
    with pytest.raises(ValueError, match="names no client"):
        parse_sticky(f"header={name.decode().title()}")
