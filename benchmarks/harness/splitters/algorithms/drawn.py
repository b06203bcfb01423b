"""Coins with k sides: Vose's alias tables, and the numpy form of the gateway's `random`."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from benchmarks.harness.splitters.algorithms.dice import draws
from benchmarks.harness.splitters.algorithms.entrant import (
    Entrant,
    Picker,
    Picks,
    Weights,
    unbounded,
)
from gateway.splitting.credit import FULL


class Alias:
    """One draw chooses a column, and by what is left of it the column's own target or its alias.

    Source: Vose, A linear algorithm for generating random numbers with a given distribution, IEEE
    Transactions on Software Engineering 17 (1991) 972-975, after Walker 1977. Whole numbers: a
    column is `sum(weights)` high, so that no probability is rounded.
    """

    def __init__(self, weights: Sequence[int], random: Random) -> None:
        self.heights, self.aliases = alias_tables(weights)
        self._scale = len(weights)
        self._full = sum(weights)
        self._random = random.random

    def pick(self) -> int:
        """Return the index of the next target."""
        drawn = self._random() * self._scale
        column = int(drawn)
        if (drawn - column) * self._full < self.heights[column]:
            return column
        return self.aliases[column]

    def pick_for(self, key: bytes) -> int:
        """Return the index of the next target, whatever the key."""
        del key
        return self.pick()


def alias_tables(weights: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return how high each column is its own target's, of sum(weights), and whose the rest is."""
    full = sum(weights)
    heights = [weight * len(weights) for weight in weights]
    aliases = list(range(len(weights)))
    small = [i for i, height in enumerate(heights) if height < full]
    large = [i for i, height in enumerate(heights) if height >= full]
    while small and large:
        low, high = small.pop(), large.pop()
        aliases[low] = high
        heights[high] -= full - heights[low]
        (small if heights[high] < full else large).append(high)
    return heights, aliases


def _change_alias(before: Picker, weights: Weights, random: Random) -> Picker:
    del before  # a coin has no memory
    return Alias(weights, random)


def _deal_alias(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    heights, aliases = (np.array(each) for each in alias_tables(weights))
    drawn = draws(seeds, turns) * len(weights)
    column = drawn.astype(np.int64)
    own = (drawn - column) * sum(weights) < heights[column]
    return np.where(own, column, aliases[column]).astype(np.int16)


def deal_random(weights: Weights, seeds: Sequence[int], turns: int) -> Picks:
    """Return what gateway.splitting.independent picks, run by run."""
    bounds = np.cumsum(weights)
    return np.searchsorted(bounds, draws(seeds, turns) * FULL, side="right").astype(np.int16)


ALIAS = Entrant(
    name="alias",
    used_by="gRPC (xDS), samplers",
    known="as random: it makes the draw O(1), not the shares exact",
    make=Alias,
    change=_change_alias,
    deal=_deal_alias,
    bound=unbounded,
    is_seeded=True,
)
