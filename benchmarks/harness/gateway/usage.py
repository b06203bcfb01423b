"""What a gateway's processes used meanwhile: CPU and memory, where the system tells (Linux)."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence

from benchmarks.harness import processes
from benchmarks.harness.documents.gateway import Metrics

GONE = (FileNotFoundError, ProcessLookupError, PermissionError)


class Usage:
    """Counts from `begin` on. Of processes that are unknown, or go meanwhile, it says nothing."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids = tuple(pids) if sys.platform.startswith("linux") else ()
        self._ns = 0
        self._began: float | None = None

    def begin(self) -> None:
        """Count from now."""
        with contextlib.suppress(*GONE):
            for pid in self._pids:
                processes.forget_peak(pid)
            self._ns = processes.cpu_ns(self._pids)
            self._began = time.monotonic()

    def so_far(self, requests: int) -> Metrics:
        """Return what that many requests took; call it right after the last one."""
        if not self._pids or self._began is None or not requests:
            return {}
        with contextlib.suppress(*GONE):
            used_us = (processes.cpu_ns(self._pids) - self._ns) / 1e3
            elapsed_us = (time.monotonic() - self._began) * 1e6
            return {
                "cpu_us_per_request": used_us / requests,
                "busy_percent": 100 * used_us / elapsed_us,
                "memory_bytes": sum(map(processes.resident_bytes, self._pids)),
                "memory_peak_bytes": sum(map(processes.peak_resident_bytes, self._pids)),
            }
        return {}
