"""Patches do what RFC 7386 and RFC 6902 say, and nothing to their arguments."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import ApiError, BadRequest, Invalid, TooLarge
from simulator.store.patching import OPERATIONS_MAX, copied, json_patch, merge_patch
from tests.simulator.resources.test_documents import JSON

REJECTED = "the server rejected our request due to an error in our request"


def told(refused: ApiError) -> str:
    """Return the warning that says why, beside a refusal that does not."""
    (why,) = refused.warnings
    return why


@pytest.mark.parametrize(
    ("document", "patch", "result"),
    [
        # RFC 7386, appendix A, in its order.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        # Knative: a list of traffic is replaced whole.
        (
            {"traffic": ({"percent": 100},)},
            {"traffic": [{"tag": "x"}]},
            {"traffic": [{"tag": "x"}]},
        ),
    ],
    ids=str,
)
def test_a_merge_patch_merges(document: Any, patch: Any, result: Any) -> None:
    before = json.dumps([document, patch])
    assert merge_patch(document, patch) == result
    assert json.dumps([document, patch]) == before


@settings(deadline=None)
@given(JSON, JSON)
def test_a_merge_patch_applied_twice_is_applied_once(document: Any, patch: Any) -> None:
    once = merge_patch(document, patch)
    assert merge_patch(once, patch) == once


@settings(deadline=None)
@given(JSON, JSON)
def test_a_merge_patch_changes_neither_argument(document: Any, patch: Any) -> None:
    before = copied([document, patch])
    spoil(merge_patch(document, patch))
    assert [document, patch] == before


def spoil(value: Any) -> None:
    """Empty every container in place."""
    match value:
        case dict():
            for below in value.values():
                spoil(below)
            value.clear()
        case list():
            for below in value:
                spoil(below)
            value.clear()


def op(op: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **more}


@pytest.mark.parametrize(
    ("document", "operations", "result"),
    [
        # RFC 6902, appendix A, in its order.
        pytest.param(
            {"foo": "bar"},
            [op("add", "/baz", value="qux")],
            {"baz": "qux", "foo": "bar"},
            id="A.1 add an object member",
        ),
        pytest.param(
            {"foo": ["bar", "baz"]},
            [op("add", "/foo/1", value="qux")],
            {"foo": ["bar", "qux", "baz"]},
            id="A.2 add an array element",
        ),
        pytest.param(
            {"baz": "qux", "foo": "bar"},
            [op("remove", "/baz")],
            {"foo": "bar"},
            id="A.3 remove an object member",
        ),
        pytest.param(
            {"foo": ["bar", "qux", "baz"]},
            [op("remove", "/foo/1")],
            {"foo": ["bar", "baz"]},
            id="A.4 remove an array element",
        ),
        pytest.param(
            {"baz": "qux", "foo": "bar"},
            [op("replace", "/baz", value="boo")],
            {"baz": "boo", "foo": "bar"},
            id="A.5 replace a value",
        ),
        pytest.param(
            {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
            [op("move", "/qux/thud", **{"from": "/foo/waldo"})],
            {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
            id="A.6 move a value",
        ),
        pytest.param(
            {"foo": ["all", "grass", "cows", "eat"]},
            [op("move", "/foo/3", **{"from": "/foo/1"})],
            {"foo": ["all", "cows", "eat", "grass"]},
            id="A.7 move an array element",
        ),
        pytest.param(
            {"baz": "qux", "foo": ["a", 2, "c"]},
            [op("test", "/baz", value="qux"), op("test", "/foo/1", value=2)],
            {"baz": "qux", "foo": ["a", 2, "c"]},
            id="A.8 test a value",
        ),
        pytest.param(
            {"foo": "bar"},
            [op("add", "/child", value={"grandchild": {}})],
            {"foo": "bar", "child": {"grandchild": {}}},
            id="A.10 add a nested object",
        ),
        pytest.param(
            {"foo": "bar"},
            [op("add", "/baz", value="qux", xyz=123)],
            {"foo": "bar", "baz": "qux"},
            id="A.11 ignore unrecognized elements",
        ),
        pytest.param(
            {"/": 9, "~1": 10},
            [op("test", "/~01", value=10)],
            {"/": 9, "~1": 10},
            id="A.14 escaped tilde",
        ),
        pytest.param(
            {"foo": ["bar"]},
            [op("add", "/foo/-", value=["abc", "def"])],
            {"foo": ["bar", ["abc", "def"]]},
            id="A.16 add an array value",
        ),
        pytest.param(
            {"a": 1}, [op("replace", "", value=[1])], [1], id="the whole document is replaced"
        ),
        pytest.param({"a": 1}, [op("add", "", value={})], {}, id="the whole document is added"),
        pytest.param({"a": None}, [op("test", "/a", value=None)], {"a": None}, id="test null"),
        pytest.param({"a": 1}, [op("test", "/a", value=1.0)], {"a": 1}, id="1 equals 1.0"),
        pytest.param({"": {"": 1}}, [op("remove", "//")], {"": {}}, id="empty keys are keys"),
        pytest.param(
            {"a": {"b": 1}}, [op("move", "/a", **{"from": "/a"})], {"a": {"b": 1}}, id="onto itself"
        ),
        pytest.param(
            {"a": ({"b": 1},)},
            [op("replace", "/a/0/b", value=2)],
            {"a": [{"b": 2}]},
            id="a tuple is an array",
        ),
        pytest.param(
            {"a": {"x": 1}},
            [op("copy", "/b", **{"from": "/a"}), op("replace", "/b/x", value=2)],
            {"a": {"x": 1}, "b": {"x": 2}},
            id="a copy is another value",
        ),
    ],
)
def test_a_json_patch_applies(document: Any, operations: Any, result: Any) -> None:
    before = json.dumps([document, operations])
    assert json_patch(document, operations) == result
    assert json.dumps([document, operations]) == before


@pytest.mark.parametrize(
    ("document", "operation", "why"),
    [
        pytest.param(
            {"baz": "qux"},
            op("test", "/baz", value="bar"),
            "testing value /baz failed: test failed",
            id="A.9 a test fails",
        ),
        pytest.param(
            {"foo": "bar"},
            op("add", "/baz/bat", value="qux"),
            'add operation does not apply: doc is missing path: "/baz": missing value',
            id="A.12 add to nothing",
        ),
        pytest.param(
            {"~1": "10"},
            op("test", "/~01", value=10),
            "testing value /~01 failed",
            id="A.15 a string is no number",
        ),
        pytest.param({"a": True}, op("test", "/a", value=1), "test failed", id="true is not 1"),
        pytest.param({"a": 0}, op("test", "/a", value=False), "test failed", id="0 is not false"),
        pytest.param({}, op("test", "/a", value=None), "missing value", id="test nothing for null"),
        pytest.param({}, op("remove", "/a"), "missing value", id="remove nothing"),
        pytest.param({}, op("remove", ""), "cannot be removed", id="remove everything"),
        pytest.param({}, op("replace", "/a", value=1), "missing value", id="replace nothing"),
        pytest.param(
            {"a": [1]}, op("add", "/a/2", value=1), "invalid index: 2", id="beyond the end"
        ),
        pytest.param({"a": [1]}, op("remove", "/a/1"), "invalid index: 1", id="at the end"),
        pytest.param({"a": [1]}, op("remove", "/a/-"), "not a proper array index", id="the dash"),
        pytest.param({"a": [1]}, op("remove", "/a/00"), "not a proper array", id="leading zero"),
        pytest.param({"a": [1]}, op("remove", "/a/-1"), "not a proper array", id="negative"),
        pytest.param({"a": "x"}, op("add", "/a/b", value=1), "missing value", id="inside a string"),
        pytest.param(
            {"a": {"b": {}}},
            op("move", "/a/b/c", **{"from": "/a"}),
            "cannot move into itself",
            id="into itself",
        ),
        pytest.param({}, op("copy", "/b", **{"from": "/a"}), "missing value", id="copy nothing"),
    ],
)
def test_an_operation_that_does_not_apply_is_invalid(
    document: Any, operation: Any, why: str
) -> None:
    with pytest.raises(Invalid) as refused:
        json_patch(document, [operation])
    assert refused.value.message == REJECTED
    assert why in told(refused.value)


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        pytest.param({}, "is a list of operations", id="an object"),
        pytest.param(["add"], "operation 0: it must be an object", id="a string"),
        pytest.param([{"path": "/a"}], 'unexpected kind: None; "op" must be one of', id="no op"),
        pytest.param([op("spread", "/a")], "unexpected kind: 'spread'", id="an unknown op"),
        pytest.param([op("test", "/a", value=1), {"op": "remove"}], "operation 1:", id="no path"),
        pytest.param([op("add", "/a")], 'add needs a "value"', id="no value"),
        pytest.param([op("move", "/a")], '"from" must be a JSON pointer', id="no from"),
        pytest.param([op("remove", "a")], 'must begin with "/"', id="a pointer without a slash"),
        pytest.param([op("remove", "/a" * 500)], "too many parts", id="a pointer without end"),
    ],
)
def test_what_is_no_json_patch_is_a_bad_request(operations: Any, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        json_patch({"a": 1}, operations)


def test_all_operations_apply_or_none() -> None:
    document = {"a": 1}
    with pytest.raises(Invalid):
        json_patch(document, [op("remove", "/a"), op("remove", "/a")])
    assert document == {"a": 1}


def test_operations_are_limited_in_number() -> None:
    operations = [op("add", "/a", value=1)] * OPERATIONS_MAX
    assert json_patch({}, operations) == {"a": 1}
    with pytest.raises(TooLarge, match="maximum operations in a JSON patch is 10000, got 10001"):
        json_patch({}, [*operations, op("remove", "/a")])


def test_copies_cannot_grow_a_document_without_end() -> None:
    doubling = [op("copy", "/a/-", **{"from": "/a"})] * 100
    with pytest.raises(Invalid) as refused:
        json_patch({"a": [1]}, doubling)
    assert "the accumulated size increase of copy is" in told(refused.value)


def test_copies_of_one_long_text_count_as_long() -> None:
    long = {"data": {"a": "x" * 1_000_000}}
    copies = [op("copy", f"/data/{number}", **{"from": "/data/a"}) for number in range(4)]
    assert len(json_patch(long, copies[:3])["data"]) == 4
    with pytest.raises(Invalid) as refused:
        json_patch(long, copies)
    assert "exceeding the limit 3145728" in told(refused.value)


@pytest.mark.parametrize(
    "operations",
    [
        pytest.param([op("add", "/a/0", value=1)] * OPERATIONS_MAX, id="inserts"),
        pytest.param([op("remove", "/a/0")] * OPERATIONS_MAX, id="removals"),
        pytest.param([op("move", "/a/-", **{"from": "/a/0"})] * OPERATIONS_MAX, id="moves"),
    ],
)
def test_what_operations_shift_in_long_lists_is_limited(operations: list[Any]) -> None:
    with pytest.raises(Invalid) as refused:
        json_patch({"a": [0] * 500_000}, operations)
    assert "all operations together would move more than" in told(refused.value)
    assert len(json_patch({"a": [0] * 1_000}, operations[:1_000])["a"]) in (0, 1_000, 2_000)


def test_moves_cannot_nest_a_document_without_end() -> None:
    deeper = [
        op("add", "/b", value={}),
        op("move", "/b/x", **{"from": "/a"}),
        op("move", "/a", **{"from": "/b"}),
    ]
    with pytest.raises(Invalid) as refused:
        json_patch({"a": 1}, [*deeper * 3000, op("copy", "/c", **{"from": "/a"})])
    assert "nests too deep" in told(refused.value)


POINTERS = st.sampled_from(["", "/", "/a", "/a/b", "/a/0", "/a/-", "/b", "/a/b/0", "/~1", "/0"])
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": POINTERS},
    optional={"value": JSON, "from": POINTERS},
)
SMALL = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(SMALL, st.lists(OPERATIONS, max_size=6) | JSON)
def test_any_patch_applies_whole_or_is_refused_and_leaves_its_arguments(
    document: Any, operations: Any
) -> None:
    before = copied([document, operations])
    with contextlib.suppress(ApiError):
        spoil(json_patch(document, operations))
    assert [document, operations] == before


@settings(deadline=None)
@given(SMALL, SMALL)
def test_replacing_the_whole_gives_the_other(one: Any, other: Any) -> None:
    operations = [op("test", "", value=one), op("replace", "", value=other)]
    assert json_patch(one, operations) == other
