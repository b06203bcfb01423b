"""What can go wrong between a test and its emulator."""

from __future__ import annotations


class EmulatorError(Exception):
    """Something could not be done; the message says what, where and what to do."""


class NotStarted(EmulatorError):
    """The emulator did not come up, or is closed."""


class ApiRefused(EmulatorError):
    """The instance said no; `reason` and the message are the Kubernetes Status's."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class NotReady(EmulatorError):
    """An object says that it will not be ready; the message is its condition's."""


class WaitTimedOut(EmulatorError):
    """What was waited for did not happen in time."""
