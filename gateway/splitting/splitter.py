"""The choice of a splitter by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

from gateway.splitting.account import TARGETS_MAX, Account
from gateway.splitting.credit import FULL, carried, normalised
from gateway.splitting.edf import EarliestDeadlineFirst
from gateway.splitting.exact import Exact
from gateway.splitting.hashing import HashRanges
from gateway.splitting.independent import Independent
from gateway.splitting.smooth import SmoothWeightedRoundRobin
from gateway.splitting.stratified import Stratified, StratifiedAlone, StratifiedPair
from gateway.splitting.stride import SEQUENCE_BITS, StaticStride
from gateway.splitting.together import Shared
from gateway.splitting.turns import Splitter, Stateful

__all__ = ["Splitter", "account_name", "make_shared", "make_splitter"]


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
    name: str,
    shares: Mapping[str, int],
    owed: Mapping[str, int],
    random: Random,
    before: Splitter | None = None,
) -> Splitter:
    """Return a splitter over the targets named by `shares`, in that order.

    `shares` are positive weights; `owed` is the credit of the split before, by target, which is
    carried on, and `before` that splitter itself. Raise ValueError for an unknown name.
    """
    weights = normalised(list(shares.values()))
    if name not in _MAKERS:
        raise ValueError(f"unknown splitter {name!r}; there are {', '.join(_MAKERS)}")
    if len(weights) == 1:
        return Single()
    if isinstance(before, StaticStride) and name == "static-stride":
        return StaticStride(weights, before.sequence)
    return _MAKERS[name](weights, carried(owed, list(shares), weights), random)


def account_name(name: str, key: str, targets: int) -> str:
    """Return what the account of such a split is called; "" if it has nothing to keep in one.

    That of `static-stride` is another's: its number is no target's credit.
    """
    if not 1 < targets <= TARGETS_MAX or name not in _SHARED:
        return ""
    return f"{key}\0static-stride" if name == "static-stride" else key


def make_shared(
    name: str, shares: Mapping[str, int], owed: Mapping[str, int], dice: Random, account: Account
) -> Shared:
    """Return a splitter whose turns are those of all workers; `owed` is where they begin.

    The name is one that `account_name` has a name for.
    """
    weights = normalised(list(shares.values()))
    if name == "static-stride":
        stride = StaticStride(weights, dice.getrandbits(SEQUENCE_BITS))
        return Shared(account, stride, ["sequence"], [FULL])
    credit = carried(owed, list(shares), weights)
    rule: Stateful
    if name == "stratified" and len(weights) > 2:
        rule = Stratified(weights, credit, dice)
    elif name == "stratified":
        rule = StratifiedPair(weights, credit, dice)
    elif name == "exact":
        rule = Exact(weights, credit)
    else:
        rule = SmoothWeightedRoundRobin(weights, credit)
    return Shared(account, rule, list(shares), weights)


def _stratified(weights: list[int], credit: list[int], random: Random) -> Splitter:
    if len(weights) == 2:
        return StratifiedPair(weights, credit, random)
    return StratifiedAlone(weights, credit, random)


def _exact(weights: list[int], credit: list[int], random: Random) -> Splitter:
    del random  # deterministic
    return Exact(weights, credit)


def _independent(weights: list[int], credit: list[int], random: Random) -> Splitter:
    del credit  # a coin has no memory
    return Independent(weights, random)


def _smooth(weights: list[int], credit: list[int], random: Random) -> Splitter:
    del random  # deterministic
    return SmoothWeightedRoundRobin(weights, credit)


def _edf(weights: list[int], credit: list[int], random: Random) -> Splitter:
    del credit, random  # deterministic, and begins anew
    return EarliestDeadlineFirst(weights)


def _stride(weights: list[int], credit: list[int], dice: Random) -> Splitter:
    del credit  # one number is all it has
    return StaticStride(weights, dice.getrandbits(SEQUENCE_BITS))


def _hash_ranges(weights: list[int], credit: list[int], random: Random) -> Splitter:
    del credit, random  # a hash has no memory
    return HashRanges(weights)


_MAKERS: Final = {
    "stratified": _stratified,
    "random": _independent,
    "exact": _exact,
    "smooth-wrr": _smooth,
    "edf": _edf,
    "static-stride": _stride,
    "hash-ranges": _hash_ranges,
}
# Of `random` and `hash-ranges` all workers together are what one is. Each worker has its own `edf`,
# as in Envoy, where each thread has.
_SHARED: Final = ("stratified", "exact", "smooth-wrr", "static-stride")
