"""`smooth-wrr`: nginx's smooth weighted round robin: who is owed most goes next.

Source: nginx `src/http/ngx_http_upstream_round_robin.c`, ngx_http_upstream_get_peer. Its
current_weight is our credit: each turn adds the weight, and takes the sum from the one picked.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.splitting.turns import Stateful


class SmoothWeightedRoundRobin(Stateful):
    """Pick the greatest credit; of equal ones the first."""

    __slots__ = ("_credit", "_total", "_weights")

    def __init__(self, weights: Sequence[int], credit: Sequence[int]) -> None:
        self._weights = weights
        self._credit = list(credit)
        self._total = sum(weights)

    @property
    def credit(self) -> Sequence[int]:
        return self._credit

    def owe(self, numbers: Sequence[int]) -> None:
        """Go on from these credits."""
        self._credit[:] = numbers

    def pick(self) -> int:
        """Return the index of the next target."""
        credit = self._credit
        best = 0
        for i, weight in enumerate(self._weights):
            credit[i] += weight
            if credit[i] > credit[best]:
                best = i
        credit[best] -= self._total
        return best

    def chances(self) -> list[float]:
        """Return certainty for the one whose turn it is."""
        due = [owed + weight for owed, weight in zip(self._credit, self._weights, strict=True)]
        return [float(i == due.index(max(due))) for i in range(len(due))]
