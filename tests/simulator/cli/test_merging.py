"""The three-way merge of kubectl apply."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.cli.merging import (
    LAST_APPLIED,
    last_applied,
    three_way_patch,
    with_last_applied,
)


@pytest.mark.parametrize(
    ("before", "wanted", "current", "patch"),
    [
        pytest.param({"a": 1}, {"a": 1}, {"a": 1, "b": 2}, {}, id="nothing to do"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 1}, {"a": 2}, id="a changed field"),
        pytest.param({"a": 1}, {}, {"a": 1}, {"a": None}, id="a field that was applied goes"),
        pytest.param({}, {}, {"a": 1}, {}, id="what others set stays"),
        pytest.param({"a": 1}, {"a": 1}, {"a": 3}, {"a": 1}, id="what others changed is set back"),
        pytest.param(
            {"s": {"x": 1, "y": 2}},
            {"s": {"x": 1}},
            {"s": {"x": 1, "y": 2, "z": 3}},
            {"s": {"y": None}},
            id="within an object",
        ),
        pytest.param({}, {"l": [1, 2]}, {"l": [1]}, {"l": [1, 2]}, id="lists are replaced whole"),
        pytest.param({}, {"a": True}, {"a": 1}, {"a": True}, id="true is not 1"),
        pytest.param({}, {"a": None}, {"b": 1}, {}, id="a null asks for nothing"),
    ],
)
def test_the_patch_sets_what_is_wanted_and_removes_what_was_applied(
    before: Any, wanted: Any, current: Any, patch: Any
) -> None:
    assert three_way_patch(before, wanted, current) == patch


def test_the_manifest_is_kept_in_its_annotation_as_kubectl_writes_it() -> None:
    manifest = {"kind": "Service", "metadata": {"name": "a"}, "spec": {"n": "é"}}
    kept = with_last_applied(manifest)
    assert kept["metadata"]["annotations"][LAST_APPLIED] == (
        '{"kind":"Service","metadata":{"annotations":{},"name":"a"},"spec":{"n":"é"}}\n'
    )
    assert last_applied(kept) == {**manifest, "metadata": {"name": "a", "annotations": {}}}
    assert with_last_applied(kept) == kept


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_an_annotation_that_cannot_be_read_counts_as_none(text: str) -> None:
    assert last_applied({"metadata": {"annotations": {LAST_APPLIED: text}}}) == {}


_JSON = st.recursive(
    st.integers(0, 3)
    | st.booleans()
    | st.text(max_size=2)
    | st.lists(st.integers(0, 2), max_size=2),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(st.sampled_from("abc"), _JSON, max_size=3)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def holds(whole: Any, part: Any) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    return type(whole) is type(part) and bool(whole == part)


@given(before=_OBJECTS, wanted=_OBJECTS, current=_OBJECTS)
def test_after_the_patch_everything_wanted_is_there_and_a_second_apply_does_nothing(
    before: Any, wanted: Any, current: Any
) -> None:
    patch = three_way_patch(before, wanted, copy.deepcopy(current))
    after = merge(current, patch)
    assert holds(after, wanted)
    assert three_way_patch(wanted, wanted, after) == {}
