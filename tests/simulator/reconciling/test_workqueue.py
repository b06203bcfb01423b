"""The queue of keys: waits once, worked on by one, backs off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.reconciling.workqueue import WorkQueue


def queue() -> WorkQueue[str]:
    return WorkQueue(0.005, 1000.0)


def test_a_key_added_twice_comes_once_and_in_order() -> None:
    keys = queue()
    for key in "abab":
        keys.add(key)
    assert [keys.take(0.0), keys.take(0.0), keys.take(0.0)] == ["a", "b", None]


def test_a_key_added_while_it_is_worked_on_comes_again_afterwards() -> None:
    keys = queue()
    keys.add("a")
    assert keys.take(0.0) == "a"
    keys.add("a")
    assert keys.take(0.0) is None
    keys.done("a")
    assert keys.take(0.0) == "a"
    keys.done("a")
    assert keys.take(0.0) is None


def test_a_delayed_key_comes_when_it_is_due_and_the_earliest_due_counts() -> None:
    keys = queue()
    keys.add_at("a", 5.0)
    keys.add_at("a", 3.0)
    keys.add_at("a", 4.0)
    assert keys.next_due() == 3.0
    assert keys.take(2.9) is None
    assert keys.take(3.0) == "a"
    keys.done("a")
    assert keys.next_due() is None
    assert keys.take(9.0) is None


def test_a_key_that_falls_due_while_it_is_worked_on_waits_for_the_end() -> None:
    keys = queue()
    keys.add("a")
    keys.take(0.0)
    keys.add_at("a", 1.0)
    assert keys.take(2.0) is None
    keys.done("a")
    assert keys.take(2.0) == "a"


def test_the_back_off_doubles_to_its_limit_and_begins_anew_after_success() -> None:
    keys = queue()
    backoffs = [keys.add_after_failure("a", 0.0) for _ in range(20)]
    assert backoffs[:4] == pytest.approx([0.005, 0.01, 0.02, 0.04])
    assert backoffs[-1] == 1000.0
    keys.forget_failures("a")
    assert keys.add_after_failure("a", 0.0) == 0.005


def test_the_back_off_survives_any_number_of_failures() -> None:
    keys = queue()
    assert [keys.add_after_failure("a", 0.0) for _ in range(3000)][-1] == 1000.0


actions = st.lists(
    st.tuples(st.sampled_from(["add", "at", "take", "done", "fail"]), st.sampled_from("abc")),
    max_size=60,
)


@given(actions)
def test_no_key_is_lost_and_none_is_worked_on_twice_at_once(steps: list[tuple[str, str]]) -> None:
    keys, now = queue(), 0.0
    working: set[str] = set()
    owed: set[str] = set()
    for action, key in steps:
        now += 0.01
        if action == "add":
            keys.add(key)
            owed.add(key)
        elif action == "at":
            keys.add_at(key, now + 0.02)
            owed.add(key)
        elif action == "fail":
            keys.add_after_failure(key, now)
            owed.add(key)
        elif action == "take":
            taken = keys.take(now)
            if taken is not None:
                assert taken not in working
                working.add(taken)
                owed.discard(taken)
        elif working:
            done = sorted(working)[0]
            working.discard(done)
            keys.done(done)
    for key in working:
        keys.done(key)
    later = now + 10_000.0
    # Bounded: every key waits at most once, and a delayed one may come a second time.
    rest = [key for key in (keys.take(later) for _ in range(10)) if key is not None]
    assert owed <= set(rest)
    assert len(rest) == len(set(rest))
