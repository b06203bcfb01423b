"""Earliest deadline first: with a random start, and the numpy form of both."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heapreplace
from random import Random

import numpy as np

from benchmarks.harness.splitters.algorithms.entrant import Bound, Entrant, Picker, Picks, Weights


class RandomStartEdf:
    """Pick the earliest deadline; the first ones are random within a period, 1 / weight.

    Source: gRPC's proposal A58 (client-side weighted round robin), which has each endpoint begin at
    a random deadline of its first period, so that many clients do not all begin with the heaviest.
    """

    def __init__(self, weights: Sequence[int], random: Random) -> None:
        self._weights = weights
        self._queue = [(random.random() / weight, i, i) for i, weight in enumerate(weights)]
        self._order = len(weights)
        heapify(self._queue)

    def pick(self) -> int:
        """Return the index of the next target."""
        deadline, _, due = self._queue[0]
        heapreplace(self._queue, (deadline + 1.0 / self._weights[due], self._order, due))
        self._order += 1
        return due

    def pick_for(self, key: bytes) -> int:
        """Return the index of the next target, whatever the key."""
        del key
        return self.pick()


def deal_edf(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    """Return what gateway.splitting.edf picks, which is the same in each run."""
    one = _merged(weights, [1.0 / weight for weight in weights], turns)
    return np.broadcast_to(one, (len(seeds), turns))


def _deal_random_start(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    picks = np.empty((len(seeds), turns), dtype=np.int16)
    for row, seed in enumerate(seeds):
        random = Random(seed)
        picks[row] = _merged(weights, [random.random() / weight for weight in weights], turns)
    return picks


def _merged(weights: Weights, first: Sequence[float], turns: int) -> Picks:
    """Return the order of all deadlines: of equal ones whoever was picked longer ago is first.

    Each target's are added up one after the other, as the heap does, so that they round alike.
    """
    total = sum(weights)
    deadlines, before, whose = [], [], []
    for i, (weight, begin) in enumerate(zip(weights, first, strict=True)):
        # Nobody gets more than its share and one turn for each of the others.
        count = min(turns, turns * weight // total + len(weights) + 1)
        steps = np.full(count, 1.0 / weight)
        steps[0] = begin
        each = np.cumsum(steps)
        deadlines.append(each)
        before.append(np.concatenate([[-1.0], each[:-1]]))  # when it got its present deadline
        whose.append(np.full(count, i, dtype=np.int16))
    index = np.concatenate(whose)
    order = np.lexsort((index, np.concatenate(before), np.concatenate(deadlines)))
    return index[order[:turns]]


def edf_bound(targets: int, turns: int) -> Bound:
    """Return the bound of a start at zero: none falls a whole request behind, so one is ahead of
    its due by less than all the others together are behind theirs.
    """
    del turns
    return Bound(
        max(1.0, targets - 1.0),
        "Jefferson's method stays above quota: Balinski and Young, Fair Representation (1982)",
        reached=False,
    )


def random_start_bound(targets: int, turns: int) -> Bound:
    """Return the bound of a random start. Up to any moment each target is within one turn of its
    due, early or late; so, measured at the turns that were dealt, within 1 + share * (k - 2).
    """
    del turns
    return Bound(max(1.0, targets - 1.0), "the sum of what each may be off", reached=True)


def _change_random_start(before: Picker, weights: Weights, random: Random) -> Picker:
    del before  # begins anew
    return RandomStartEdf(weights, random)


RANDOM_START = Entrant(
    name="edf-random",
    used_by="gRPC's proposal A58",
    known="not exact at the start, by choice",
    make=RandomStartEdf,
    change=_change_random_start,
    deal=_deal_random_start,
    bound=random_start_bound,
    is_seeded=True,
    begins_alike=False,
)
