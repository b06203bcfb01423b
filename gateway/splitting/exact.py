"""`exact`: deterministic, with the least lag that any algorithm can promise.

Tijdeman, The chairman assignment problem, Discrete Mathematics 32 (1980) 323-330: for fixed
shares of k targets every prefix stays within 1 - 1/(2k-2) of its due (½ for two).
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.splitting.credit import FULL
from gateway.splitting.turns import Stateful


class Exact(Stateful):
    """Among the targets that are owed enough, pick the one whose deadline comes first."""

    __slots__ = ("_credit", "_eligible", "_weights")

    def __init__(self, weights: Sequence[int], credit: Sequence[int]) -> None:
        self._weights = weights
        self._credit = list(credit)
        k = len(weights)
        self._eligible = FULL / (2 * k - 2) if k > 1 else 0.0

    @property
    def credit(self) -> Sequence[int]:
        return self._credit

    def owe(self, numbers: Sequence[int]) -> None:
        """Go on from these credits."""
        self._credit[:] = numbers

    def pick(self) -> int:
        """Return the index of the next target."""
        credit = self._credit
        for i, weight in enumerate(self._weights):
            credit[i] += weight
        best = self._due(credit)
        credit[best] -= FULL
        return best

    def chances(self) -> list[float]:
        """Return certainty for the one whose turn it is."""
        due = self._due([owed + w for owed, w in zip(self._credit, self._weights, strict=True)])
        return [float(i == due) for i in range(len(self._weights))]

    def _due(self, credit: list[int]) -> int:
        best, best_deadline = -1, 0.0
        for i, weight in enumerate(self._weights):
            if credit[i] >= self._eligible:
                deadline = (FULL - self._eligible - credit[i]) / weight
                if best < 0 or deadline < best_deadline:
                    best, best_deadline = i, deadline
        if best < 0:  # only right after a change of three or more weights
            best = max(range(len(credit)), key=credit.__getitem__)
        return best
