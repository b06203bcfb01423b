"""YAML manifests mean to us what they mean to kubectl, and errors say where."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.resources.manifests import ManifestError, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("1", 1, id="an integer"),
        pytest.param("-1", -1, id="a negative integer"),
        pytest.param("0x1F", 31, id="hexadecimal"),
        pytest.param("0755", 493, id="a leading zero is octal, as for file modes"),
        pytest.param("1_000", 1000, id="underscores"),
        pytest.param("1.5", 1.5, id="a float"),
        pytest.param("1e3", 1000.0, id="an exponent without a dot"),
        pytest.param("22:22", "22:22", id="no base 60"),
        pytest.param("yes", True, id="yes is true"),
        pytest.param("Off", False, id="Off is false"),
        pytest.param("~", None, id="a tilde is null"),
        pytest.param("", None, id="nothing is null"),
        pytest.param("2020-01-01", "2020-01-01", id="a date stays a string"),
        pytest.param("'no'", "no", id="quotes make a string"),
        pytest.param('"5"', "5", id="a quoted number is a string"),
        pytest.param("!!str 5", "5", id="a tag makes a string"),
        pytest.param("v1", "v1", id="a plain string"),
        pytest.param("{a: [1, {b: c}]}", {"a": [1, {"b": "c"}]}, id="flow style"),
    ],
)
def test_a_plain_scalar_is_what_kubectl_takes_it_for(text: str, value: Any) -> None:
    (manifest,) = parse_yaml(f"key: {text}\n", "f.yaml")
    assert manifest.document == {"key": value}


def test_a_file_may_hold_several_documents_and_empty_ones_do_not_count() -> None:
    text = "# a comment\n---\na: 1\n---\n---\n# nothing\n---\n\nb: 2\n...\n"
    manifests = parse_yaml(text, "f.yaml")
    assert [(each.document, each.source, each.line) for each in manifests] == [
        ({"a": 1}, "f.yaml", 3),
        ({"b": 2}, "f.yaml", 9),
    ]


def test_json_is_yaml_and_keys_become_strings() -> None:
    (manifest,) = parse_yaml(b'{"a": {"b": [true, null]}, 1: x, true: y}', "f.json")
    assert manifest.document == {"a": {"b": [True, None]}, "1": "x", "true": "y"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("a: &x 1\nb: *x\n", "f.yaml, line 2, column 4: the alias \\*x", id="an alias"),
        pytest.param(
            "a: 1\nb: 2\na: 3\n", 'line 3, column 1: the key "a" is already set', id="a key twice"
        ),
        pytest.param("a: [\n", "line 2, column 1", id="an open list"),
        pytest.param("a:\n\t- b", "line 2, column 1: found a tab; YAML is", id="a tab"),
        pytest.param("!!python/object:os.system x", "line 1, column 1", id="a Python object"),
        pytest.param("a: !!binary aGVsbG8=", "not a value that JSON has", id="bytes"),
        pytest.param("a: !!float .nan", "not a value that JSON has", id="not a number"),
        pytest.param("? [1]\n: 2\n", "a key must be a string", id="a list as a key"),
        pytest.param("[" * 200, "nests deeper than 100 levels", id="too deep"),
        pytest.param("a: \x00", "f.yaml: ", id="a control character"),
        pytest.param(b"\xff\xfe\xff", "f.yaml: ", id="no encoding that YAML has"),
        pytest.param("%YAML 9.1\n---\na: 1", "line 1, column 1", id="another YAML"),
    ],
)
def test_what_is_no_manifest_is_refused_where_it_stands(text: Any, complaint: str) -> None:
    with pytest.raises(ManifestError, match=complaint):
        parse_yaml(text, "f.yaml")


@settings(deadline=None)
@given(st.text() | st.text(alphabet="a:-[]{}#&*!|>'\"%@`,? \n\t0.~<").map(str))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ManifestError):
        parse_yaml(text, "f.yaml")
