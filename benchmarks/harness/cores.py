"""Who runs where, and in which order: so that gateways meet the same machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """Who runs where: the proxy on some cores, driver and replicas on the others."""

    proxy: tuple[int, ...]
    load: tuple[int, ...]


def share_out(available: Sequence[int], workers: int) -> Cores:
    """Return `workers` cores for the proxy and the rest for the load.

    With no rest, the load shares the proxy's cores: CPU per request still counts, busy does not.
    Raise ValueError when there are fewer cores than workers.
    """
    ordered = sorted(available)
    if len(ordered) < workers:
        raise ValueError(f"{workers} workers need {workers} cores; this process may use {ordered}")
    split = len(ordered) - workers
    return Cores(proxy=tuple(ordered[split:]), load=tuple(ordered[:split] or ordered))


def available_cores() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def rotated(names: Sequence[str], by: int) -> list[str]:
    """Return the names from another one on, so that no gateway always follows the same one."""
    start = by % len(names)
    return [*names[start:], *names[:start]]
