"""Where replicas listen, as text."""

from __future__ import annotations

import pytest

from gateway.contract import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:20000", Address("127.0.0.1", 20000)),
        ("localhost:1", Address("localhost", 1)),
        ("[::1]:65535", Address("::1", 65535)),
        ("8f3a-1@127.0.0.1:8080", Address("127.0.0.1", 8080, "8f3a-1")),
    ],
)
def test_an_address_has_a_host_a_port_and_perhaps_a_network(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1", ":80", "h:0", "h:65536", "h:+1", "h:1x", "@h:1", "a@:1", "a@h", "a@b@h:1"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an address is HOST:PORT or NETWORK@HOST:PORT"):
        parse_address(text)
