"""What can go wrong between a client and the API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.errors import KnaryError


class ApiRefused(KnaryError):
    """The API answered with an error; `status` is the metav1.Status it gave."""

    def __init__(self, code: int, status: Mapping[str, Any]) -> None:
        self.code = code
        self.status = status
        self.reason = str(status.get("reason", ""))
        self.message = str(status.get("message") or f"the API answered {code}")
        super().__init__(self.message)


class NotRunning(KnaryError):
    """No knary answers for this data folder."""

    @classmethod
    def at(cls, folder: Path, where: str) -> NotRunning:
        """Return the error that names the folder, and what starts knary there."""
        return cls(
            f"knary is not running in {folder} ({where}).\n"
            f"Start it with `knary up --data {folder}`, or name another folder (--data, KNARY_DATA)"
        )


class AnswerLost(KnaryError):
    """The connection ended before the answer; whether the request was done is not known."""


class NotReady(KnaryError):
    """Ready stayed False; `reason` and `message` are the condition's."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(f"{reason}: {message}")


class WaitTimedOut(KnaryError):
    """What was waited for did not happen in time."""
