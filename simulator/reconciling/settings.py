"""The bounds of the reconciling loop."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReconcilingSettings:
    """Back-off per key as controller-runtime has it: doubling from 5 ms to 1000 s.

    `conflict_delay_s`: a conflicting write is visible as soon as it is committed, and its event
    wakes the key at once; this is the pause when no event comes.
    """

    backoff_s_min: float = 0.005
    backoff_s_max: float = 1000.0
    conflict_delay_s: float = 0.002
    concurrent_keys_max: int = 16


DEFAULTS = ReconcilingSettings()
