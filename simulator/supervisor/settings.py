"""The supervisor's limits, and what processes inherit from knary's own environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class SupervisorSettings:
    """Every limit, its unit last. `inherited` are PATH, HOME and LANG: all that is passed on."""

    inherited: Mapping[str, str] = field(default_factory=lambda: {"PATH": DEFAULT_PATH})

    own_networks: bool = False  # each replica has one, unless its image says otherwise
    reach: tuple[int, ...] = ()  # ports of this machine that are in there, if its image names none

    # Back-off after a crash: at once, then base, twice that, ... Kubernetes begins at 10 s.
    backoff_s_base: float = 1.0
    backoff_s_max: float = 300.0
    backoff_reset_s: float = 600.0  # a run as long as that is forgiven
    blocked_retry_s: float = 2.0  # an image, folder or port that could not be had

    # An image that is not there is looked for each `blocked_retry_s`, so that one that is mapped by
    # now runs soon; what is said of it follows the kubelet's back-off (its MaxContainerBackOff).
    pull_backoff_s_base: float = 10.0
    pull_backoff_s_max: float = 300.0

    grace_s_default: float = 30.0  # Kubernetes' terminationGracePeriodSeconds

    # Until it is ready a replica is asked often: a stand-in listens after some 10 ms.
    eager_s: float = 0.5
    eager_period_s: float = 0.003
    patient_period_s: float = 0.05  # Knative's aggressive probe (pkg/queue/readiness)
    exec_period_s: float = 0.1
    eager_timeout_s: float = 0.1

    probe_period_s: float = 10.0  # the kubelet's defaults
    probe_timeout_s: float = 1.0
    probe_failure_threshold: int = 3
    probe_answer_bytes_max: int = 16 * 1024
    probe_output_bytes_max: int = 1024  # of a command: an Event's message has no more
    probe_output_wait_s: float = 0.05  # for what is in the pipe when the command has ended
    unready_told_s: float = 5.0  # one that is awaited for so long is told of, then each period
    untold_events_max: int = 8

    # Below the range from which Linux (32768) and macOS (49152) take ports for outgoing
    # connections: else a busy gateway may hold a replica's port while the replica restarts.
    port_min: int = 20_000
    port_max: int = 31_999
    ports_remembered: int = 256  # given back, and not leased again so soon

    write_retry_s: float = 0.5  # after the disk refused a write
    write_conflicts_max: int = 20


def settings_from(environment: Mapping[str, str]) -> SupervisorSettings:
    """Return the defaults, with what a process inherits of knary's own environment."""
    inherited = {
        "PATH": environment.get("PATH") or DEFAULT_PATH,
        "HOME": environment.get("HOME") or "/",
        "LANG": environment.get("LANG") or "C.UTF-8",
    }
    return SupervisorSettings(inherited=inherited)
