"""Turns that several workers take together, in any order, with any of them killed at any moment.

The workers here are objects that share a memory. One's reading and replacing of words is where the
others come in between: as many turns as are drawn, of whoever is drawn.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.splitting import together
from gateway.splitting.account import (
    ACCOUNT_BYTES,
    SLOTS_MAX,
    TARGETS_MAX,
    Account,
)
from gateway.splitting.credit import FULL
from gateway.splitting.splitter import account_name, make_shared, make_splitter
from gateway.splitting.stratified import Stratified, StratifiedAlone
from gateway.splitting.together import Shared
from tests.support.turnworld import Killed, Words, World

KNATIVES_OWN = {"a": 1, "b": 2, "c": 4, "d": 8, "e": 16, "f": 32, "g": 37}


BOUNDS = [("stratified", 1.0), ("exact", 1.0), ("smooth-wrr", 1.0)]
SPLITS = [{"old": 90, "new": 10}, {"a": 34, "b": 33, "c": 33}, KNATIVES_OWN]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**64))
@pytest.mark.parametrize(("name", "bound"), BOUNDS)
@pytest.mark.parametrize("weights", SPLITS, ids=lambda weights: str(len(weights)))
def test_any_interleaving_keeps_one_workers_bound(
    name: str, bound: float, weights: dict[str, int], seed: int
) -> None:
    world = World(name, weights, workers=4)
    dice = Random(seed)

    def others() -> None:
        for slot in set(world.workers) - world.busy:
            if dice.random() < 0.15:
                world.turn(slot)

    for worker in world.workers.values():
        worker.words.meanwhile = others
    for _ in range(60):
        world.turn(dice.randrange(4))
        if not world.busy:
            assert world.lag() < bound
    assert not any(worker.account.alone for worker in world.workers.values())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**64))
@pytest.mark.parametrize("name", ["stratified", "exact", "smooth-wrr"])
def test_whole_cycles_leave_nothing_over_whoever_takes_the_turns(name: str, seed: int) -> None:
    world = World(name, KNATIVES_OWN, workers=4)
    order = Random(seed)
    for _ in range(200):
        world.turn(order.randrange(4))
    assert world.picked == {name: 2 * weight for name, weight in KNATIVES_OWN.items()}


@pytest.mark.parametrize("name", ["exact", "smooth-wrr", "static-stride"])
def test_a_sequence_that_knows_no_dice_is_that_of_one_worker(name: str) -> None:
    weights = {"a": 50, "b": 30, "c": 20}
    world = World(name, weights, workers=3)
    random = Random(5)
    together = [world.workers[random.randrange(3)].splitter.pick() for _ in range(300)]
    alone = make_shared(name, weights, {}, Random(0), fresh_account())
    first = [alone.pick() for _ in range(300)]
    if name == "static-stride":  # both begin at a random turn
        assert abs(together.count(0) - first.count(0)) <= 2
    else:
        splitter = make_splitter(name, weights, {}, Random(1))
        assert together == first == [splitter.pick() for _ in range(300)]


def fresh_account() -> Account:
    memory = memoryview(bytearray(ACCOUNT_BYTES))
    return Account(0, Words(memory), memory, 0, 0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**64))
@pytest.mark.parametrize(
    ("name", "bound"), [("stratified", 1.0), ("exact", 0.5), ("smooth-wrr", 0.5)]
)
def test_two_revisions_keep_their_bound_though_workers_swap_percents_at_different_moments(
    name: str, bound: float, seed: int
) -> None:
    world = World(name, {"old": 90, "new": 10}, workers=3)
    dice = Random(seed)

    def others() -> None:
        for slot in set(world.workers) - world.busy:
            if dice.random() < 0.1:
                world.turn(slot)
            elif dice.random() < 0.1:
                percent = dice.randint(1, 99)
                world.workers[slot].swap({"old": 100 - percent, "new": percent})

    for worker in world.workers.values():
        worker.words.meanwhile = others
    for _ in range(80):
        world.turn(dice.randrange(3))
        assert world.lag() <= bound + 1e-9


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**64))
def test_more_revisions_stay_close_through_such_changes(seed: int) -> None:
    """As for one worker: below 1 is promised to nobody, and 2 was never reached."""
    world = World("stratified", {"a": 70, "b": 10, "c": 10, "d": 10}, workers=3)
    dice = Random(seed)
    for _ in range(200):
        slot = dice.randrange(3)
        if dice.random() < 0.1:
            parts = [dice.randint(1, 100) for _ in range(4)]
            scale = FULL // sum(parts)
            parts = [part * scale for part in parts]
            parts[0] += FULL - sum(parts)
            world.workers[slot].swap(dict(zip("abcd", parts, strict=True)))
        world.turn(slot)
        assert world.lag() < 2


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**64))
@pytest.mark.parametrize("weights", SPLITS, ids=lambda weights: str(len(weights)))
def test_a_worker_killed_at_any_moment_stalls_nobody_and_costs_one_turn_at_most(
    weights: dict[str, int], seed: int
) -> None:
    world = World("stratified", weights, workers=3)
    dice = Random(seed)
    deaths = 0
    for _ in range(120):
        slot = dice.randrange(3)
        if dice.random() < 0.05:
            steps = dice.randrange(5)

            def die(steps: int = steps) -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed

            left = steps
            world.workers[slot].words.meanwhile = die
            before = world.memory.cast("Q")[0]
            try:
                world.turn(slot)
            except Killed:
                assert world.memory.cast("Q")[0] == before  # it took no turn, or the whole of it
            deaths += 1
            world.scribble(slot)
            world.join(slot)
        else:
            world.turn(slot)
        assert world.lag() < 1
    assert not any(worker.account.alone for worker in world.workers.values())


def test_a_turn_that_its_worker_took_and_did_not_serve_is_lost_and_nothing_else() -> None:
    world = World("exact", {"old": 50, "new": 50}, workers=2)
    world.workers[0].pick()  # and is killed before it counts
    world.join(0)
    for turn in range(200):
        world.turn(turn % 2)
    assert world.lag() <= 1
    assert sum(world.picked.values()) == 200


SETS = [{"a": 90, "b": 10}, {"a": 50, "b": 30, "c": 20}, {"b": 60, "c": 40}, {"c": 1, "a": 99}]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**64))
@pytest.mark.parametrize("name", ["stratified", "exact", "smooth-wrr"])
def test_when_targets_come_and_go_every_turn_is_accounted_for(name: str, seed: int) -> None:
    """Whoever swaps first begins the new targets; those who are late put back what they can."""
    world = World(name, SETS[0], workers=3)
    dice = Random(seed)
    at, begun = 0, Counter[str]()
    for _ in range(150):
        if dice.random() < 0.05:
            at = (at + 1) % len(SETS)
            first = dice.randrange(3)
            world.workers[first].swap(SETS[at])
            world.turn(first)
            for slot in set(range(3)) - {first}:
                for _ in range(dice.randrange(3)):
                    world.turn(slot)
                world.workers[slot].swap(SETS[at])
            world.picked.clear()
            world.due.clear()
            begun = Counter(world.owed(first))
        slot = dice.randrange(3)
        world.turn(slot)
        for target, owed in world.owed(slot).items():
            due = world.due[target] - FULL * world.picked[target]
            assert owed == begun[target] + due
            assert abs(owed) < 2 * FULL
    assert not any(worker.account.alone for worker in world.workers.values())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**64))
def test_a_turn_by_the_old_table_moves_what_is_owed_by_less_than_one_request(seed: int) -> None:
    dice = Random(seed)
    old, new = dice.sample(SETS, 2)
    world = World(dice.choice(["stratified", "exact", "smooth-wrr"]), old, workers=2)
    for _ in range(dice.randrange(30)):
        world.turn(dice.randrange(2))
    world.turn(1)
    world.workers[0].swap(new)
    world.turn(0)
    before = world.workers[0].splitter.credit[:]
    world.turn(1)
    after = world.workers[0].splitter.credit[:]
    assert sum(after) == sum(before) == 0
    assert all(abs(a - b) < FULL for a, b in zip(after, before, strict=True))
    if set(old) <= set(new):  # nobody has left: it counts in full
        assert max(abs(a - b) for a, b in zip(after, before, strict=True)) > 0


def test_all_work_from_one_account_again_once_all_have_swapped() -> None:
    world = World("exact", {"a": 50, "b": 50}, workers=2)
    for _ in range(3):
        world.turn(0)
    for slot in (0, 1):
        world.workers[slot].swap({"a": 40, "b": 40, "c": 20})
    world.picked.clear()
    world.due.clear()
    for turn in range(100):
        world.turn(turn % 2)
    assert all(
        abs(world.picked[name] - due) <= 1 for name, due in (("a", 40), ("b", 40), ("c", 20))
    )


def test_targets_that_nobody_else_has_any_more_are_given_up_after_a_while() -> None:
    """As when the worker died that began them, and its table was taken back."""
    world = World("exact", {"a": 50, "b": 50}, workers=2)
    world.turn(0)
    world.workers[1].swap({"a": 50, "c": 50})
    world.turn(1)
    for _ in range(together.LATE_TURNS_MAX + 1):
        world.turn(0)
    world.picked.clear()
    world.due.clear()
    for _ in range(100):
        world.turn(0)
    assert world.owed(0).keys() == {"a", "b"}
    assert abs(world.picked["a"] - 50) <= 1


def test_a_worker_that_others_always_outrun_takes_its_own_turn_after_a_while() -> None:
    world = World("stratified", {"a": 50, "b": 50}, workers=2)
    slow, fast = world.workers[0], world.workers[1]
    slow.words.meanwhile = lambda: world.turn(1)
    assert slow.pick() in ("a", "b")
    assert (slow.account.alone, slow.splitter.turn) == (1, 0)
    assert fast.splitter.turn >= together.TURN_ATTEMPTS_MAX
    slow.words.meanwhile = lambda: None
    slow.pick()
    assert (slow.account.alone, slow.splitter.turn) == (1, fast.splitter.turn + 1)


def test_an_account_that_was_left_is_not_touched_again() -> None:
    world = World("stratified", {"a": 50, "b": 50})
    worker = world.workers[0]
    worker.pick()
    worker.account.is_open = False
    before = bytes(world.memory)
    for _ in range(10):
        worker.pick()
    assert bytes(world.memory) == before
    assert worker.splitter.turn == 0


@pytest.mark.parametrize("name", ["stratified", "exact", "smooth-wrr", "static-stride"])
@pytest.mark.parametrize("weights", SPLITS, ids=lambda weights: str(len(weights)))
def test_the_chances_that_are_told_are_those_of_the_turn_that_was_taken(
    name: str, weights: dict[str, int]
) -> None:
    world = World(name, weights, workers=2)
    for _ in range(200):
        world.workers[1].pick()
        picked, chances = world.workers[0].splitter.pick_with_chances(b"")
        assert sum(chances) == pytest.approx(1)
        assert chances[picked] > 0


def test_what_an_account_owes_is_carried_to_a_splitter_of_a_workers_own() -> None:
    world = World("exact", {"a": 50, "b": 50}, workers=2)
    assert world.workers[0].pick() == "a"
    assert list(world.workers[1].splitter.credit) == [-FULL // 2, FULL // 2]


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.integers(1, 100), min_size=3, max_size=9),
    seed=st.integers(0, 2**32),
)
def test_the_look_ahead_that_is_remembered_is_the_one_that_is_computed(
    weights: list[int], seed: int
) -> None:
    whole = [weight * FULL // sum(weights) for weight in weights]
    whole[0] += FULL - sum(whole)
    credit = [0] * len(whole)
    computed = Stratified(whole, credit, Random(seed))
    remembered = StratifiedAlone(whole, credit, Random(seed))
    for _ in range(150):
        assert computed.pick() == remembered.pick()
        assert computed.credit == remembered.credit


@pytest.mark.parametrize(
    ("name", "targets", "kept"),
    [
        ("stratified", 2, True),
        ("exact", TARGETS_MAX, True),
        ("smooth-wrr", TARGETS_MAX + 1, False),
        ("static-stride", 2, True),
        ("stratified", 1, False),
        ("random", 2, False),
        ("hash-ranges", 2, False),
        ("edf", 2, False),
    ],
)
def test_which_splits_have_an_account(name: str, targets: int, kept: bool) -> None:
    assert bool(account_name(name, "key", targets)) is kept


def test_the_number_of_static_stride_is_not_taken_for_a_credit() -> None:
    assert account_name("static-stride", "key", 2) != account_name("exact", "key", 2)


def test_records_have_room_for_all_targets_and_slots() -> None:
    weights = {str(n): 100 for n in range(TARGETS_MAX)}
    memory = memoryview(bytearray(ACCOUNT_BYTES))
    last = Account(0, Words(memory), memory, 0, SLOTS_MAX - 1)
    splitter: Shared = make_shared("exact", weights, {}, Random(1), last)
    assert sorted(splitter.pick() for _ in range(TARGETS_MAX)) == list(range(TARGETS_MAX))
