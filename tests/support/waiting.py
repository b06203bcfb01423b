"""Bounded waits for a real condition of another process: the only real time that a test spends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

STEP_S = 0.01
WITHIN_S = 20.0


def eventually(what: str, condition: Callable[[], T], within_s: float = WITHIN_S) -> T:
    """Return the condition's value once it is true. Fail, naming `what`, after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        time.sleep(STEP_S)
    return value


async def eventually_async(what: str, condition: Callable[[], T], within_s: float = WITHIN_S) -> T:
    """Do the same without holding up the event loop."""
    deadline = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}")
        await asyncio.sleep(STEP_S)
    return value
