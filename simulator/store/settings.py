"""The store's bounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoreSettings:
    """Every limit of the store, its unit last.

    History: kn watches again from the same version until its wait timeout of 600 s, and 30 s more,
    so an event is kept for longer than that, and the last `history_events_min` whatever their age.
    """

    history_s_min: float = 900.0
    history_events_min: int = 10_000
    history_in_memory_events: int = 2_000
    history_in_memory_bytes_max: int = 64 * 1024 * 1024  # of JSON; half is kept when it is reached
    history_chunk_events: int = 500
    compaction_every_events: int = 1_000
    watch_queue_events_max: int = 5_000
    pending_writes_max: int = 20_000
    generated_name_attempts: int = 8
    busy_timeout_s: float = 5.0
    wal_pages_max: int = 1_000  # of 4 KiB: 4 MB are merged into the file at a time
    wal_bytes_max: int = 16 * 1024 * 1024


DEFAULTS = StoreSettings()
