"""Time as an argument: the system's clock, and what a clock must offer."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two readings: the wall's, for timestamps, and a steady one, for measuring."""

    def now(self) -> datetime:
        """Return the wall-clock time, with its zone (UTC)."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
