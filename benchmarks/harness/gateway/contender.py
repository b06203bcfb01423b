"""A gateway under measurement, ours or another's, while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.harness.gateway.deviation import Due, SplitTrack


@dataclass(frozen=True)
class Contender:
    """Where it answers, and who does its work.

    `pids` are the processes whose CPU and memory count: none when they are not on this machine.
    `words` tell by an answer's first line which revision gave it, where nothing else does.
    `replicas` returns the processes behind it; None where nobody knows them.
    """

    name: str
    address: str
    port: int
    host: str
    due: Due
    version: str = ""
    pids: tuple[int, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    replicas: Callable[[], frozenset[int]] | None = None

    def track(self) -> SplitTrack | None:
        """Return who follows its split; None when nobody knows what that should be."""
        return SplitTrack(self.due) if self.due.shares else None


@dataclass(frozen=True)
class Backing:
    """What peers are put before: an address and a percent of each revision, by name."""

    addresses: Mapping[str, str]
    percents: Mapping[str, int]
    pids: tuple[int, ...]
