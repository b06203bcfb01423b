"""Turns that real processes take together, some of which are killed with -9 in the midst of one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.turntaker import TurnTaker

KNATIVES_OWN = {"a": 1, "b": 2, "c": 4, "d": 8, "e": 16, "f": 32, "g": 37}
PAIR = {"old": 90, "new": 10}
IS_COMPILED = os.environ.get("KNARY_COMPILED") == "1"

Make = Callable[..., TurnTaker]


@pytest.fixture
def taker(tmp_path: Path) -> Iterator[Make]:
    """Start processes on one ledger; all of them are ended."""
    made: list[TurnTaker] = []

    def make(**options: object) -> TurnTaker:
        made.append(TurnTaker(tmp_path / "turns", **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.kill()


def together(takers: list[TurnTaker], turns: int) -> Counter[str]:
    """Let all take so many turns at once; return who got how many, and how many were alone."""
    for each in takers:
        each.tell("pick", turns)
    return sum((Counter(each.hear()) for each in takers), Counter())


def test_what_is_told_is_how_turns_are_shared(taker: Make) -> None:
    assert taker().ask("kind") == ("shared" if IS_COMPILED else "shared, by a lock")


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("splitter", ["stratified", "exact", "smooth-wrr"])
def test_a_thousand_turns_of_all_workers_at_once_are_exact(
    taker: Make, workers: int, splitter: str
) -> None:
    takers = [taker(splitter=splitter) for _ in range(workers)]
    for each in takers:
        each.ask("weights", KNATIVES_OWN)
    found = together(takers, 1_000 // workers)
    # One that is preempted while it holds the lock makes others take turns of their own: never
    # where there is none.
    alone = found.pop("alone", 0)
    assert not alone or not IS_COMPILED
    for name, weight in KNATIVES_OWN.items():
        assert abs(found[name] - 10 * weight) <= (1 + workers if alone else 0), found
    assert max(each.ask("last") for each in takers) == 1_000 - alone


@pytest.mark.parametrize("splitter", ["stratified", "exact", "smooth-wrr"])
def test_percents_that_change_meanwhile_lose_nothing(taker: Make, splitter: str) -> None:
    """Each worker by the percents that it has, all of them within one request of the sum."""
    takers = [taker(splitter=splitter) for _ in range(3)]
    found, due = Counter[str](), 0.0
    for step in range(12):
        for index, each in enumerate(takers):
            percent = 1 + (7 * step + 30 * index) % 99
            each.ask("weights", {"old": 100 - percent, "new": percent})
            due += 17 * percent / 100
        found += together(takers, 17)
        assert abs(found["new"] - due) <= (4 if found["alone"] else 1) + 1e-6
    assert found["old"] + found["new"] == 12 * 3 * 17


@pytest.mark.parametrize("stop", ["stop_in_a_turn", "stop_before_serving", "stop_holding_the_lock"])
def test_a_worker_killed_within_a_turn_stalls_no_other(taker: Make, stop: str) -> None:
    victim, other = taker(), taker()
    for each in (victim, other):
        each.ask("weights", PAIR)
        each.ask("pick", 50)
    before = other.ask("last")
    victim.tell(stop)
    victim.until_stopped()
    taken = stop == "stop_before_serving"
    while_stopped = other.ask("pick", 100)
    assert while_stopped["old"] + while_stopped["new"] == 100
    assert abs(while_stopped["new"] - 10) <= 2
    if IS_COMPILED or stop != "stop_holding_the_lock":
        assert while_stopped["alone"] == 0
        assert other.ask("last") == before + taken + 100
    victim.kill()
    after = other.ask("pick", 100)
    assert (after["alone"], abs(after["new"] - 10) <= 1) == (0, True)


def test_a_worker_that_is_started_again_joins_in_the_middle(taker: Make) -> None:
    victim, other = taker(splitter="exact"), taker(splitter="exact")
    for each in (victim, other):
        each.ask("weights", KNATIVES_OWN)
    found = Counter(victim.ask("pick", 333)) + Counter(other.ask("pick", 131))
    victim.kill()
    successor = taker(splitter="exact")
    successor.ask("weights", KNATIVES_OWN)
    found += Counter(successor.ask("pick", 300)) + Counter(other.ask("pick", 236))
    del found["alone"]
    assert found == {name: 10 * weight for name, weight in KNATIVES_OWN.items()}
    assert successor.ask("last") == 764


def test_places_are_given_back_when_the_last_has_left(taker: Make) -> None:
    one, two = (taker(accounts_max=2) for _ in range(2))
    places = [one.ask("join", name) for name in ("first", "second")]
    assert sorted(places) == [0, 1]
    assert two.ask("join", "first") == places[0]
    assert two.ask("join", "third") is None
    one.ask("leave", "first")
    assert one.ask("join", "third") is None, "the other still takes turns there"
    two.ask("leave", "first")
    assert one.ask("join", "third") == places[0]
    assert two.ask("join", "third") == places[0]


def test_what_the_dead_used_is_given_to_others_only_when_nobody_lives_who_uses_it(
    taker: Make,
) -> None:
    victim, other = (taker(accounts_max=2) for _ in range(2))
    places = {name: victim.ask("join", name) for name in ("both", "its own")}
    assert other.ask("join", "both") == places["both"]
    assert other.ask("join", "another") is None
    victim.kill()
    assert taker(accounts_max=2).ask("kind")  # its successor
    assert other.ask("join", "another") == places["its own"]
    assert other.ask("join", "one more") is None


def test_a_place_that_is_taken_over_owes_nothing_to_anybody(taker: Make) -> None:
    one, two = (taker(accounts_max=1, splitter="exact") for _ in range(2))
    two.ask("join", "before")
    one.ask("join", "before")
    for each in (one, two):
        each.ask("leave", "before")
    one.ask("weights", {"a": 50, "b": 50})
    assert one.ask("pick", 1)["a"] == 1
    one.ask("leave", "split")
    two.ask("weights", {"a": 50, "b": 50})
    assert two.ask("pick", 1)["a"] == 1, "as at the very beginning"


def test_whoever_left_a_split_takes_turns_of_its_own(taker: Make) -> None:
    one, two = taker(), taker()
    for each in (one, two):
        each.ask("weights", PAIR)
    one.ask("leave", "split")
    assert one.ask("pick", 10)["old"] >= 8
    assert one.ask("last") == 0
    two.ask("pick", 10)
    assert two.ask("last") == 10


def test_all_that_start_anew_begin_anew(taker: Make) -> None:
    for _ in range(2):
        one, two = taker(splitter="exact"), taker(splitter="exact")
        for each in (one, two):
            each.ask("weights", {"a": 50, "b": 50})
        assert [each.ask("pick", 1)["a"] for each in (one, two)] == [1, 0]
        one.ask("pick", 1)
        one.kill()
        assert two.ask("close") == "closed"
        two.kill()


def test_a_file_that_cannot_be_had_leaves_each_worker_its_own_turns(
    taker: Make, tmp_path: Path
) -> None:
    assert taker(accounts_max=8).ask("kind")
    assert taker(accounts_max=9).ask("kind") is None, "another size, while the first is in use"
    folder = tmp_path / "folder"
    folder.mkdir()
    nowhere = TurnTaker(folder)
    assert nowhere.ask("kind") is None
    nowhere.kill()
