"""What `knary gateway` was asked for, and the limits that its parent keeps to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class GatewayOptions:
    """The flags. `access_log` is a file, or an open descriptor that the workers inherit.

    `metrics_port` None is no metrics, 0 any free port; `session_key` None is a new key each time.
    """

    file: Path
    verbose: bool = False
    metrics_port: int | None = None
    access_log: Path | int | None = None
    access_log_sample: float = 1.0
    gateway_settings: tuple[str, ...] = ()
    session_key: Path | None = None


@dataclass(frozen=True)
class FileSettings:
    """How a file that changes is read again."""

    poll_s: float = 1.0
    settle_s: float = 0.1  # it is read when it stood still for so long: who writes may be at it
    settle_s_max: float = 2.0  # or after so long, whoever writes


@dataclass(frozen=True)
class MetricsSettings:
    """The bounds of the metrics' port."""

    head_bytes_max: int = 16 * 1024
    request_s_max: float = 10.0
    connections_max: int = 16
