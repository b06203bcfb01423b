"""What takes part in the tournament. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Weights = tuple[int, ...]  # positive, in 0.01 %: they sum to gateway.splitting.credit.FULL
Picks = NDArray[np.int16]  # runs x turns: the index of the target that got the turn

KEY_BYTES = 8


class Picker(Protocol):
    """Turns, one after the other, to the indexes of targets: as the gateway's Splitter."""

    def pick(self) -> int:
        """Return the index of the target that gets the next request."""
        ...

    def pick_for(self, key: bytes) -> int:
        """Return the index of the target of this key; one whose turns know no key has the next."""
        ...


@dataclass(frozen=True)
class Bound:
    """How far any target may be from its due at any prefix, in requests, and who proved it.

    `reached` says whether the bound itself is a lag that may occur.
    """

    requests: float
    source: str
    reached: bool


@dataclass(frozen=True)
class Entrant:
    """An algorithm. `make` begins a split; `change` goes on with other weights.

    `deal(weights, seeds, turns)` returns for each seed exactly what `make(weights, Random(seed))`
    picks for the keys of `client_key(seed, turn)`. `is_seeded` tells whether the seed matters,
    `is_keyed` whether the key does, and `begins_alike` whether all runs begin at the same point of
    the shares' cycle, so that they may be laid over each other.
    """

    name: str
    used_by: str
    known: str
    make: Callable[[Weights, Random], Picker]
    change: Callable[[Picker, Weights, Random], Picker]
    deal: Callable[[Weights, Sequence[int], int], Picks]
    bound: Callable[[int, int], Bound | None]  # of so many targets over so many turns
    is_seeded: bool
    is_keyed: bool = False
    begins_alike: bool = True


def unbounded(targets: int, turns: int) -> None:
    """Return None: nothing is promised."""
    del targets, turns


def client_key(seed: int, turn: int) -> bytes:
    """Return the key of the client of a turn: another one for each turn and each seed."""
    return client_number(seed, turn).to_bytes(KEY_BYTES, "little")


def client_number(seed: int, turn: int) -> int:
    """Return the number that `client_key` spells."""
    return (seed & 0xFFFFFFFF) << 32 | (turn & 0xFFFFFFFF)


def picked(entrant: Entrant, weights: Weights, seed: int, turns: int) -> list[int]:
    """Return what the scalar form picks: the definition of `deal`."""
    picker = entrant.make(weights, Random(seed))
    return [picker.pick_for(client_key(seed, turn)) for turn in range(turns)]


def repeated(cycle: Sequence[int], runs: int, turns: int) -> Picks:
    """Return a cycle over and over, the same in each run."""
    one = np.resize(np.asarray(cycle, dtype=np.int16), turns)
    return np.broadcast_to(one, (runs, turns))
