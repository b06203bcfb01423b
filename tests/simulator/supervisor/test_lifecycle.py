"""A replica's life as a table."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.core import Terminated, Waiting
from simulator.supervisor import lifecycle
from simulator.supervisor.lifecycle import (
    HAS_PROCESS,
    TRANSITIONS,
    Happening,
    ImpossibleHappening,
    Life,
    Phase,
    backoff_s,
)

CRASH = Terminated(exit_code=1, reason="Error")


def test_every_phase_has_its_row_and_only_the_last_one_is_final() -> None:
    assert set(TRANSITIONS) == set(Phase)
    assert [phase for phase, row in TRANSITIONS.items() if not row] == [Phase.STOPPED]


def test_whatever_has_a_process_may_lose_it() -> None:
    for phase in HAS_PROCESS:
        assert {Happening.EXITED, Happening.LOST} <= set(TRANSITIONS[phase])


def test_every_phase_but_the_last_may_be_released_on_the_way_to_its_end() -> None:
    ends = {Phase.STOPPING, Phase.STOPPED}
    for phase in set(Phase) - ends:
        assert TRANSITIONS[phase][Happening.RELEASED] in ends


@pytest.mark.parametrize(("phase", "happening"), [*product(Phase, Happening)])
def test_what_is_not_in_the_table_is_an_error(phase: Phase, happening: Happening) -> None:
    life = Life(phase=phase)
    if life.may(happening):
        assert life.after(happening) in Phase
    else:
        with pytest.raises(ImpossibleHappening, match=phase.value):
            life.after(happening)


def test_a_life_with_a_crash() -> None:
    life = lifecycle.launched(Life(), 20000, "id")
    assert (life.phase, life.port, life.restarts) == (Phase.STARTING, 20000, 0)
    life = lifecycle.started(life, 7, 100.0)
    life = lifecycle.moved(life, Happening.PROBE_PASSED)
    assert (life.phase, life.pid) == (Phase.READY, 7)
    life = lifecycle.ended(life, CRASH, 3.0, forgiven_after_s=600.0)
    assert (life.phase, life.pid, life.crashes, life.last) == (Phase.BACKING_OFF, 0, 1, CRASH)
    life = lifecycle.launched(life, 20000, "id")
    assert (life.restarts, life.last) == (1, CRASH)
    life = lifecycle.ended(life, CRASH, 3.0, forgiven_after_s=600.0)
    assert life.crashes == 2
    life = lifecycle.ended(
        lifecycle.launched(life, 20000, "id"), CRASH, 600.0, forgiven_after_s=600.0
    )
    assert life.crashes == 1
    life = lifecycle.moved(life, Happening.RELEASED)
    assert life.phase is Phase.STOPPED


def test_what_is_blocked_says_why_until_it_is_launched() -> None:
    life = lifecycle.blocked(Life(), Waiting("ErrImagePull", "no"))
    assert (life.phase, life.waiting) == (Phase.WAITING, Waiting("ErrImagePull", "no"))
    assert lifecycle.launched(life, 1, "").waiting is None


def test_a_replica_that_was_lost_is_not_blamed() -> None:
    life = Life(phase=Phase.READY, pid=7, restarts=3, crashes=2, last=CRASH)
    assert lifecycle.lost(life) == Life(phase=Phase.WAITING, restarts=3)


@pytest.mark.parametrize(
    ("crashes", "expected"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (10, 256), (11, 300)]
)
def test_the_first_restart_is_at_once_then_the_pause_doubles(crashes: int, expected: float) -> None:
    assert backoff_s(crashes, 1.0, 300.0) == expected


@given(st.integers(0, 10**9))
def test_the_pause_never_shrinks_and_is_bounded(crashes: int) -> None:
    assert backoff_s(crashes, 1.0, 300.0) <= backoff_s(crashes + 1, 1.0, 300.0) <= 300.0
