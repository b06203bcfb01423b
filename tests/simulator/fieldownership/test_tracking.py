"""Updates take what they change; applies own what they say, and give up what they say no more."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from simulator.errors import ApplyConflict, Untyped
from simulator.fieldownership.managers import ANCIENT, UPDATE_MANAGERS_MAX
from simulator.fieldownership.tracking import entries_of
from simulator.resources.meta import LAST_APPLIED
from tests.support.owned import Document, World, at, document


def test_who_creates_owns_everything_but_what_says_which_object_it_is() -> None:
    world = World()
    new = document(a="1")
    new["metadata"]["labels"] = {"x": "y"}
    world.update("creator", new)
    assert world.document["metadata"]["managedFields"] == [
        {
            "manager": "creator",
            "operation": "Update",
            "apiVersion": "v1",
            "time": at(1),
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:data": {".": {}, "f:a": {}},
                "f:metadata": {"f:labels": {".": {}, "f:x": {}}},
            },
        }
    ]


def test_an_update_takes_what_it_changes_from_the_others() -> None:
    world = World()
    world.update("one", document(a="1", b="1", c="1"))
    world.update("two", document(a="2", b="1", d="2"))
    assert world.owned() == {("one", "Update"): ["b"], ("two", "Update"): ["a", "d"]}
    world.update("three", document(a="2", b="1", d="2"))
    assert ("three", "Update") not in world.owned(), "who changes nothing owns nothing"
    world.update("one", document(d="2"))
    assert world.owned() == {("one", "Update"): [], ("two", "Update"): ["d"]}
    assert world.times() == {"one": at(1), "two": at(2)}, "a loss is no new time"


def test_an_apply_creates_and_owns_what_it_says() -> None:
    world = World()
    world.apply("one", document(a="1"))
    assert world.document["metadata"]["managedFields"] == [
        {
            "manager": "one",
            "operation": "Apply",
            "apiVersion": "v1",
            "time": at(1),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:a": {}}},
        }
    ]


def test_applying_the_same_again_changes_nothing_not_even_times() -> None:
    world = World()
    world.apply("one", document(a="1"))
    before = copy.deepcopy(world.document)
    world.apply("one", document(a="1"))
    assert world.document == before


def test_what_is_applied_no_more_goes_unless_somebody_else_owns_it() -> None:
    world = World()
    world.apply("one", document(a="1", b="1"))
    world.apply("two", document(b="1"))
    assert world.owned() == {("one", "Apply"): ["a", "b"], ("two", "Apply"): ["b"]}
    world.apply("one", document())
    assert world.data == {"b": "1"}
    assert world.owned()["two", "Apply"] == ["b"]
    world.update("three", document(b="1", c="1"))
    world.apply("two", document())
    assert world.data == {"c": "1"}, "what an update wrote stays"


def test_another_value_for_what_others_own_is_a_conflict() -> None:
    world = World()
    world.apply("one", document(a="1"))
    world.update("two", document(a="1", b="1", c="1"))
    with pytest.raises(ApplyConflict) as refused:
        world.apply("three", document(a="2"))
    assert refused.value.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'Apply failed with 1 conflict: conflict with "one": .data.a',
        "reason": "Conflict",
        "details": {
            "causes": [
                {
                    "reason": "FieldManagerConflict",
                    "message": 'conflict with "one"',
                    "field": ".data.a",
                }
            ]
        },
        "code": 409,
    }
    with pytest.raises(ApplyConflict) as several:
        world.apply("three", document(c="2", b="2", a="2"))
    assert several.value.message == (
        'Apply failed with 3 conflicts: conflicts with "one":\n- .data.a\n'
        'conflicts with "two" using v1:\n- .data.b\n- .data.c'
    )
    assert [cause["field"] for cause in several.value.status()["details"]["causes"]] == [
        ".data.a",
        ".data.b",
        ".data.c",
    ]


def test_the_same_value_is_shared() -> None:
    world = World()
    world.update("one", document(a="1"))
    world.apply("two", document(a="1"))
    assert world.owned() == {("one", "Update"): ["a"], ("two", "Apply"): ["a"]}


def test_force_takes_it() -> None:
    world = World()
    world.update("one", document(a="1", b="1"))
    world.apply("two", document(a="2"), force=True)
    assert world.data == {"a": "2", "b": "1"}
    assert world.owned() == {("one", "Update"): ["b"], ("two", "Apply"): ["a"]}


def test_one_name_is_two_managers_when_it_updates_and_applies() -> None:
    world = World()
    world.update("one", document(a="1"))
    with pytest.raises(ApplyConflict, match=r'conflict with "one" using v1: \.data\.a'):
        world.apply("one", document(a="2"))


def test_fields_from_before_anybody_followed_are_somebodys() -> None:
    world = World()
    world.keep(document(a="1"), ())
    world.update("one", document(a="2"))
    assert world.owned() == {}, "updates alone do not begin to follow"
    world.apply("two", document(b="1"))
    assert world.owned() == {("before-first-apply", "Update"): ["a"], ("two", "Apply"): ["b"]}
    with pytest.raises(ApplyConflict, match='conflict with "before-first-apply" using v1'):
        world.apply("two", document(a="3"))


def test_the_oldest_updates_beyond_ten_share_one_entry() -> None:
    world = World()
    for number in range(UPDATE_MANAGERS_MAX + 3):
        known = {f"k{n}": "x" for n in range(number + 1)}
        world.update(f"m{number}", document(**known))
    owned = world.owned()
    assert len(owned) == UPDATE_MANAGERS_MAX
    assert owned[ANCIENT, "Update"] == ["k0", "k1", "k2", "k3"]
    assert world.times()[ANCIENT] == at(4), "the latest of them"
    assert owned["m12", "Update"] == ["k12"]


def test_entries_are_sorted_by_operation_time_and_name() -> None:
    world = World()
    world.update("z", document(a="1"))
    world.apply("y", document(b="1"))
    world.update("x", document(a="1", b="1", c="1"))
    world.apply("w", document(d="1"))
    assert [entry["manager"] for entry in world.document["metadata"]["managedFields"]] == [
        "y",
        "w",
        "z",
        "x",
    ]


def entry(**changes: Any) -> dict[str, Any]:
    good = {
        "manager": "m",
        "operation": "Update",
        "apiVersion": "v1",
        "time": at(1),
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {"f:a": {}}},
    }
    return {key: value for key, value in (good | changes).items() if value != ""}


STORED = (entry(manager="stored"),)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        pytest.param((), STORED, id="none: clients that know nothing of them lose nothing"),
        pytest.param(({},), (), id="one with nothing in it: forget them all"),
        pytest.param((entry(),), (entry(),), id="good ones"),
        pytest.param((entry(operation="Delete"),), STORED, id="no operation of ours"),
        pytest.param((entry(apiVersion=""),), STORED, id="no version"),
        pytest.param((entry(fieldsType=""),), STORED, id="no type of fields"),
        pytest.param((entry(fieldsV1={"x": {}}),), STORED, id="no fields of ours"),
        pytest.param((entry(time="noon"),), STORED, id="no time"),
        pytest.param((entry(time=5),), STORED, id="no text for a time"),
        pytest.param((entry(manager=5),), STORED, id="no name"),
        pytest.param((entry(), 5), STORED, id="no entry"),
    ],
)
def test_which_entries_a_write_starts_from(given: Any, used: Any) -> None:
    assert entries_of(STORED, given, is_subresource=False) == used
    assert entries_of(STORED, given, is_subresource=True) == STORED


def test_what_no_schema_declares_cannot_be_applied() -> None:
    world = World()
    with pytest.raises(Untyped) as refused:
        world.apply("one", document(a=1) | {"foo": 1})
    assert refused.value.message.startswith(
        "failed to create typed patch object (n/c; /v1, Kind=ConfigMap): errors:\n"
    )
    assert "\n  .foo: field not declared in schema" in refused.value.message
    assert "reason" not in refused.value.status()


CLIENT_SIDE = {**document(a="1", b="1")}


def with_annotation(new: Document, last: Document) -> Document:
    annotations = {LAST_APPLIED: json.dumps(last)}
    return new | {"metadata": new["metadata"] | {"annotations": annotations}}


def test_kubectl_takes_over_what_it_applied_by_itself() -> None:
    world = World()
    world.update("kubectl-client-side-apply", with_annotation(CLIENT_SIDE, CLIENT_SIDE))
    with pytest.raises(ApplyConflict):
        world.apply("else", document(a="2"))
    world.apply("kubectl", document(a="2"))
    assert world.owned()["kubectl", "Apply"] == ["a"]
    kept = json.loads(world.document["metadata"]["annotations"][LAST_APPLIED])
    assert kept == document(a="2"), "the annotation says what was applied now"


def test_kubectl_does_not_take_over_what_changed_since() -> None:
    world = World()
    world.update("kubectl-client-side-apply", with_annotation(CLIENT_SIDE, CLIENT_SIDE))
    world.update("else", with_annotation(document(a="3", b="1"), CLIENT_SIDE))
    with pytest.raises(ApplyConflict) as refused:
        world.apply("kubectl", document(a="2", b="2"))
    assert refused.value.message == (
        'Apply failed with 1 conflict: conflict with "else" using v1: .data.a'
    )


@pytest.mark.parametrize("text", ["", "{", "[]", '{"apiVersion":"v2"}', "[" * 500, '{"x":{}}'])
def test_an_annotation_that_is_none_takes_over_nothing(text: str) -> None:
    world = World()
    new = document(a="1")
    new["metadata"]["annotations"] = {LAST_APPLIED: text}
    world.update("one", new)
    with pytest.raises(ApplyConflict):
        world.apply("kubectl", document(a="2"))
