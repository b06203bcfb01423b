"""Turns that all workers take together: one split's account, and how a turn is taken from it.

All workers together keep the bound that one worker keeps alone, whatever the percents become: each
turn is added to one account, by the percents of the worker that takes it. Targets are known there
by name. When they are others than before, the first turn of the new ones carries over what is
owed, as one worker would. A worker that does not know them yet takes its turns among the old ones
from the same account, and puts back what it can: what of it is owed to a target that has left is
spread over those that are there, so each such turn moves what is owed by less than one request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.splitting.account import Account, layout_of, turn_of
from gateway.splitting.credit import FULL, carried
from gateway.splitting.turns import Splitter, Stateful

LATE_TURNS_MAX: Final = 1_000  # by other targets than the account's: then nobody else's are newer
TURN_ATTEMPTS_MAX: Final = 1_000  # others took turns meanwhile, each time: then one of its own


class Shared(Splitter):
    """Takes turns from an account, each by the rule of `rule`, whose numbers are in there.

    `names` are those of the numbers; `weights` add up to FULL.
    """

    __slots__ = (
        *("_asked", "_chances", "_late", "_layout", "_own", "_replaces", "_rule", "_weights"),
        *("account", "turn"),
    )

    def __init__(
        self, account: Account, rule: Stateful, names: Sequence[str], weights: Sequence[int]
    ) -> None:
        self.account = account
        self.turn = 0  # the last one that this worker took, counted over all; 0: it took its own
        self._rule = rule
        self._layout = layout_of(names)
        self._weights = weights
        # While the account is of the targets that these replace, the first turn makes it theirs. If
        # it is of any others, those are newer still, and turns here are late ones.
        self._replaces = account.layout_now()
        self._late = 0
        self._own = [0] * len(names)  # what the turns that this worker takes by itself owe
        self._asked = False  # whether chances are
        self._chances: list[float] = []

    @property
    def credit(self) -> Sequence[int]:
        self._look()
        return self._rule.credit

    def pick(self) -> int:
        """Return the index of the target that gets the next request of all workers."""
        account, layout, rule = self.account, self._layout, self._rule
        attempts = TURN_ATTEMPTS_MAX if account.is_open else 0
        while attempts > 0:
            attempts -= 1
            head = account.head()
            found = account.read(head, layout)
            if account.head() != head:
                continue
            if found[0] != layout.number:
                picked = self._pick_between(head)
                if picked >= 0:
                    return picked
                continue
            rule.owe(found[2:])
            if self._asked:
                self._chances = rule.chances()
            picked = rule.pick()
            if account.replace(head, layout, rule.owing()):
                self.turn = turn_of(head) + 1
                self._replaces = 0
                return picked
        return self._pick_alone()

    def _pick_alone(self) -> int:
        """Take a turn of this worker's own: a sequence beside the account's, with its own bound."""
        rule = self._rule
        self.account.alone += 1
        self.turn = 0
        rule.owe(self._own)
        if self._asked:
            self._chances = rule.chances()
        picked = rule.pick()
        self._own = list(rule.owing())
        return picked

    def chances(self) -> list[float]:
        """Return the chances of the next turn, if no other worker takes it first."""
        self._look()
        return self._rule.chances()

    def pick_with_chances(self, key: bytes) -> tuple[int, list[float]]:
        """Return a pick, and how likely each target was to be it."""
        del key  # none of those who share their turns knows any
        self._asked = True
        picked = self.pick()
        self._asked = False
        return picked, self._chances

    def _look(self) -> None:
        """Let the rule know what is owed now; what it knows stays where that is others'."""
        account, layout = self.account, self._layout
        if account.is_open:
            head = account.head()
            found = account.read(head, layout)
            if account.head() == head and found[0] == layout.number:
                self._rule.owe(found[2:])

    def _pick_between(self, head: int) -> int:
        """Take a turn where the account is of other targets; -1 if another was faster."""
        account, layout, rule = self.account, self._layout, self._rule
        there = account.read_layout(head)
        owed = dict(zip(there.names, account.read(head, there)[2:], strict=True))
        if account.head() != head:
            return -1
        if owed:
            rule.owe(carried(owed, layout.names, self._weights))
        before = list(rule.owing())
        if self._asked:
            self._chances = rule.chances()
        picked = rule.pick()
        if not owed or there.number == self._replaces or self._late >= LATE_TURNS_MAX:
            self._late = 0
            done = account.replace(head, layout, rule.owing())
        else:
            self._late += 1
            for name, was, now in zip(layout.names, before, rule.owing(), strict=True):
                if name in owed:
                    owed[name] += now - was
            equal = [FULL // len(there.names)] * len(there.names)
            done = account.replace(head, there, carried(owed, there.names, equal))
        if not done:
            return -1
        self.turn = turn_of(head) + 1
        return picked
