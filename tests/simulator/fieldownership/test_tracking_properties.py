"""What holds of ownership whatever is written, in whatever order."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ApplyConflict
from simulator.fieldownership.fieldset import FieldSet
from simulator.fieldownership.managers import read
from simulator.fieldownership.tracking import updated
from simulator.fieldownership.values import fields_of
from tests.support.owned import TYPE, World, document

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
