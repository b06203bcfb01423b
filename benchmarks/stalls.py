"""What `probed_worker.py` wrote down, and how long a worker stood still in some time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stall:
    """The loop came back at `moment` (time.monotonic), so much too late.

    `cpu_s` is what the worker computed meanwhile; the rest was taken from it by other processes.
    """

    moment: float
    late_s: float
    cpu_s: float


def parsed(text: str) -> list[Stall]:
    """Return the stalls of a probe's file; a line that is still being written is left out."""
    lines = text[: text.rfind("\n") + 1].splitlines()
    return [
        Stall(float(moment), int(late) / 1e6, int(cpu) / 1e6)
        for moment, late, cpu in (line.split() for line in lines)
    ]


def longest(stalls: Sequence[Stall], since: float, until: float) -> tuple[float, float]:
    """Return the longest standstill that overlaps the time, and the longest computing, seconds."""
    seen = [each for each in stalls if each.moment >= since and each.moment - each.late_s <= until]
    return (
        max((each.late_s for each in seen), default=0.0),
        max((min(each.cpu_s, each.late_s) for each in seen), default=0.0),
    )


def read(path: Path) -> list[Stall]:
    return parsed(path.read_text(encoding="ascii"))
