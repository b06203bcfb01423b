"""Whether what clients saw of one object can have happened one thing after the other. Pure.

Source: Wing and Gong, "Testing and verifying concurrent objects" (1993), with Lowe's memory of
what was tried (2017). Objects are independent, so each is checked alone (locality).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Verb = Literal["read", "create", "update", "delete"]
State = tuple[int, str] | None  # version and value; None: not there


class Operation(Struct, frozen=True):
    """One call and its answer. `expected` 0 is no precondition; times are of one clock."""

    verb: Verb
    began: float
    ended: float
    code: int
    value: str = ""  # written, or read
    version: int = 0  # as answered
    expected: int = 0  # the version that an update or a delete is for


REFUSED: object = object()


def stepped(state: State, done: Operation) -> State | object:
    """Return the state after the operation, or REFUSED when it cannot have had this answer."""
    match done.verb, done.code:
        case "read", 200:
            return state if state == (done.version, done.value) else REFUSED
        case (("read" | "update" | "delete"), 404):
            return None if state is None else REFUSED
        case "create", 201:
            return (done.version, done.value) if state is None else REFUSED
        case "create", 409:
            return state if state is not None else REFUSED
        case "update", 200:
            is_next = state is not None and state[0] == done.expected < done.version
            return (done.version, done.value) if is_next else REFUSED
        case (("update" | "delete"), 409):
            return state if state is not None and state[0] != done.expected else REFUSED
        case "delete", 200:
            is_meant = state is not None and done.expected in (0, state[0])
            return None if is_meant else REFUSED
    return REFUSED


def is_linearizable(history: Sequence[Operation], initial: State = None) -> bool:
    """Tell whether some order of the operations explains every answer.

    In it, what ended before another began comes before that.
    """
    everything = frozenset(range(len(history)))
    stack: list[tuple[frozenset[int], State]] = [(everything, initial)]
    tried = set(stack)
    while stack:
        left, state = stack.pop()
        if not left:
            return True
        first_end = min(history[index].ended for index in left)
        for index in left:
            if history[index].began > first_end:
                continue
            after = stepped(state, history[index])
            if after is REFUSED:
                continue
            step = (left - {index}, after)
            if step not in tried:
                tried.add(step)  # type: ignore[arg-type]
                stack.append(step)  # type: ignore[arg-type]
    return False
