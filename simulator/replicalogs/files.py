"""The names of a replica's log files. Pure.

NAMESPACE/POD.log is what the run writes that is the newest; what stands beside it has its name and
an ending.
"""

from __future__ import annotations

from typing import Final

LOG: Final = ".log"
MARKS: Final = ".marks"  # when it was written (`marks`)
PREVIOUS: Final = ".previous"  # the run before; it has marks too
CUT: Final = ".1"  # what a log that grew too large held before it was emptied

_BESIDE: Final = ("", MARKS, PREVIOUS, PREVIOUS + MARKS, CUT)


def all_of(log: str) -> tuple[str, ...]:
    """Return every file that there may be of a replica with that log."""
    return tuple(log + ending for ending in _BESIDE)


def is_of_a_log(name: str) -> bool:
    """Tell whether a file of that name belongs to some replica's log."""
    return name.endswith(tuple(LOG + ending for ending in _BESIDE))
