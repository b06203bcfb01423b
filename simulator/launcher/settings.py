"""The launcher's limits; the parent sends them as the one JSON argument of its process."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class LauncherSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where it listens, whom it outlives by a moment, and its bounds."""

    socket: str  # Unix socket, made 0600
    life_fd: int  # EOF here: the parent died, so everything ends
    ready_fd: int  # one JSON line when connections are taken, then closed
    replica_folders: str  # private folders; a process whose TMPDIR is below is ours
    networks_socket: str = ""  # where sockets in the replicas' networks are had; "": no networks

    grace_s: float = 5.0  # from SIGTERM to SIGKILL when everything ends
    connections_max: int = 8
    connection_output_bytes_max: int = 16 * 1024 * 1024
    keeper_answer_s_max: float = 5.0  # to make a network takes a millisecond
    keeper_check_s: float = 1.0  # while there are networks their keeper is asked whether it lives
    keeper_silent_checks_max: int = 3  # one that says nothing for longer is replaced
    keeper_retry_s: float = 10.0  # when a successor could not be started
    keeper_pause_s: float = 1.0  # it accepts nobody for so long when it has no descriptor left
    network_clients_max: int = 256  # workers, those that take over from them, the control plane
    outward_connections_max: int = 256  # of one replica, to this machine's ports
    # Per replica; as much again in LOG.1 and, of the run before it, in LOG.previous.
    log_bytes_max: int = 16 * 1024 * 1024
    log_check_s: float = 0.1  # also how exact the moments of its lines are
    log_marks_max: int = 65_536  # of 16 bytes; beyond that older moments get coarser
    tail_bytes: int = 8 * 1024  # of a run's log, reported with its exit


def parse_settings(text: str) -> LauncherSettings:
    """Return the settings that the argument holds. Raise msgspec.ValidationError."""
    return msgspec.json.decode(text, type=LauncherSettings)
