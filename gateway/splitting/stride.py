"""`static-stride`: gRPC's weighted round robin: whose turn it is follows from one number.

Source: gRPC `src/core/load_balancing/weighted_round_robin/static_stride_scheduler.cc`. Like there
the number goes on when the weights change, and begins at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.splitting.turns import Stateful

SEQUENCE_BITS: Final = 32
_SEQUENCE_MASK: Final = (1 << SEQUENCE_BITS) - 1  # it is an unsigned one, and begins at 0 again
_SIGN: Final = 1 << (SEQUENCE_BITS - 1)
_MAX_WEIGHT: Final = 0xFFFF
_OFFSET: Final = _MAX_WEIGHT // 2  # so that equal neighbours do not pause in the same generation
_MAX_RATIO: Final = 10.0  # of the mean, to which greater weights are cut
_MIN_RATIO: Final = 0.01  # of the mean, to which smaller ones are raised


class StaticStride(Stateful):
    """Visit the targets in turn; each takes `weight` of 65,535 visits, evenly spread.

    A weight below a hundredth of the mean, or above ten times the mean, gets a wrong share, as in
    gRPC: 999:1 sends 0.5 % to the second.
    """

    __slots__ = ("_weights", "sequence")

    def __init__(self, weights: Sequence[int], sequence: int) -> None:
        self._weights = scaled(weights)
        self.sequence = sequence  # of the next visit

    @property
    def credit(self) -> Sequence[int]:
        return [0] * len(self._weights)

    def owing(self) -> Sequence[int]:
        """Return the one number that it has, as one with a sign."""
        return (self.sequence - _SIGN,)

    def owe(self, numbers: Sequence[int]) -> None:
        """Go on from this number."""
        self.sequence = numbers[0] + _SIGN

    def pick(self) -> int:
        """Return the index of the next target; the heaviest one takes every visit."""
        sequence = self._due()
        self.sequence = (sequence + 1) & _SEQUENCE_MASK
        return sequence % len(self._weights)

    def chances(self) -> list[float]:
        """Return certainty for the one whose turn it is."""
        due = self._due() % len(self._weights)
        return [float(i == due) for i in range(len(self._weights))]

    def _due(self) -> int:
        """Return the number of the next visit that is taken."""
        weights, sequence = self._weights, self.sequence
        while True:
            generation, i = divmod(sequence, len(weights))
            if (weights[i] * generation + i * _OFFSET) % _MAX_WEIGHT >= _MAX_WEIGHT - weights[i]:
                return sequence
            sequence = (sequence + 1) & _SEQUENCE_MASK


def scaled(weights: Sequence[int]) -> list[int]:
    """Return positive weights as visits of 65,535, which the heaviest has, in gRPC's limits."""
    mean = sum(weights) / len(weights)
    heaviest = min(float(max(weights)), _MAX_RATIO * mean)
    factor = _MAX_WEIGHT / heaviest
    least = max(1, _rounded(_rounded(factor * mean) * _MIN_RATIO))
    return [max(_rounded(min(float(weight), heaviest) * factor), least) for weight in weights]


def _rounded(value: float) -> int:
    return int(value + 0.5)  # halves away from zero, as C's lround
