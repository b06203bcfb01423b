"""Knative canary releases on one machine, without a cluster.

The only name that knary adds to an environment. The data plane (`gateway`), the control plane
(`simulator`), the sample apps and the scenarios travel beside it and are importable in knary's
own processes alone, so a package of yours called `gateway` stays yours.

For tests: `Emulator` and `AsyncEmulator` are an instance of their own, `assert_split` judges a
split; they are loaded when they are first asked for. The pytest plugin is `pytestplugin`.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from knary.asynchronous import AsyncEmulator
    from knary.emulator import Emulator
    from knary.problems import ApiRefused, EmulatorError, NotReady, NotStarted, WaitTimedOut
    from knary.requesting import Answer
    from knary.splits import SplitError, SplitReport, TooFewRequests, assert_split

__all__ = [
    "Answer",
    "ApiRefused",
    "AsyncEmulator",
    "Emulator",
    "EmulatorError",
    "NotReady",
    "NotStarted",
    "SplitError",
    "SplitReport",
    "TooFewRequests",
    "WaitTimedOut",
    "assert_split",
]


_HOMES = {
    "Answer": "requesting",
    "ApiRefused": "problems",
    "AsyncEmulator": "asynchronous",
    "Emulator": "emulator",
    "EmulatorError": "problems",
    "NotReady": "problems",
    "NotStarted": "problems",
    "SplitError": "splits",
    "SplitReport": "splits",
    "TooFewRequests": "splits",
    "WaitTimedOut": "problems",
    "assert_split": "splits",
}


def __getattr__(name: str) -> object:
    """Load what this package offers when it is first asked for: knary's own processes do not."""
    if name not in _HOMES:
        raise AttributeError(f"module 'knary' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"knary.{_HOMES[name]}"), name)
