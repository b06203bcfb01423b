"""Wakes the event loop at a moment, to about 0.1 ms where the system can.

uvloop's and asyncio's own timers count whole milliseconds. A request that leaves up to 1 ms late
adds that to its latency, which counts from the planned moment, and loopback answers in less. On
Linux a timerfd is exact enough; elsewhere the loop's timer must do.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

CLOCK_MONOTONIC = 1  # linux/time.h; it is also what time.monotonic reads
TFD_NONBLOCK, TFD_CLOEXEC, TFD_TIMER_ABSTIME = 0o4000, 0o2000000, 1  # bits/timerfd.h


class Alarm(Protocol):
    """Calls back once after each `set`; a later `set` replaces an earlier one."""

    def set(self, moment: float) -> None:
        """Ask for a call at `moment`, in seconds of time.monotonic."""

    def close(self) -> None:
        """Give back what the alarm holds; it will not ring again."""


def make_alarm(loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> Alarm:
    """Return the most exact alarm that this system has."""
    if sys.platform == "linux":
        try:
            return _TimerfdAlarm(loop, ring)
        except (OSError, AttributeError):  # a libc without timerfd, or no descriptor left
            pass
    return _LoopAlarm(loop, ring)


class _LoopAlarm:
    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop, self._ring = loop, ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self, moment: float) -> None:
        self.close()
        self._handle = self._loop.call_later(max(0.0, moment - time.monotonic()), self._ring)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class _TimerfdAlarm:
    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._settime = libc.timerfd_settime
        self._descriptor: int = libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._loop, self._ring = loop, ring
        self._loop.add_reader(self._descriptor, self._rang)

    def set(self, moment: float) -> None:
        # A value of zero would disarm the timer: one in the past rings at once.
        seconds, rest = divmod(max(moment, 1e-6), 1.0)
        value = _Itimerspec(_Timespec(0, 0), _Timespec(int(seconds), int(rest * 1e9)))
        if self._settime(self._descriptor, TFD_TIMER_ABSTIME, ctypes.byref(value), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def close(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _rang(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:  # it was set again meanwhile
            return
        self._ring()
