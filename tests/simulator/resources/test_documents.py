"""JSON bodies are read strictly: one value, UTF-8, not too deep, duplicates named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import BadRequest
from simulator.resources.documents import DEPTH_MAX, SEPARATORS_MAX, parse_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(JSON)
def test_what_json_can_say_comes_back(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == (value, ())
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == (value, ())


@settings(deadline=None)
@given(st.binary() | st.text(alphabet='{}[]",:\\u0dD8e1.-tnul ').map(str.encode))
def test_any_bytes_give_a_document_or_a_bad_request(body: bytes) -> None:
    try:
        document, _ = parse_json(body)
    except BadRequest:
        return
    json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        pytest.param(b"", "error decoding the body as JSON", id="an empty body"),
        pytest.param(b"{} {}", "Extra data", id="two values"),
        pytest.param(b'{"a": }', "Expecting value", id="bad syntax"),
        pytest.param(b"[NaN]", "NaN is not JSON", id="not a number"),
        pytest.param(b"[-Infinity]", "-Infinity is not JSON", id="infinity"),
        pytest.param(b"[1e999]", "a number is out of range", id="a number beyond a float"),
        pytest.param(b"9" * 5000, "a number is out of range", id="thousands of digits"),
        pytest.param(b'"\xff"', "not UTF-8: invalid byte at offset 1", id="Latin-1"),
        pytest.param(b'"\\ud800"', "half of a surrogate pair", id="a lone surrogate"),
        pytest.param(b'{"\\udfff": 1}', "half of a surrogate pair", id="a lone surrogate in a key"),
        pytest.param(b"[" * 1000 + b"]" * 1000, "nests deeper than 100", id="a deep list"),
        pytest.param(b'{"a":' * 100_000, "nests deeper than 100", id="a very deep object"),
    ],
)
def test_what_is_not_json_is_a_bad_request(body: bytes, complaint: str) -> None:
    with pytest.raises(BadRequest, match=complaint):
        parse_json(body)


def test_a_document_may_nest_to_the_limit_and_brackets_in_strings_do_not_count() -> None:
    body = b"[" * DEPTH_MAX + b"]" * DEPTH_MAX
    parse_json(body)
    parse_json(json.dumps(['[{"\\' * 500, "\\\\[" * 500]).encode())


def deep(depth: int) -> st.SearchStrategy[Any]:
    """Return documents that nest about as deep as this, with brackets in their strings."""
    leaf = st.text('[]{}"\\,:', max_size=6)

    @st.composite
    def nested(draw: st.DrawFn) -> Any:
        value: Any = draw(leaf)
        for _ in range(draw(st.integers(depth - 2, depth + 2))):
            value = [draw(leaf), value, []] if draw(st.booleans()) else {draw(leaf): value, "z": {}}
        return value

    return nested()


def depth_of(value: Any) -> int:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(depth_of, below), default=0) + isinstance(value, dict | list)


@settings(max_examples=60, deadline=None)
@given(document=deep(DEPTH_MAX), spaces=st.sampled_from([None, 1]))
def test_the_limit_of_depth_is_exact(document: Any, spaces: int | None) -> None:
    text = json.dumps(document, indent=spaces)
    if depth_of(document) <= DEPTH_MAX:
        assert parse_json(text.encode())[0] == document
    else:
        with pytest.raises(BadRequest, match="nests deeper than 100"):
            parse_json(text.encode())


def test_separators_in_strings_do_not_count() -> None:
    text = ",:" * SEPARATORS_MAX
    assert parse_json(json.dumps([text]).encode())[0] == [text]


def test_characters_beyond_the_basic_plane_survive_as_escapes() -> None:
    assert parse_json(b'"\\ud83d\\ude00"')[0] == "\U0001f600"


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        pytest.param('{"a": 1, "a": 2}', ("a",), id="at the top"),
        pytest.param('{"spec": {"x": 1, "y": 2, "x": 3}}', ("spec.x",), id="below"),
        pytest.param('{"l": [{}, {"x": 1, "x": 1}]}', ("l[1].x",), id="in a list"),
        pytest.param('{"x": 1, "x": 1, "x": 1}', ("x",), id="thrice is said once"),
        pytest.param('{"a": {"b": 1, "b": 2}, "a": {"c": 1}}', ("a",), id="only of what is kept"),
    ],
)
def test_a_key_given_twice_is_named_and_its_last_value_counts(
    body: str, paths: tuple[str, ...]
) -> None:
    document, duplicates = parse_json(body.encode())
    assert duplicates == paths
    assert document == json.loads(body)
