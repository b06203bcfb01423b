"""What the request of a session gets, by the cookie that it comes with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import Share, Split
from gateway.sticky.bycookie import CookieStickiness
from gateway.sticky.places import TARGETS_MAX, Positions
from gateway.sticky.stickiness import KEPT, MOVED, NEW, Seat, is_possible

KEY = bytes(range(32))
DAY_S = 86_400.0
NOW = 1_700_000_000
IP = "192.0.2.1"  # no matter


def sticky(
    *weights: int, name: str = "shop", key: bytes = KEY, positions: int = 7, epoch: int = 0
) -> CookieStickiness:
    shares = tuple(Share(f"d/v{number}", weight) for number, weight in enumerate(weights, 1))
    row = Split(name, shares, sticky="cookie", sticky_name="knary-1", epoch=epoch)
    return CookieStickiness(row, key, Positions(positions), DAY_S)


def turns(*indexes: int) -> Callable[[], int]:
    return cycle(indexes).__next__


def cookie(seat: Seat) -> list[bytes]:
    """Return the line that a client sends from then on."""
    found = re.fullmatch(rb"Set-Cookie: (knary-1=[^;]+); .*\r\n", seat.cookie)
    assert found is not None
    return [b"Cookie: %b\r\n" % found[1]]


def no_turn() -> int:
    raise AssertionError("an old session takes no turn")


def test_a_new_session_takes_a_turn_and_keeps_what_it_got() -> None:
    split = sticky(9_000, 1_000)
    for index in (0, 1, 0):
        first = split.seat([], IP, NOW, turns(index))
        assert (first.index, first.outcome, first.because) == (index, NEW, "no-cookie")
        again = split.seat(cookie(first), IP, NOW + 100, no_turn)
        assert (again.index, again.outcome, again.cookie) == (index, KEPT, b"")


def test_all_workers_and_their_successors_know_a_session() -> None:
    first = sticky(9_000, 1_000, positions=1).seat([], IP, NOW, turns(1))
    assert sticky(9_000, 1_000, positions=2).seat(cookie(first), IP, NOW, no_turn).index == 1


STRANGERS = [
    pytest.param(lambda _: [b"Cookie: a=b\r\n"], "no-cookie", id="another cookie"),
    pytest.param(lambda line: line * 2, "several-cookies", id="two of them"),
    pytest.param(lambda line: [line[0][:-3] + b"\r\n"], "not-ours", id="cut"),
    pytest.param(lambda _: [b"Cookie: knary-1=1\r\n"], "not-ours", id="a wish"),
    pytest.param(lambda _: [b"Cookie: knary-1=\r\n"], "not-ours", id="empty"),
    pytest.param(lambda _: [b"Cookie: knary-1=%b\r\n" % (b"A" * 60_000)], "not-ours", id="long"),
    pytest.param(lambda _: [b"Cookie: knary-1=\xff\xfe\r\n"], "not-ours", id="no text"),
]


@pytest.mark.parametrize(("spoil", "because"), STRANGERS)
def test_a_cookie_that_is_not_ours_begins_a_new_session(
    spoil: Callable[[list[bytes]], list[bytes]], because: str
) -> None:
    split = sticky(5_000, 5_000)
    line = cookie(split.seat([], IP, NOW, turns(1)))
    for index in (0, 1):
        seat = split.seat(spoil(line), IP, NOW, turns(index))
        assert (seat.index, seat.outcome, seat.because) == (index, NEW, because)
        assert split.seat(cookie(seat), IP, NOW, no_turn).outcome == KEPT


@pytest.mark.parametrize("other", [{"name": "blog"}, {"key": bytes(32)}, {"epoch": 1}])
def test_a_cookie_of_another_service_instance_or_epoch_begins_a_new_session(other: dict) -> None:
    line = cookie(sticky(5_000, 5_000, **other).seat([], IP, NOW, turns(1)))
    seat = sticky(5_000, 5_000).seat(line, IP, NOW, turns(0))
    assert (seat.outcome, seat.because) == (NEW, "not-ours")


def test_a_session_lasts_as_long_as_its_client_comes_again() -> None:
    split = sticky(5_000, 5_000)
    line = cookie(split.seat([], IP, NOW, turns(1)))
    now = NOW
    for _ in range(10):  # after more than half of its time it is written anew
        now += int(DAY_S * 0.6)
        seat = split.seat(line, IP, now, no_turn)
        assert (seat.index, seat.outcome) == (1, KEPT)
        line = cookie(seat)
    gone = split.seat(line, IP, now + int(DAY_S) + 1, turns(0))
    assert (gone.outcome, gone.because) == (NEW, "expired")


def test_a_clock_that_was_set_back_ends_no_session() -> None:
    split = sticky(5_000, 5_000)
    line = cookie(split.seat([], IP, NOW, turns(1)))
    assert split.seat(line, IP, NOW - 1_000_000, no_turn).outcome == KEPT


def test_a_rollback_moves_everybody_at_once() -> None:
    before = sticky(5_000, 4_000, 1_000)
    lines = [cookie(before.seat([], IP, NOW, turns(2))) for _ in range(100)]
    rolled_back = sticky(5_000, 5_000, 0)
    for line in lines:
        seat = rolled_back.seat(line, IP, NOW, no_turn)
        assert (seat.index, seat.outcome, seat.because) == (1, MOVED, "revision-gone")
        assert rolled_back.seat(cookie(seat), IP, NOW, no_turn).outcome == KEPT


def test_of_a_share_that_shrank_as_many_move_as_must() -> None:
    before, now = sticky(9_000, 1_000), sticky(6_000, 4_000)
    seats = [before.seat([], IP, NOW, turns(*[0] * 9, 1)) for _ in range(300)]
    lines = [cookie(before.seat([], IP, NOW, turns(index))) for index in [0] * 900 + [1] * 100]
    assert {seat.index for seat in seats} == {0}
    after = [now.seat(line, IP, NOW, no_turn) for line in lines]
    assert {seat.index for seat in after[900:]} == {1}
    found = Counter((seat.index, seat.outcome) for seat in after[:900])
    assert set(found) == {(0, KEPT), (1, MOVED)}
    assert abs(found[1, MOVED] - 300) <= 2
    assert {seat.because for seat in after if seat.outcome == MOVED} == {"share-shrank"}


def test_requests_at_once_get_one_answer_though_all_have_the_old_cookie() -> None:
    before = sticky(9_000, 1_000)
    lines = [cookie(before.seat([], IP, NOW, turns(0))) for _ in range(50)]
    workers = [sticky(5_000, 5_000, positions=number) for number in (1, 2)]
    for line in lines:
        assert len({(one.seat(line, IP, NOW, no_turn).index) for one in workers * 3}) == 1


@given(
    st.lists(st.integers(1, 9_999), min_size=2, max_size=5).map(sorted),
    st.lists(st.integers(0, 1), min_size=1, max_size=20),
)
def test_nobody_moves_back_while_the_canary_grows(ramp: list[int], dealt: list[int]) -> None:
    """Whether its client takes each cookie, or comes with an old one again."""
    first = sticky(10_000 - ramp[0], ramp[0])
    sessions = [[cookie(first.seat([], IP, NOW, turns(index)))] for index in dealt]
    had = [index == 1 for index in dealt]
    for percent in ramp[1:]:
        split = sticky(10_000 - percent, percent)
        for number, lines in enumerate(sessions):
            seats = [split.seat(line, IP, NOW, no_turn) for line in lines]
            assert len({seat.index for seat in seats}) == 1
            assert seats[0].index == 1 or not had[number]
            had[number] = seats[0].index == 1
            lines += [cookie(seat) for seat in seats if seat.cookie]


@pytest.mark.parametrize(
    ("targets", "possible"), [(1, False), (2, True), (TARGETS_MAX, True), (TARGETS_MAX + 1, False)]
)
def test_a_split_of_one_target_has_no_sessions_nor_has_one_of_too_many(
    targets: int, possible: bool
) -> None:
    assert is_possible(range(targets)) is possible
