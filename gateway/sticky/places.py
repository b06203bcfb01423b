"""Where a session stands in the shares of a split, and where it goes when they change. Pure.

A session has a target and a position, evenly spread below the target's share. When a share shrinks,
those of its sessions leave whose position is above what is left; what they leave is exactly what
the growing shares gain, and there each has a place of its own. So nobody leaves a share that did
not shrink, just as many move as must, and where a session goes follows from its place, the shares
before and those now: two requests at once, in two workers, get the same answer, and a growing
canary keeps whom it has.

Whoever knows a session's place knows all of its life: nothing is remembered here. The price is
that positions have to suit every share that may come. No sequence has each prefix within a bound of
all shares at once (Schmidt, Acta Arithmetica 21, 1972: it grows like log n); the golden ratio's is
among the best.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.splitting.credit import FULL

NAME_BYTES: Final = 6  # of a target's name in a token
_WEIGHT_BYTES: Final = 2
ENTRY_BYTES: Final = NAME_BYTES + _WEIGHT_BYTES
TARGETS_MAX: Final = 255  # of a split with sessions: their shares are written into each cookie

UNIT: Final = 1 << 16  # positions in one of FULL parts
POSITIONS: Final = FULL * UNIT  # fits into 32 bits
_GOLDEN: Final = 0x9E3779B9  # 2**32 divided by the golden ratio, odd: all numbers are visited
_WORD: Final = 0xFFFFFFFF


class Place:
    """A session's target, by its name of NAME_BYTES, and its position in the target's share."""

    __slots__ = ("position", "target")

    def __init__(self, target: bytes, position: int) -> None:
        self.target = target
        self.position = position


class Shares:
    """The weights of a split's targets, which sum to FULL. `packed` says all of it."""

    __slots__ = ("packed", "weights")

    def __init__(self, weights: Mapping[bytes, int]) -> None:
        """`weights` are by a target's name of NAME_BYTES, each from 1 to FULL."""
        self.weights: dict[bytes, int] = {name: weights[name] for name in sorted(weights)}
        self.packed: bytes = b"".join(
            [name + weight.to_bytes(_WEIGHT_BYTES, "big") for name, weight in self.weights.items()]
        )


def unpacked(packed: bytes) -> Shares:
    """Return the shares that `packed` says."""
    return Shares(
        {
            packed[at : at + NAME_BYTES]: int.from_bytes(
                packed[at + NAME_BYTES : at + ENTRY_BYTES], "big"
            )
            for at in range(0, len(packed), ENTRY_BYTES)
        }
    )


def stays(place: Place, now: Shares) -> bool:
    """Tell whether a session keeps this place in the shares now, whatever they were before."""
    return place.position < now.weights.get(place.target, 0) * UNIT


def moved(place: Place, before: Shares, now: Shares) -> Place | None:
    """Return the place in the shares now of a session that had `place` in those before.

    It is the same one unless the session's share shrank below it. None: it had no such place.
    """
    if stays(place, now):
        return place
    if place.position >= before.weights.get(place.target, 0) * UNIT:
        return None
    # How far into all that shares lost: the same far it is into what shares gained.
    into = place.position - now.weights.get(place.target, 0) * UNIT
    for target, weight in before.weights.items():
        if target == place.target:
            break
        into += max(0, weight - now.weights.get(target, 0)) * UNIT
    for target, weight in now.weights.items():
        gained = max(0, weight - before.weights.get(target, 0)) * UNIT
        if into < gained:
            # From the top: those who came last are the first who leave.
            return Place(target, weight * UNIT - 1 - into)
        into -= gained
    return None


class Positions:
    """Deals positions to new sessions: of each target the next one of a golden-ratio sequence."""

    __slots__ = ("_last", "_start")

    def __init__(self, start: int) -> None:
        self._start = start & _WORD  # workers begin apart
        self._last: dict[bytes, int] = {}

    def deal(self, target: bytes, weight: int) -> Place:
        """Return the place of the target's next new session; its share is `weight` of FULL."""
        last = self._last[target] = (self._last.get(target, self._start) + _GOLDEN) & _WORD
        return Place(target, last * weight * UNIT >> 32)

    def keep(self, targets: Mapping[bytes, int]) -> None:
        """Forget the targets that are none of these."""
        self._last = {name: last for name, last in self._last.items() if name in targets}
