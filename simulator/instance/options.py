"""What `knary up` was asked for, and the limits that the parent keeps to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

GATEWAY_PORT, LOCAL_PORT, API_PORT, CONSOLE_PORT = 8080, 8081, 6443, 8090
LOOPBACK = "127.0.0.1"
# Where replicas live: each in a network of its own, all in this machine's, or the first of the
# two that this machine allows.
OWN_NETWORK, HOST_NETWORK, ANY_NETWORK = "own", "host", "auto"


class WorkerOptions(Protocol):
    """What the workers are told of the user's wishes."""

    @property
    def access_log(self) -> Path | int | None: ...
    @property
    def access_log_sample(self) -> float: ...
    @property
    def gateway_settings(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class UpOptions:
    """The flags of `knary up`.

    A port of None is the default one, or the next that is free; 0 is any free one; another number
    is that one or an error. `images` None is the data folder's own map. `access_log` is a file, or
    an open descriptor that the workers inherit.
    """

    data: Path
    ephemeral: bool = False
    listen: str = LOOPBACK
    port: int | None = None
    local_port: int | None = None
    api_port: int | None = None
    console_port: int | None = None
    workers: int = 1
    images: Path | None = None
    manifests: tuple[Path, ...] = ()
    snapshot: Path | None = None  # to begin with
    export: Path | None = None  # where the state goes at the end
    owner_fd: int | None = None
    splitter: str = "stratified"
    seed: int | None = None
    domain: str = "example.com"
    network: str = ANY_NETWORK
    verbose: bool = False
    access_log: Path | int | None = None
    access_log_sample: float = 1.0
    gateway_settings: tuple[str, ...] = ()  # each like "head_s_max=5"


@dataclass(frozen=True)
class ParentSettings:
    """The parent's bounds."""

    start_s_max: float = 60.0  # all children ready; a loaded CI machine needs more than a second
    worker_stop_s_max: float = 5.0  # after what its own settings give it
    control_plane_stop_s_max: float = 5.0
    launcher_stop_s_max: float = 20.0  # it stops the replicas
    export_s_max: float = 30.0
    end_s_max: float = 1.0  # from the end of the life pipe to SIGKILL
    restart_calm_s: float = 10.0  # who lived that long starts again at once
    restart_delay_s_first: float = 0.1
    restart_delay_s_max: float = 5.0
    lock_wait_s_max: float = 10.0  # for the children of a parent that was killed
    port_attempts_max: int = 100
    listen_backlog: int = 4096
    log_bytes_max: int = 10 * 1024 * 1024  # an older log is moved aside at start
    verbose_poll_s: float = 0.1
