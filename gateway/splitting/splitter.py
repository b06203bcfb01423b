"""The choice of a splitter by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

from gateway.splitting.credit import carried, normalised
from gateway.splitting.exact import Exact
from gateway.splitting.independent import Independent
from gateway.splitting.stratified import Stratified, StratifiedPair
from gateway.splitting.turns import Splitter

__all__ = ["Splitter", "make_splitter"]


class Single(Splitter):
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


_MAKERS: Final = {"stratified": _stratified, "exact": _exact, "random": _independent}
