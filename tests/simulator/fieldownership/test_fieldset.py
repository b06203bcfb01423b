"""Sets of fields: their algebra, and the form that `fieldsV1` gives them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.fieldownership.elements import (
    field,
    item_with_keys,
    item_with_value,
    parse,
    shown,
)
from simulator.fieldownership.fieldset import EMPTY, FieldSet

ELEMENTS = st.sampled_from(
    [
        field("a"),
        field("b"),
        field("serving.knative.dev/x"),
        item_with_keys({"name": "x"}),
        item_with_keys({"port": 80, "protocol": "TCP"}),
        item_with_value("x"),
        item_with_value(1),
        "i:0",
    ]
)
PATHS = st.lists(ELEMENTS, min_size=1, max_size=3).map(tuple)
SETS = st.lists(PATHS, max_size=8).map(FieldSet.of)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((field("spec"), field("traffic")), ".spec.traffic"),
        (
            (field("ports"), item_with_keys({"protocol": "TCP", "port": 80})),
            '.ports[port=80,protocol="TCP"]',
        ),
        ((field("finalizers"), item_with_value("a/b")), '.finalizers[="a/b"]'),
        ((field("numbers"), item_with_value(1.0)), ".numbers[=1]"),
        ((field("list"), "i:3"), ".list[3]"),
    ],
)
def test_paths_are_shown_as_messages_print_them(path: tuple[str, ...], text: str) -> None:
    assert shown(path) == text


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("f:name", "f:name"),
        ("f:", "f:"),
        ('k:{"b":1,"a":"x"}', 'k:{"a":"x","b":1}'),
        ('k:{ "a" : 1.0 }', 'k:{"a":1}'),
        ("v:true", "v:true"),
        ('v:"<"', 'v:"\\u003c"'),
        ("i:7", "i:7"),
    ],
)
def test_elements_have_one_form(written: str, canonical: str) -> None:
    assert parse(written) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("", "f", "name", "x:y", "k:[]", "k:1", "k:{", 'k:{"a":{}}', "v:{}", "v:", "i:x", "i:1.5"),
        *("v:NaN", "v:-Infinity", 'v:"\\ud800"', 'k:{"a":"\\ud800"}'),
    ],
)
def test_what_is_no_element_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no path element"):
        parse(text)


def test_fields_v1_tells_members_from_what_leads_to_them() -> None:
    labels = (field("metadata"), field("labels"))
    fields = FieldSet.of([labels, (*labels, field("b")), (*labels, field("a")), (field("kind"),)])
    assert fields.to_fields_v1() == {
        "f:kind": {},
        "f:metadata": {"f:labels": {".": {}, "f:a": {}, "f:b": {}}},
    }
    assert list(fields.to_fields_v1()["f:metadata"]["f:labels"]) == [".", "f:a", "f:b"]
    assert [shown(path) for path in fields.paths()] == [
        ".kind",
        ".metadata.labels",
        ".metadata.labels.a",
        ".metadata.labels.b",
    ]


@pytest.mark.parametrize("document", [None, [], "x", {"f:a": 1}, {"f:a": {"x": {}}}, {"y": {}}])
def test_malformed_fields_v1_are_refused(document: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (each has words of its own)
        FieldSet.from_fields_v1(document)


@given(SETS)
def test_what_is_written_is_read_again(fields: FieldSet) -> None:
    assert FieldSet.from_fields_v1(fields.to_fields_v1()) == fields
    assert FieldSet.of(fields.paths()) == fields


@given(SETS, SETS)
def test_the_algebra_is_that_of_sets_of_paths(one: FieldSet, other: FieldSet) -> None:
    paths, others = set(one.paths()), set(other.paths())
    assert set((one | other).paths()) == paths | others
    assert set((one & other).paths()) == paths & others
    assert set((one - other).paths()) == paths - others
    left = {path for path in paths if not any(path[:n] in others for n in range(1, len(path) + 1))}
    assert set(one.without(other).paths()) == left
    for result in (one | other, one & other, one - other, one.without(other)):
        assert FieldSet.of(result.paths()) == result, "no empty children"
        assert bool(result) == (result != EMPTY)
    assert all(one.has(path) for path in paths)
    assert not any(one.has(path) for path in others - paths)
