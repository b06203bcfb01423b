"""The turns of gateway/splitting/stratified.py, of many seeds at once. Pure.

What the gateway finds by looking ahead slot by slot is found here by the levels of F, the sum of
the fractional parts of what is due, which depends on the turn alone: with the targets that are
ahead in the order of how long they are, some later turn d has E(d) >= F(d) if and only if, for some
number e of them, the first d with F(d) <= e comes while e targets are still ahead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.splitters.algorithms.dice import Dice, Floats, Rows
from benchmarks.harness.splitters.algorithms.entrant import Picks, Weights
from gateway.splitting.credit import FULL

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_NEVER = 2**31


def deal_stratified(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    """Return what Stratified and StratifiedPair pick, run by run."""
    if len(weights) == 2:
        return _deal_pair(weights[0], seeds, turns)
    return _Stratifying(weights, seeds).deal(turns)


def _deal_pair(weight: int, seeds: Sequence[int], turns: int) -> Picks:
    dice = Dice(seeds)
    picks = np.empty((turns, len(seeds)), dtype=np.int16)
    owed = np.zeros(len(seeds), dtype=np.int64)
    for turn in range(turns):
        before = owed
        owed = before + weight
        # Who is not ahead draws unless it is overdue; who is ahead only if it is owed anything.
        behind = before >= 0
        taken = behind & (owed >= FULL)
        rows = np.flatnonzero((behind & ~taken) | (~behind & (owed > 0)))
        if rows.size:
            dice.prepare(1)
            room = FULL - np.abs(before[rows])
            wanted = np.where(behind[rows], weight, owed[rows])
            taken[rows] = dice.take(rows) * room < wanted
        owed = owed - taken * FULL
        picks[turn] = ~taken
    return np.ascontiguousarray(picks.T)


class _Stratifying:
    """Three targets and more. Arrays are targets x seeds."""

    def __init__(self, weights: Weights, seeds: Sequence[int]) -> None:
        self._weights = np.array(weights, dtype=np.int64)[:, None]
        self._dice = Dice(seeds)
        self._credit = np.zeros((len(weights), len(seeds)), dtype=np.int64)
        self._next_low = _next_low(weights)

    def deal(self, turns: int) -> Picks:
        credit = self._credit
        picks = np.empty((turns, credit.shape[1]), dtype=np.int16)
        columns = np.arange(credit.shape[1])
        for turn in range(1, turns + 1):
            credit += self._weights
            chosen = self._choose(turn)
            credit[chosen, columns] -= FULL
            picks[turn - 1] = chosen
        return np.ascontiguousarray(picks.T)

    def _choose(self, turn: int) -> Rows:
        credit = self._credit
        overdue = credit >= FULL
        open_now = (credit > 0) & ~overdue
        late = overdue.any(axis=0)
        chosen: Rows = np.where(late, overdue.argmax(axis=0), open_now.argmax(axis=0))
        rows = np.flatnonzero(~late & (open_now.sum(axis=0) > 1))
        if rows.size:
            self._dice.prepare(len(credit) - 1)
            chosen[rows] = self._draw(turn, rows, open_now[:, rows])
        return chosen

    def _draw(self, turn: int, rows: Rows, open_now: Bools) -> Rows:
        """Draw among the open ones until one keeps every later turn servable, or one is left."""
        credit = self._credit[:, rows]
        chances = np.where(open_now, self._urgency(credit), 0.0)
        total = _summed(chances)
        ends = (FULL - credit - 1) // self._weights  # for so long it would be ahead
        crowded = self._first_crowded(turn, credit)
        chosen = np.empty(rows.size, dtype=np.intp)
        going = np.arange(rows.size)
        while going.size:
            at = _drawn(self._dice.take(rows[going]) * total[going], chances, open_now, going)
            kept = ends[at, going] < crowded[going]
            chosen[going[kept]] = at[kept]
            at, going = at[~kept], going[~kept]
            total[going] -= chances[at, going]
            open_now[at, going], chances[at, going] = False, 0.0
            left = open_now[:, going]
            last = left.sum(axis=0) == 1
            chosen[going[last]] = left.argmax(axis=0)[last]
            going = going[~last]
        return chosen

    def _urgency(self, credit: Ints) -> Floats:
        before = credit - self._weights
        made: Floats = np.where(before >= 0, self._weights, credit) / (FULL - np.abs(before))
        return made

    def _first_crowded(self, turn: int, credit: Ints) -> Ints:
        """Return how many turns from now the first is that could take no one more."""
        ahead = np.where(credit < 0, (-credit - 1) // self._weights, 0)
        longest = -np.sort(-ahead, axis=0)
        low = self._next_low[:, turn % self._next_low.shape[1]]
        first = np.full(credit.shape[1], low[0])
        for count, length in enumerate(longest[: len(low) - 1], start=1):
            first = np.where(low[count] <= length, np.minimum(first, low[count]), first)
        return first


def _next_low(weights: Weights) -> Ints:
    """Return for e and n how many turns after turn n the first is at which F is at most e."""
    cycle = FULL // int(np.gcd.reduce(np.array([FULL, *weights])))
    turns = np.arange(cycle, dtype=np.int64)
    parts = sum((weight * turns) % FULL for weight in weights) // FULL
    found = np.full((len(weights), cycle), _NEVER, dtype=np.int64)
    for level in range(len(weights)):
        at = np.flatnonzero(parts <= level)
        at = np.concatenate([at, at + cycle, at[:1] + 2 * cycle])
        found[level] = at[np.searchsorted(at, turns, side="right")] - turns
    return found


def _drawn(remaining: Floats, chances: Floats, open_now: Bools, columns: Rows) -> Rows:
    """Return the open target at which each draw ends; the last open one if rounding leaves some."""
    at = np.zeros(columns.size, dtype=np.intp)
    for i in range(len(chances)):
        at = np.where(open_now[i, columns] & (remaining >= 0), i, at)
        remaining = remaining - chances[i, columns]
    return at


def _summed(chances: Floats) -> Floats:
    """Return the sums that Python's `sum` gives: from 3.12 on with Neumaier's compensation."""
    total, lost = np.zeros(chances.shape[1]), np.zeros(chances.shape[1])
    for each in chances:
        after = total + each
        if sys.version_info >= (3, 12):
            larger = np.abs(total) >= np.abs(each)
            lost += np.where(larger, (total - after) + each, (each - after) + total)
        total = after
    return total + lost
