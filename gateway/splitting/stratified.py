"""`stratified`: within one request of every share at every prefix, and otherwise random.

The j-th request of a target belongs to a window of turns: from the first in which it is less than
one request early to the last before it is one request late (the Pfair window of Baruah et al.,
Algorithmica 15, 1996). Each turn draws among the targets whose window is open, and takes a draw
only if all windows that follow can still be met. So the bound holds, and no client can guess its
turn: alternating GET and POST do not end up on one revision each. The odds are not the shares:
those would leave most of a small share's requests to the ends of its windows, where a client with
the same rhythm has always the same request.

That all later windows can be met is Hall's condition for unit jobs on one machine: for every later
turn d, the requests due by d number at most d. With F(d) the sum of the fractional parts of what
is due by then, and E(d) how many targets are ahead of their due, it reads E(d) <= F(d).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from gateway.splitting.credit import FULL
from gateway.splitting.turns import Stateful


class StratifiedPair(Stateful):
    """Two targets: a turn is a comparison or one draw, and each request's chance is its share.

    With f the fraction of a request that is due beyond the whole ones, the picks are one more than
    the whole ones with probability f (dependent rounding). This holds turn for turn, whatever the
    weights become, so no client with a rhythm meets one target more often than another client.
    """

    __slots__ = ("_owed", "_random", "_weight")

    def __init__(self, weights: Sequence[int], credit: Sequence[int], random: Random) -> None:
        self._weight = weights[0]
        self._owed = credit[0]
        self._random = random.random

    @property
    def credit(self) -> list[int]:
        return [self._owed, -self._owed]

    def owe(self, numbers: Sequence[int]) -> None:
        """Go on from these credits, which add up to 0."""
        self._owed = numbers[0]

    def pick(self) -> int:
        """Return the index of the next target."""
        before, weight = self._owed, self._weight
        owed = before + weight
        if before >= 0:  # not ahead: it may get ahead now, and must not fall a whole one behind
            taken = owed >= FULL or self._random() * (FULL - before) < weight
        else:  # ahead: only if that is less than one once more
            taken = owed > 0 and self._random() * (FULL + before) < owed
        if taken:
            self._owed = owed - FULL
            return 0
        self._owed = owed
        return 1

    def chances(self) -> list[float]:
        """Return the chances given all turns before; certainty when only one window is open."""
        before, owed = self._owed, self._owed + self._weight
        if before >= 0:
            first = min(1.0, self._weight / (FULL - before))
        else:
            first = max(0.0, owed / (FULL + before))
        return [first, 1.0 - first]


class Stratified(Stateful):
    """Any number of targets, with the look-ahead that keeps every later window servable.

    Nothing is kept but the credits: the look-ahead computes what it needs.
    """

    __slots__ = ("_all", "_credit", "_random", "_weights")

    def __init__(self, weights: Sequence[int], credit: Sequence[int], random: Random) -> None:
        self._weights = list(weights)
        self._credit = list(credit)
        self._random = random.random
        self._all = range(len(weights))

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
        chosen = self._choose()
        credit[chosen] -= FULL
        return chosen

    def _choose(self) -> int:
        credit = self._credit
        candidates: list[int] = []
        chances: list[float] = []
        late = -1
        for i in self._all:
            owed = credit[i]
            if owed >= FULL:  # at most one when no weight changed; then the longest overdue
                if late < 0 or owed > credit[late]:
                    late = i
            elif owed > 0:
                candidates.append(i)
                chances.append(self._urgency(i))
        if late >= 0:
            return late
        if not candidates:
            return max(self._all, key=credit.__getitem__)
        total = sum(chances)
        while len(candidates) > 1:
            drawn = self._random() * total
            at = -1
            while drawn >= 0 and at < len(chances) - 1:
                at += 1
                drawn -= chances[at]
            i = candidates[at]
            if self._keeps_schedulable(i):
                return i
            total -= chances[at]
            del candidates[at], chances[at]
        return candidates[0]

    def _urgency(self, i: int) -> float:
        """Return the chance of an open window if there were two targets, as StratifiedPair's."""
        owed, weight = self._credit[i], self._weights[i]
        before = owed - weight
        return weight / (FULL - before) if before >= 0 else owed / (FULL + before)

    def chances(self) -> list[float]:
        """Return the odds of those that may be picked now: of a copy, so that no turn is used."""
        look = Stratified(self._weights, self._credit, Random(0))  # noqa: S311 (never asked)
        for i, weight in enumerate(self._weights):
            look._credit[i] += weight
        late = [i for i in self._all if look._credit[i] >= FULL]
        open_now = [i for i in self._all if look._credit[i] > 0]
        able = [i for i in open_now if len(open_now) == 1 or look._keeps_schedulable(i)]
        if late:
            able = [max(late, key=look._credit.__getitem__)]
        elif not able:
            able = [max(open_now or self._all, key=look._credit.__getitem__)]
        if len(able) == 1:
            return [float(i in able) for i in self._all]
        total = sum(look._urgency(i) for i in able)
        return [look._urgency(i) / total if i in able else 0.0 for i in self._all]

    def _keeps_schedulable(self, i: int) -> bool:
        """Tell whether every later turn has room if i is picked now, ahead of its due."""
        credit, weights = self._credit, self._weights
        end = (FULL - credit[i] - 1) // weights[i]
        for distance in range(1, end + 1):
            ahead = fractions = 0
            for owed, weight in zip(credit, weights, strict=True):
                due = owed + weight * distance
                fractions += due % FULL
                if due < 0:
                    ahead += 1
            if fractions // FULL <= ahead:
                return False
        return True


