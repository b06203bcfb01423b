"""The condition engine: one test per rule of Knative's `condition_set.go`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.conditions import FALSE, READY, TRUE, UNKNOWN, Condition
from simulator.resources.lifecycle import Conditions, ConditionSet
from tests.support.world import LATER, MOMENT, NOW, told

PAIR = ConditionSet(("A", "B"))
ALONE = ConditionSet()


def begin(*before: Condition, kind: ConditionSet = PAIR, observed: int = 1) -> Conditions:
    return kind.begin(before, 1, observed, NOW)


def test_all_conditions_of_the_set_begin_unknown_and_come_sorted() -> None:
    assert [one.type for one in begin().result()] == ["A", "B", "Ready"]
    assert {one.status for one in begin().result()} == {UNKNOWN}


def test_a_dependent_that_joins_a_ready_object_begins_true() -> None:
    assert told(begin(Condition(READY, TRUE)).result())["A"] == (TRUE, "", "")


@pytest.mark.parametrize(
    ("marks", "ready"),
    [
        pytest.param(["T A"], (UNKNOWN, "", ""), id="one True dependent is not enough"),
        pytest.param(["T A", "T B"], (TRUE, "", ""), id="all dependents True make it True"),
        pytest.param(["F A", "T B"], (FALSE, "F A", "m"), id="a False dependent decides"),
        pytest.param(["F A", "F B"], (FALSE, "F B", "m"), id="the last False mark wins"),
        pytest.param(["F B", "F A", "T A"], (FALSE, "F B", "m"), id="the False one left decides"),
        pytest.param(["U A", "F B", "U A"], (FALSE, "F B", "m"), id="Unknown leaves False alone"),
        pytest.param(["U B", "U A", "T A"], (UNKNOWN, "U B", "m"), id="an Unknown one is told"),
        pytest.param(
            ["F A", "U A"], (UNKNOWN, "U A", "m"), id="no dependent False: Unknown is Unknown"
        ),
        pytest.param(
            ["T A", "T B", "F X"], (TRUE, "", ""), id="what is for information decides nothing"
        ),
        pytest.param(["T A", "T B", "U X"], (TRUE, "", ""), id="not even when it is Unknown"),
    ],
)
def test_ready_follows_from_the_dependents(marks: list[str], ready: tuple[str, ...]) -> None:
    conditions = begin()
    for mark in marks:
        how, type_ = mark.split()
        if how == "T":
            conditions.mark_true(type_)
        elif how == "F":
            conditions.mark_false(type_, mark, "m")
        else:
            conditions.mark_unknown(type_, mark, "m")
    assert told(conditions.result())["Ready"] == ready


def test_only_what_does_not_decide_has_a_severity() -> None:
    conditions = begin()
    conditions.mark_true("Active")
    severities = {one.type: one.severity for one in conditions.result()}
    assert severities == {"A": "", "B": "", "Ready": "", "Active": "Info"}


def test_a_set_without_dependents_is_marked_itself() -> None:
    conditions = begin(kind=ALONE)
    conditions.mark_true(READY)
    assert told(conditions.result()) == {"Ready": (TRUE, "", "")}


def test_a_new_generation_is_unknown_until_something_is_marked() -> None:
    conditions = begin(Condition(READY, TRUE), observed=0)
    new = (UNKNOWN, "NewObservedGenFailure", "unsuccessfully observed a new generation")
    assert told(conditions.result())["Ready"] == new
    conditions.mark_true("A")
    assert told(conditions.result())["Ready"] == (TRUE, "", "")


def test_the_transition_time_stays_when_all_ends_as_it_began() -> None:
    before = begin()
    before.mark_false("A", "Reason", "message")
    stored = before.result()
    again = PAIR.begin(stored, 1, 1, LATER)
    again.mark_unknown("A", "Other")
    again.mark_false("A", "Reason", "message")
    assert again.result() == stored


def test_the_transition_time_moves_when_only_the_message_changes() -> None:
    before = begin()
    before.mark_false("A", "Reason", "message")
    again = PAIR.begin(before.result(), 1, 1, LATER)
    again.mark_false("A", "Reason", "another")
    times = {one.type: one.last_transition_time for one in again.result()}
    assert times == {"A": "2026-01-02T03:05:05Z", "B": MOMENT, "Ready": "2026-01-02T03:05:05Z"}


@given(st.lists(st.tuples(st.sampled_from("TFU"), st.sampled_from("AB")), max_size=12))
def test_ready_is_true_iff_all_dependents_are(marks: list[tuple[str, str]]) -> None:
    conditions = begin()
    for how, type_ in marks:
        if how == "T":
            conditions.mark_true(type_)
        elif how == "F":
            conditions.mark_false(type_)
        else:
            conditions.mark_unknown(type_)
    facts = {type_: status for type_, (status, _, _) in told(conditions.result()).items()}
    both = {facts["A"], facts["B"]}
    worst = FALSE if FALSE in both else UNKNOWN if UNKNOWN in both else TRUE
    assert facts["Ready"] == worst
