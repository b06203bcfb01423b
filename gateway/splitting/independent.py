"""`random`: every request an independent draw, as Envoy's weighted clusters and so Knative."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random

from gateway.splitting.credit import FULL
from gateway.splitting.turns import Splitter


class Independent(Splitter):
    """Pick by share, without memory: after n requests a share is off by about sqrt(n p (1-p))."""

    __slots__ = ("_bounds", "_credit", "_random")

    def __init__(self, weights: Sequence[int], random: Random) -> None:
        self._bounds = list(accumulate(weights))
        self._random = random.random
        self._credit = [0] * len(weights)  # a coin owes nothing

    @property
    def credit(self) -> Sequence[int]:
        return self._credit

    def pick(self) -> int:
        """Return the index of the next target."""
        return bisect_right(self._bounds, self._random() * FULL)

    def chances(self) -> list[float]:
        """Return the shares: a coin has no memory."""
        return [(high - low) / FULL for low, high in pairwise([0, *self._bounds])]