class StratifiedAlone(Stratified):
    """The same turns at a lower price, for one who takes all of them: it remembers the look-ahead.

    Its credits may not be put elsewhere, nor taken from there.
    """

    __slots__ = ("_at", "_horizon", "_slack")

    def __init__(self, weights: Sequence[int], credit: Sequence[int], random: Random) -> None:
        super().__init__(weights, credit, random)
        # A target is ahead of its due for less than FULL / weight turns.
        self._horizon = FULL // min(weights) + 2
        # slack[(at + d) % horizon] = F(d) - E(d) for the turns d = 1 .. horizon - 1 to come
        self._at = 0
        self._slack = [0] * self._horizon
        for distance in range(1, self._horizon):
            self._slack[distance] = self._fraction(distance)
        for i in self._all:
            self._mark_ahead(i)

    def owe(self, numbers: Sequence[int]) -> None:
        raise NotImplementedError

    def pick(self) -> int:
        """Return the index of the next target."""
        self._advance()
        chosen = self._choose()
        self._credit[chosen] -= FULL
        self._mark_ahead(chosen)
        return chosen

    def _advance(self) -> None:
        """Begin the next turn: everyone earns its share."""
        credit, weights = self._credit, self._weights
        farthest, fractions = self._horizon - 1, 0
        for i in self._all:
            owed = credit[i] = credit[i] + weights[i]
            fractions += (owed + weights[i] * farthest) % FULL
        self._at = (self._at + 1) % self._horizon
        # The slot that just passed now stands for the farthest turn, where none is ahead any more.
        self._slack[self._at - 1] = fractions // FULL

    def _keeps_schedulable(self, i: int) -> bool:
        """Tell whether every later turn has room if i is picked now, ahead of its due."""
        end = self._turns_ahead(self._credit[i] - FULL, self._weights[i])
        start = self._at + 1
        stop = start + end
        slack = self._slack
        if stop <= self._horizon:
            ahead = slack[start:stop]
        else:
            ahead = slack[start:] + slack[: stop - self._horizon]
        return not ahead or min(ahead) > 0

    def _mark_ahead(self, i: int) -> None:
        """Count target i as ahead of its due until it has caught up."""
        for distance in range(1, self._turns_ahead(self._credit[i], self._weights[i]) + 1):
            self._slack[(self._at + distance) % self._horizon] -= 1

    def _turns_ahead(self, credit: int, weight: int) -> int:
        """Return for how many turns to come `credit + weight * turn` stays below zero."""
        return min((-credit - 1) // weight, self._horizon - 2) if credit < 0 else 0

    def _fraction(self, distance: int) -> int:
        """Return F: the sum of the fractional parts of what is due `distance` turns from now."""
        total = sum((self._credit[i] + self._weights[i] * distance) % FULL for i in self._all)
        return total // FULL
