"""`edf`: earliest deadline first, as Envoy among endpoints and Traefik among services.

Sources: Envoy `source/common/upstream/edf_scheduler.h`; Traefik
`pkg/server/service/loadbalancer/wrr/wrr.go`. As in both, another split begins anew. Traefik begins
at zero, as here and as Envoy did before it drew a number of picks to skip (its pull request 32233).
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heapreplace

from gateway.splitting.turns import Splitter


class EarliestDeadlineFirst(Splitter):
    """Pick the earliest deadline; the next one is 1 / weight later. Of equal ones the oldest."""

    __slots__ = ("_order", "_queue", "_weights")

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = weights
        self._queue = [(1.0 / weight, i, i) for i, weight in enumerate(weights)]
        self._order = len(weights)
        heapify(self._queue)

    @property
    def credit(self) -> Sequence[int]:
        return [0] * len(self._weights)

    def pick(self) -> int:
        """Return the index of the next target."""
        deadline, _, due = self._queue[0]
        heapreplace(self._queue, (deadline + 1.0 / self._weights[due], self._order, due))
        self._order += 1
        return due

    def chances(self) -> list[float]:
        """Return certainty for the one whose turn it is."""
        due = self._queue[0][2]
        return [float(i == due) for i in range(len(self._weights))]
