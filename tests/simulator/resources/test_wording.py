"""Values are printed as Go prints them."""

from __future__ import annotations

import pytest

from simulator.resources.wording import bad_value, listed, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", '"a"'),
        ('say "x"', '"say \\"x\\""'),
        ("a\\b\n\t", '"a\\\\b\\n\\t"'),
        ("\x00\x7f", '"\\x00\\x7f"'),
        ("grün", '"grün"'),
        ("\u200b", '"\\u200b"'),
        ("\U000e0001", '"\\U000e0001"'),
    ],
)
def test_a_string_is_quoted_as_go_does(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_lists_and_other_values_have_their_forms() -> None:
    assert listed(["a b", "c"]) == "[a b c]"
    assert bad_value("x") == '"x"'
    assert bad_value({"name": "A", "n": 1}) == '{"name":"A","n":1}'
    assert bad_value(None) == "null"
