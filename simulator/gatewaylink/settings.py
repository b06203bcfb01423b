"""The bounds of the link to the gateway's workers, and of the publisher."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LinkSettings:
    """Waits are for one worker each."""

    acknowledge_s_max: float = 2.0  # a worker that takes longer is replaced
    acknowledge_frame_s_max: float = 0.1  # more for each frame of rows: 200 for 100,000 revisions
    hello_s_max: float = 5.0
    absent_s_max: float = 10.0  # a replacement starts in a fraction of a second, but CI is slow
    absent_check_s: float = 0.5
    chunk_rows_max: int = 500
    read_bytes: int = 64 * 1024


@dataclass(frozen=True)
class PublisherSettings:
    """How soon a write that the store refused is tried again; how much is taken without a pause."""

    retry_s: float = 1.0
    step_objects: int = 256
