"""Sessions by a header's value and by an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from gateway.contract import Share, Split
from gateway.sticky.bykey import KeyStickiness
from gateway.sticky.places import Positions
from gateway.sticky.stickiness import ALONE, KEPT, MOVED, NEW
from gateway.sticky.table import SHARES_MAX, open_table

KEY = bytes(range(32))
DAY_S, NOW = 86_400.0, 1_700_000_000


class Workers:
    """Two workers that share a table; each asks in turn."""

    def __init__(self, folder: Path, kind: str = "header", name: str = "x-user") -> None:
        self._tables = [open_table(str(folder / "sessions"), 10_000, KEY) for _ in range(2)]
        self._kind, self._name = kind, name
        self.split(9_000, 1_000)

    def split(self, *weights: int, key: str = "shop", epoch: int = 0) -> None:
        shares = tuple(Share(f"d/v{number}", weight) for number, weight in enumerate(weights, 1))
        row = Split(key, shares, sticky=self._kind, sticky_name=self._name, epoch=epoch)
        self.each = cycle(
            [
                KeyStickiness(row, KEY, Positions(number), DAY_S, table)
                for number, table in enumerate(self._tables)
            ]
        )

    def ask(
        self, who: str, turn: Callable[[], int] | None = None, now_s: int = NOW
    ) -> tuple[int, int, str]:
        lines = [f"X-User: {who}\r\n".encode()] if who and self._name else []
        seat = next(self.each).seat(lines, who or "127.0.0.1", now_s, turn or no_turn)
        assert seat.cookie == b""
        return seat.index, seat.outcome, seat.because


def no_turn() -> int:
    raise AssertionError("an old session takes no turn")


def turns(*indexes: int) -> Callable[[], int]:
    return cycle(indexes).__next__


@pytest.mark.parametrize(("kind", "name"), [("header", "x-user"), ("address", "")])
def test_whichever_worker_is_asked_a_client_stays(tmp_path: Path, kind: str, name: str) -> None:
    workers = Workers(tmp_path, kind, name)
    assert workers.ask("ann", turns(1)) == (1, NEW, "unknown")
    assert workers.ask("bob", turns(0)) == (0, NEW, "unknown")
    for _ in range(3):
        assert workers.ask("ann") == (1, KEPT, "")
        assert workers.ask("bob") == (0, KEPT, "")


def test_a_request_without_the_header_belongs_to_no_session(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    for index in (0, 1, 1, 0):
        assert workers.ask("", turns(index)) == (index, ALONE, "no-header")


def test_several_lines_are_one_value_in_any_letters(tmp_path: Path) -> None:
    worker = next(Workers(tmp_path).each)
    lines = [b"X-User: a\r\n", b"Accept: b\r\n", b"x-user:  c \r\n"]
    assert worker.seat(lines, "", NOW, turns(1)).outcome == NEW
    assert worker.seat([b"X-USER: a, c\r\n"], "", NOW, no_turn).outcome == KEPT


def test_a_change_moves_as_many_as_it_must_and_nobody_back(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    deal = turns(*[0] * 9, 1)
    for number in range(500):
        workers.ask(str(number), deal)
    had: set[int] = set()
    for canary in (1_000, 3_000, 6_000, 9_999):
        workers.split(10_000 - canary, canary)
        seats = {number: workers.ask(str(number)) for number in range(500)}
        has = {number for number, (index, _, _) in seats.items() if index == 1}
        assert had <= has
        assert {seats[number][1:] for number in has - had} <= {(MOVED, "share-shrank"), (KEPT, "")}
        assert abs(len(has) - canary / 20) <= 5
        assert Counter(workers.ask(str(number))[1] for number in range(500)) == {KEPT: 500}
        had = has
    workers.split(10_000, 0)
    assert {workers.ask(str(number))[0] for number in range(500)} == {0}


def test_who_missed_several_changes_is_moved_by_all_of_them(tmp_path: Path) -> None:
    """The shares in which a session stands are in the table, for workers that never had them."""
    workers = Workers(tmp_path)
    workers.split(6_000, 3_000, 1_000)
    deal = turns(0, 0, 0, 0, 0, 0, 1, 1, 1, 2)
    for number in range(1_000):
        workers.ask(str(number), deal)
    workers.split(100, 3_000, 6_900)
    workers.split(2_000, 3_000, 5_000)
    found = Counter(workers.ask(str(number))[0] for number in range(1_000))
    assert all(abs(found[index] - due) <= 3 for index, due in enumerate((200, 300, 500)))


def test_shares_that_nobody_remembers_keep_whom_they_can(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    deal = turns(*[0] * 9, 1)
    for number in range(100):
        workers.ask(str(number), deal)
    for percent in range(1, 3 * SHARES_MAX):
        workers.split(percent, 10_000 - percent, key="blog")
    workers.split(5_000, 5_000)
    seats = [workers.ask(str(number), turns(1)) for number in range(100)]
    assert all(seat == (1, KEPT, "") for seat in seats[9::10])
    assert {seat[1:] for seat in seats} == {(KEPT, ""), (NEW, "unknown")}


def test_a_session_lasts_as_long_as_its_client_comes_again(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    workers.ask("ann", turns(1))
    now = NOW
    for _ in range(5):
        now += int(DAY_S) - 1
        assert workers.ask("ann", None, now) == (1, KEPT, "")
    assert workers.ask("ann", turns(0), now + int(DAY_S) + 1) == (0, NEW, "unknown")


def test_when_splits_begin_anew_so_do_their_sessions(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    workers.ask("ann", turns(1))
    workers.split(9_000, 1_000, epoch=1)
    assert workers.ask("ann", turns(0)) == (0, NEW, "unknown")
