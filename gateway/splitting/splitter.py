"""The protocol of a splitter, and the choice of one by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Protocol

from gateway.splitting.credit import carried, normalised
from gateway.splitting.exact import Exact
from gateway.splitting.independent import Independent
from gateway.splitting.stratified import Stratified, StratifiedPair


class Splitter(Protocol):
    """Turns, one after the other, to the indexes of targets."""

    @property
    def credit(self) -> Sequence[int]:
        """Return what each target is owed, in 1/10,000 of a request."""

    def pick(self) -> int:
        """Return the index of the target that gets the next request. O(k) at most."""

    def chances(self) -> list[float]:
        """Return how likely each target is to get the next request; they sum to 1."""


class Single:
    """One target gets everything."""

    __slots__ = ()

    @property
    def credit(self) -> Sequence[int]:
        return (0,)

    def pick(self) -> int:
        """Return 0."""
        return 0

    def chances(self) -> list[float]:
        """Return certainty."""
        return [1.0]


def make_splitter(
    name: str, shares: Mapping[str, int], owed: Mapping[str, int], random: Random
) -> Splitter:
    """Return a splitter over the targets named by `shares`, in that order.

    `shares` are positive weights; `owed` is the credit of the split before, by target, which is
    carried on. Raise ValueError for an unknown name.
    """
    weights = normalised(list(shares.values()))
    if name not in _MAKERS:
        raise ValueError(f"unknown splitter {name!r}; there are {', '.join(sorted(_MAKERS))}")
    if len(weights) == 1:
        return Single()
    return _MAKERS[name](weights, carried(owed, list(shares), weights), random)


def _stratified(weights: list[int], credit: list[int], random: Random) -> Splitter:
    if len(weights) == 2:
        return StratifiedPair(weights, credit, random)
    return Stratified(weights, credit, random)


def _exact(weights: list[int], credit: list[int], random: Random) -> Splitter:
    del random  # deterministic
    return Exact(weights, credit)


def _independent(weights: list[int], credit: list[int], random: Random) -> Splitter:
    del credit  # a coin has no memory
    return Independent(weights, random)


_MAKERS = {"stratified": _stratified, "exact": _exact, "random": _independent}
