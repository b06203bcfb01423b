"""Updates take what they change; applies own what they say, and give up what they say no more."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ApplyConflict, Untyped
from simulator.fieldownership.fieldset import FieldSet
from simulator.fieldownership.managers import ANCIENT, UPDATE_MANAGERS_MAX, read
from simulator.fieldownership.schema import schema_of
from simulator.fieldownership.tracking import Writer, applied, entries_of, updated
from simulator.fieldownership.values import fields_of
from simulator.resources.core import ConfigMap
from simulator.resources.meta import LAST_APPLIED

Document = dict[str, Any]
TYPE = schema_of(ConfigMap)
EMPTY = {"apiVersion": "v1", "kind": "ConfigMap"}


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02d}Z"


def document(**data: Any) -> Document:
    return {**EMPTY, "metadata": {"name": "c", "namespace": "n"}, "data": data}


class World:
    """One object, as a server would keep it."""

    def __init__(self) -> None:
        self.document: Document = dict(EMPTY)
        self.second = 0

    def writer(self, name: str, subresource: str = "") -> Writer:
        self.second += 1
        return Writer(name, "v1", at(self.second), subresource)

    def keep(self, result: Document, entries: tuple[dict[str, Any], ...]) -> None:
        """Store it as a server does: with a uid, without nulls."""
        result = json.loads(json.dumps(result))
        result["data"] = {k: v for k, v in (result.get("data") or {}).items() if v is not None}
        result["metadata"] |= {"uid": "u", "managedFields": list(entries)}
        self.document = result

    def update(self, name: str, new: Document) -> None:
        entries = tuple(self.document.get("metadata", {}).get("managedFields", ()))
        owned = updated(self.document, new, entries, self.writer(name), TYPE)
        uid = {"uid": "u"} if self.document != EMPTY else {}
        self.keep(new | {"metadata": new["metadata"] | uid}, owned)

    def apply(self, name: str, config: Document, *, force: bool = False) -> None:
        before = copy.deepcopy((self.document, config))
        self.keep(*applied(self.document, config, self.writer(name), TYPE, force=force))
        assert before[1] == config

    @property
    def data(self) -> dict[str, str]:
        data: dict[str, str] = self.document["data"]
        return data

    def owned(self) -> dict[tuple[str, str], list[str]]:
        """Return the keys of `data` by who owns them how."""
        return {
            (entry["manager"], entry["operation"]): sorted(
                key.removeprefix("f:") for key in entry["fieldsV1"].get("f:data", {}) if key != "."
            )
            for entry in self.document["metadata"].get("managedFields", [])
        }

    def times(self) -> dict[str, str | None]:
        entries = self.document["metadata"]["managedFields"]
        return {entry["manager"]: entry.get("time") for entry in entries}


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
        "failed to create typed patch object (n/c; v1, Kind=ConfigMap): errors:\n"
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


DATA = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("12"), max_size=4)
STEPS = st.lists(
    st.tuples(st.sampled_from(["apply", "force", "update"]), st.sampled_from("xyz"), DATA),
    max_size=8,
)


def played(steps: list[tuple[str, str, dict[str, str]]]) -> World:
    world = World()
    world.update("first", document())
    for how, name, data in steps:
        if how == "update":
            world.update(name, document(**data))
            continue
        try:
            world.apply(name, document(**data), force=how == "force")
        except ApplyConflict:
            continue
    return world


@given(STEPS)
def test_owners_own_only_what_is_there_and_are_written_as_they_are_read(steps: Any) -> None:
    world = played(steps)
    entries = world.document["metadata"]["managedFields"]
    owners = read(entries)
    assert owners is not None
    there = fields_of(world.document, TYPE)
    data = FieldSet.of([("f:data",)])
    for owned in owners.values():
        assert owned.fields, "nobody owns nothing"
        assert not owned.fields - there - data
    assert updated(world.document, world.document, tuple(entries), world.writer("n"), TYPE) == (
        tuple(entries)
    )


@given(STEPS, DATA)
def test_applying_is_idempotent(steps: Any, data: dict[str, str]) -> None:
    world = played(steps)
    world.apply("x", document(**data), force=True)
    assert data.items() <= world.data.items()
    before = copy.deepcopy(world.document)
    world.apply("x", document(**data))
    assert world.document == before


@given(STEPS, DATA)
def test_a_new_appliers_fields_go_when_it_gives_them_up(steps: Any, data: dict[str, str]) -> None:
    world = played(steps)
    before = dict(world.data)
    fresh = {f"new-{key}": value for key, value in data.items()}
    world.apply("new", document(**fresh))
    assert world.data == before | fresh
    world.apply("new", document())
    assert world.data == before


@given(DATA, DATA)
def test_managers_of_other_fields_never_conflict(one: dict[str, str], two: dict[str, str]) -> None:
    world = World()
    mine = {f"one-{key}": value for key, value in one.items()}
    theirs = {f"two-{key}": value for key, value in two.items()}
    for _ in range(2):
        world.apply("one", document(**mine))
        world.apply("two", document(**theirs))
    assert world.data == mine | theirs


@given(STEPS, DATA)
def test_an_apply_without_force_changes_nothing_that_is_anothers(
    steps: Any, data: dict[str, str]
) -> None:
    world = played(steps)
    before = dict(world.data)
    others = {
        key
        for (name, how), keys in world.owned().items()
        for key in keys
        if (name, how) != ("x", "Apply")
    }
    try:
        world.apply("x", document(**data))
    except ApplyConflict:
        assert any(before.get(key) != value for key, value in data.items() if key in others)
    else:
        assert {k: world.data.get(k) for k in others} == {k: before.get(k) for k in others}
