"""How `knary` ends: the exit status of each outcome. docs/exit-codes.md is its documentation."""

from __future__ import annotations

from simulator.access.errors import NotRunning, WaitTimedOut
from simulator.errors import KnaryError

OK = 0
FAILED = 1  # refused by the API, or what was waited for failed
USAGE = 2  # the command line itself is wrong; nothing was sent
NOT_RUNNING = 3  # no knary answers for the data folder
TIMED_OUT = 4  # waited in vain
UNDECIDED = 5  # what was seen does not tell
THRESHOLD_BROKEN = 99  # as k6 ends when a --threshold does not hold
INTERRUPTED = 130  # Ctrl-C: 128 + SIGINT, as shells count


class UsageError(KnaryError):
    """The command line does not say what can be done; nothing was sent."""


class CommandFailed(KnaryError):
    """A command ends with this message, and with a status of its own choice."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


class ReaderGone(Exception):
    """Whoever read our output has seen enough, as in `knary get | head`."""


def status_of(error: KnaryError) -> int:
    """Return the exit status that an error stands for."""
    if isinstance(error, CommandFailed):
        return error.status
    if isinstance(error, UsageError):
        return USAGE
    if isinstance(error, NotRunning):
        return NOT_RUNNING
    if isinstance(error, WaitTimedOut):
        return TIMED_OUT
    return FAILED
