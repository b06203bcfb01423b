"""The API's bounds."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class ApiSettings:
    """Every limit of the API server, its unit last.

    A body of more than 3 MiB is refused as a real API server does (apiserver `server/config.go`,
    MaxRequestBodyBytes). A watch without timeoutSeconds lasts an hour: closing one early makes
    some clients spin.
    """

    body_bytes_max: int = 3 * MEBIBYTE
    snapshot_bytes_max: int = 256 * MEBIBYTE  # what the console's port takes: a whole state
    body_timeout_s: float = 30.0
    target_bytes_max: int = 64 * 1024
    header_bytes_max: int = 16 * 1024
    keep_alive_s: float = 120.0
    linger_s: float = 1.0  # for the rest of a body that was refused
    stop_timeout_s: float = 2.0
    streams_max: int = 4_000
    stream_write_timeout_s: float = 300.0
    watch_timeout_s_max: float = 3_600.0
    bookmark_interval_s: float = 60.0
    watch_batch_events_max: int = 500
    shared_lines_bytes_max: int = 4 * MEBIBYTE
    list_snapshots_max: int = 64
    list_snapshot_s_max: float = 300.0
    patch_attempts: int = 5
    warnings_max: int = 30
    warning_characters_max: int = 400
    log_chunk_bytes: int = 64 * 1024
    log_poll_interval_s: float = 0.1


DEFAULTS = ApiSettings()
