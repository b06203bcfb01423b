"""Knative's condition engine: how a set of facts decides Ready, one reconciliation at a time.

Sources: knative/pkg `apis/condition_set.go` (marks, happiness), `reconciler/reconcile_common.go`
(a new generation, transition times).
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.resources.conditions import (
    FALSE,
    READY,
    SEVERITY_INFO,
    TRUE,
    UNKNOWN,
    Condition,
    find,
)
from simulator.resources.meta import timestamp

NEW_GENERATION = "NewObservedGenFailure"
_NEW_GENERATION_MESSAGE = "unsuccessfully observed a new generation"


class ConditionSet(Struct, frozen=True):
    """A kind's conditions: `happy` sums up the `dependents`; any other is for information."""

    dependents: tuple[str, ...] = ()
    happy: str = READY

    def begin(
        self,
        conditions: tuple[Condition, ...],
        generation: int | None,
        observed_generation: int | None,
        now: datetime,
    ) -> Conditions:
        """Return the conditions at the start of a reconciliation.

        All of the set are there. At a generation not observed before, the happy one is Unknown
        until something is marked.
        """
        marks = Conditions(self, conditions, timestamp(now))
        marks.initialize()
        if generation != observed_generation:
            marks.mark_unknown(self.happy, NEW_GENERATION, _NEW_GENERATION_MESSAGE)
        return marks


class Conditions:
    """The conditions of one object while one plan is made; `result` is what to store.

    Within a plan a later mark counts as the more recent transition, although stored times have
    the precision of a second.
    """

    __slots__ = ("_before", "_by_type", "_count", "_now", "_order", "_set")

    def __init__(self, kind: ConditionSet, before: tuple[Condition, ...], now: str) -> None:
        self._set = kind
        self._before = before
        self._now = now
        self._by_type = {condition.type: condition for condition in before}
        self._order: dict[str, int] = {}
        self._count = 0

    def find(self, type_: str) -> Condition | None:
        """Return the condition of that type as it is now, or None."""
        return self._by_type.get(type_)

    def is_(self, type_: str, status: str) -> bool:
        """Tell whether the condition of that type is there and has that status."""
        condition = self._by_type.get(type_)
        return condition is not None and condition.status == status

    def result(self) -> tuple[Condition, ...]:
        """Return all conditions by type; the time of one that ends as it began is kept."""
        groomed = []
        for type_ in sorted(self._by_type):
            condition = self._by_type[type_]
            old = find(self._before, type_)
            same = old is not None and _at(condition, old.last_transition_time) == old
            groomed.append(old if same and old is not None else _at(condition, self._now))
        return tuple(groomed)

    def initialize(self) -> None:
        """Add what the set has and the object has not: Unknown, or True below a True happy one."""
        if self._set.happy not in self._by_type:
            self._put(self._set.happy, UNKNOWN)
        status = TRUE if self.is_(self._set.happy, TRUE) else UNKNOWN
        for dependent in self._set.dependents:
            if dependent not in self._by_type:
                self._put(dependent, status)

    def mark_true(self, type_: str, reason: str = "", message: str = "") -> None:
        """Mark it True. The happy one turns True when every dependent is, else says why not."""
        self._put(type_, TRUE, reason, message)
        unhappy = self._unhappy_dependent()
        if unhappy is not None:
            self._put(self._set.happy, unhappy.status, unhappy.reason, unhappy.message)
        elif type_ != self._set.happy:
            self._put(self._set.happy, TRUE)

    def mark_unknown(self, type_: str, reason: str = "", message: str = "") -> None:
        """Mark it Unknown, and the happy one too, unless a dependent is False."""
        self._put(type_, UNKNOWN, reason, message)
        if any(self.is_(dependent, FALSE) for dependent in self._set.dependents):
            if not self.is_(self._set.happy, FALSE):
                self._put(self._set.happy, FALSE, reason, message)
            return
        if type_ in self._set.dependents:
            self._put(self._set.happy, UNKNOWN, reason, message)

    def mark_false(self, type_: str, reason: str = "", message: str = "") -> None:
        """Mark it False; if it is a dependent, the happy one too, for the same reason."""
        self._put(type_, FALSE, reason, message)
        if type_ in self._set.dependents:
            self._put(self._set.happy, FALSE, reason, message)

    def mark_as(self, type_: str, source: Condition) -> None:
        """Mark it as another object's condition is; a True one says nothing more."""
        if source.status == TRUE:
            self.mark_true(type_)
        elif source.status == FALSE:
            self.mark_false(type_, source.reason, source.message)
        else:
            self.mark_unknown(type_, source.reason, source.message)

    def _put(self, type_: str, status: str, reason: str = "", message: str = "") -> None:
        decides = type_ == self._set.happy or type_ in self._set.dependents
        old = self._by_type.get(type_)
        condition = Condition(
            type=type_,
            status=status,
            severity="" if decides else SEVERITY_INFO,
            last_transition_time=old.last_transition_time if old else None,
            reason=reason,
            message=message,
        )
        if condition == old:
            return
        self._count += 1
        self._order[type_] = self._count
        self._by_type[type_] = _at(condition, self._now)

    def _unhappy_dependent(self) -> Condition | None:
        """Return the latest False one, else the latest Unknown one, else None."""
        if not self._set.dependents:
            return None
        deciding = [
            condition
            for condition in sorted(self._by_type.values(), key=lambda one: one.type)
            if condition.severity == "" and condition.type != self._set.happy
        ]
        deciding.sort(key=self._recency, reverse=True)
        for status in (FALSE, UNKNOWN):
            for condition in deciding:
                if condition.status == status:
                    return condition
        if len(self._set.dependents) > len(deciding):
            return Condition(type=self._set.happy)
        return None

    def _recency(self, condition: Condition) -> tuple[int, str]:
        return self._order.get(condition.type, 0), condition.last_transition_time or ""


def _at(condition: Condition, moment: str | None) -> Condition:
    return msgspec.structs.replace(condition, last_transition_time=moment)
