"""How much of the time this process worked, or wanted to and had no core.

A generator that never rests is the bottleneck, even if it sees in time what is due: answers wait
for it, and that looks like a slow server.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

# Of the main thread: nanoseconds on a core, nanoseconds of waiting for one, turns
# (Documentation/scheduler/sched-stats.rst).
SCHEDSTAT = Path("/proc/self/schedstat")


class Occupancy:
    """Counts from its making on."""

    def __init__(self) -> None:
        self._began, self._used = time.monotonic(), _occupied_s()

    def share(self) -> float:
        """Return the occupied part of the time since then, 0 to 1."""
        elapsed = time.monotonic() - self._began
        return min(1.0, (_occupied_s() - self._used) / elapsed) if elapsed > 0 else 0.0


def _occupied_s() -> float:
    waited_ns = 0
    with contextlib.suppress(OSError, IndexError, ValueError):  # macOS; a kernel without it
        waited_ns = int(SCHEDSTAT.read_bytes().split()[1])
    return time.process_time() + waited_ns / 1e9
