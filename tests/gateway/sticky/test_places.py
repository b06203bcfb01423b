"""Sessions over changes of shares: nobody moves who need not, and shares are met all the same."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.splitting.credit import FULL
from gateway.splitting.splitter import make_splitter
from gateway.sticky.places import UNIT, Place, Positions, Shares, moved, unpacked

NAMES = [bytes([number]) * 6 for number in range(6)]


@st.composite
def shares(draw: st.DrawFn) -> Shares:
    """Shares of up to six targets, some of them with nothing."""
    cuts = sorted(draw(st.lists(st.integers(0, FULL), min_size=1, max_size=len(NAMES) - 1)))
    weights = [high - low for low, high in zip([0, *cuts], [*cuts, FULL], strict=True)]
    order = draw(st.permutations(NAMES))
    return Shares({name: weight for name, weight in zip(order, weights, strict=False) if weight})


def places(of: Shares) -> list[Place]:
    """Return sessions as they are dealt, some hundred of them, at all positions."""
    positions = Positions(7)
    return [positions.deal(name, of.weights[name]) for name in of.weights for _ in range(100)]


@given(shares())
def test_shares_are_read_as_they_were_packed(these: Shares) -> None:
    assert unpacked(these.packed).weights == these.weights
    assert sum(these.weights.values()) == FULL


@given(shares(), shares())
def test_a_session_leaves_only_a_share_that_shrank_for_one_that_grew(
    before: Shares, now: Shares
) -> None:
    for place in places(before):
        after = moved(place, before, now)
        assert after is not None
        assert 0 <= after.position < now.weights[after.target] * UNIT
        if after.target == place.target:
            assert after.position == place.position
            continue
        assert now.weights.get(place.target, 0) < before.weights[place.target]
        assert now.weights[after.target] > before.weights.get(after.target, 0)


@given(shares(), shares())
def test_no_two_sessions_get_one_place(before: Shares, now: Shares) -> None:
    at = {(place.target, place.position) for place in places(before)}
    found = [moved(Place(*one), before, now) for one in at]
    assert len({(one.target, one.position) for one in found if one}) == len(at)


@given(shares(), shares())
def test_just_as_much_of_a_share_moves_as_it_lost(before: Shares, now: Shares) -> None:
    """Each hundredth of a percent stands for its sessions: the shares come out exactly."""
    got = dict.fromkeys(now.weights, 0)
    for name, weight in before.weights.items():
        for part in range(weight):
            place = moved(Place(name, part * UNIT + UNIT // 2), before, now)
            assert place is not None
            got[place.target] += 1
    assert got == now.weights


@given(shares(), shares())
def test_a_change_that_is_taken_back_is_undone(before: Shares, now: Shares) -> None:
    """So workers that have different tables for a moment do not scatter anybody."""
    if len(before.weights | now.weights) > 2:
        return  # of three and more, who moves away and back may find another's place
    for place in places(before):
        there = moved(place, before, now)
        assert there is not None
        back = moved(there, now, before)
        assert back is not None
        assert (back.target, back.position) == (place.target, place.position)


@given(shares(), shares())
def test_a_place_that_the_shares_before_did_not_have_is_none(before: Shares, now: Shares) -> None:
    for name in set(NAMES) - set(now.weights):
        beyond = before.weights.get(name, 0) * UNIT
        assert moved(Place(name, beyond), before, now) is None


@given(st.lists(st.integers(1, FULL - 1), min_size=2, max_size=8), st.integers(0, 2**32))
def test_who_has_the_canary_keeps_it_through_any_ramp(percents: list[int], seed: int) -> None:
    stable, canary = NAMES[:2]
    ramp = [Shares({stable: FULL - percent, canary: percent}) for percent in sorted(percents)]
    positions = Positions(seed)
    sessions = [(positions.deal(name, ramp[0].weights[name]), ramp[0]) for name in NAMES[:2] * 50]
    for step, now in enumerate(ramp[1:]):
        for number, (place, known) in enumerate(sessions):
            if (number + step) % 3 == 0:  # it sends nothing now, and comes back some steps later
                continue
            after = moved(place, known, now)
            assert after is not None
            assert place.target != canary or after.target == canary
            sessions[number] = (after, now)


RAMPS = [
    pytest.param([(99, 1), (95, 5), (75, 25), (50, 50)], 2.5, id="1-5-25-50"),
    pytest.param([(100 - step, step) for step in range(1, 31)], 6.0, id="each percent to 30"),
    pytest.param([(90, 10), (50, 50), (80, 20), (10, 90)], 3.5, id="forth and back"),
    pytest.param([(90, 5, 5), (80, 15, 5), (50, 40, 10), (20, 30, 50)], 4.5, id="three"),
]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("ramp", "bound"), RAMPS)
def test_sessions_follow_the_shares(ramp: list[tuple[int, ...]], bound: float, seed: int) -> None:
    """All that ever came, counted at each step: a coin would be off by tens."""
    dice, positions = Random(seed), Positions(seed * 0x1234567)
    sessions: list[tuple[Place, Shares]] = []
    owed: dict[str, int] = {}
    for percents in ramp:
        weights = {str(number): percent * 100 for number, percent in enumerate(percents)}
        now = Shares({NAMES[int(key)]: weight for key, weight in weights.items()})
        sessions = [
            (after, now) for place, known in sessions if (after := moved(place, known, now))
        ]
        splitter = make_splitter("stratified", weights, owed, dice)
        for _ in range(300):
            name = NAMES[splitter.pick()]
            sessions.append((positions.deal(name, now.weights[name]), now))
        owed = dict(zip(weights, splitter.credit, strict=True))
        for name, weight in now.weights.items():
            got = sum(place.target == name for place, _ in sessions)
            assert abs(got - len(sessions) * weight / FULL) < bound
