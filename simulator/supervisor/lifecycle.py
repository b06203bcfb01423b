"""One replica's life as a table: what may happen in which phase, and what follows. Pure."""

from __future__ import annotations

import enum
from typing import Final

import msgspec
from msgspec import Struct

from simulator.launcher.protocol import Network
from simulator.resources.core import Terminated, Waiting


class Phase(enum.Enum):
    """Where a replica is in its life."""

    WAITING = "waiting"  # nothing runs: not begun, or something is missing
    STARTING = "starting"  # the launcher was told to spawn
    UNREADY = "unready"  # runs; no probe has passed, or too many failed
    READY = "ready"
    RESTARTING = "restarting"  # unhealthy: being stopped, to start again
    BACKING_OFF = "backing off"  # it ended, and starts again later
    STOPPING = "stopping"  # its Pod is deleted and drained
    STOPPED = "stopped"  # for good


class Happening(enum.Enum):
    """What the launcher, the probes, time or the Pod's owner bring."""

    LAUNCHED = "launched"
    BLOCKED = "blocked"  # it cannot be launched now
    STARTED = "started"
    PROBE_PASSED = "probe passed"
    PROBE_FAILED = "probe failed"
    UNHEALTHY = "unhealthy"  # liveness or startup probe
    EXITED = "exited"
    LOST = "lost"  # the launcher does not know it any more
    RELEASED = "released"  # deleted, and no gateway worker uses it


_ENDS_LIVING: Final = {
    Happening.EXITED: Phase.BACKING_OFF,
    Happening.LOST: Phase.WAITING,
    Happening.RELEASED: Phase.STOPPING,
}

TRANSITIONS: Final[dict[Phase, dict[Happening, Phase]]] = {
    Phase.WAITING: {
        Happening.LAUNCHED: Phase.STARTING,
        Happening.BLOCKED: Phase.WAITING,
        Happening.RELEASED: Phase.STOPPED,
    },
    Phase.STARTING: {Happening.STARTED: Phase.UNREADY, **_ENDS_LIVING},
    Phase.UNREADY: {
        Happening.PROBE_PASSED: Phase.READY,
        Happening.UNHEALTHY: Phase.RESTARTING,
        **_ENDS_LIVING,
    },
    Phase.READY: {
        Happening.PROBE_FAILED: Phase.UNREADY,
        Happening.UNHEALTHY: Phase.RESTARTING,
        **_ENDS_LIVING,
    },
    Phase.RESTARTING: _ENDS_LIVING,
    Phase.BACKING_OFF: {
        Happening.LAUNCHED: Phase.STARTING,
        Happening.BLOCKED: Phase.WAITING,
        Happening.RELEASED: Phase.STOPPED,
    },
    Phase.STOPPING: {
        Happening.STARTED: Phase.STOPPING,
        Happening.EXITED: Phase.STOPPED,
        Happening.LOST: Phase.STOPPED,
    },
    Phase.STOPPED: {},
}

# The launcher has, or may have, a process for a replica in these.
HAS_PROCESS: Final = frozenset(
    {Phase.STARTING, Phase.UNREADY, Phase.READY, Phase.RESTARTING, Phase.STOPPING}
)
PROBED: Final = frozenset({Phase.UNREADY, Phase.READY})


class ImpossibleHappening(Exception):
    """A happening that the table does not have for this phase: a defect of the caller."""


class Life(Struct, frozen=True):
    """All that is known of one replica. Times are seconds since 1970."""

    phase: Phase = Phase.WAITING
    port: int = 0
    has_network: bool = False  # of its own, where the port is
    pid: int = 0  # 0 when there is no process
    started_at_s: float = 0.0
    is_started: bool = False  # its startup probe passed, or it has none
    restarts: int = 0
    crashes: int = 0  # since the last long run: what the back-off counts
    last: Terminated | None = None  # how the run before ended
    waiting: Waiting | None = None  # why nothing runs
    image_id: str = ""
    pulls: int = 0  # of an image that is not there, in vain
    next_pull_s: float = 0.0  # on a steady clock

    def after(self, happening: Happening) -> Phase:
        """Return the phase that follows. Raise ImpossibleHappening."""
        following = TRANSITIONS[self.phase].get(happening)
        if following is None:
            raise ImpossibleHappening(f"{happening.value} while {self.phase.value}")
        return following

    def may(self, happening: Happening) -> bool:
        """Tell whether the table has this happening for the phase."""
        return happening in TRANSITIONS[self.phase]


def launched(life: Life, port: int, image_id: str, network: Network | None = None) -> Life:
    """Return the life after its process was asked for. A start after an end is a restart."""
    again = life.phase is Phase.BACKING_OFF
    return msgspec.structs.replace(
        life,
        phase=life.after(Happening.LAUNCHED),
        port=port,
        has_network=network is not None,
        image_id=image_id,
        restarts=life.restarts + again,
        waiting=None,
        pulls=0,
        next_pull_s=0.0,
        is_started=False,
    )


def blocked(life: Life, why: Waiting) -> Life:
    """Return the life when something is missing that a process needs."""
    return msgspec.structs.replace(life, phase=life.after(Happening.BLOCKED), waiting=why)


def not_pulled(
    life: Life, missing: Waiting, image: str, now_s: float, backoff_s: tuple[float, float]
) -> tuple[Life, Waiting]:
    """Return the life without an image, and why it waits: what a kubelet says between its tries.

    `missing` is what it says at a try; between two there are `backoff_s`, the first and the most.
    Source: kubernetes `pkg/kubelet/images/image_manager.go` (EnsureImageExists).
    """
    if life.pulls and now_s < life.next_pull_s:
        message = f'Back-off pulling image "{image}": {missing.reason}: {missing.message}'
        return life, Waiting(reason="ImagePullBackOff", message=message)
    pause_s = min(backoff_s[0] * 2.0 ** min(life.pulls, 64), backoff_s[1])
    tried = msgspec.structs.replace(life, pulls=life.pulls + 1, next_pull_s=now_s + pause_s)
    return tried, missing


def started(life: Life, pid: int, at_s: float) -> Life:
    """Return the life once its process exists."""
    return msgspec.structs.replace(
        life, phase=life.after(Happening.STARTED), pid=pid, started_at_s=at_s
    )


def ended(life: Life, how: Terminated, ran_s: float, forgiven_after_s: float) -> Life:
    """Return the life after its process ended; a run of `forgiven_after_s` clears its record."""
    return msgspec.structs.replace(
        life,
        phase=life.after(Happening.EXITED),
        pid=0,
        is_started=False,
        last=how,
        crashes=1 if ran_s >= forgiven_after_s else life.crashes + 1,
    )


def lost(life: Life) -> Life:
    """Return the life when the launcher does not know its process: it begins anew, unblamed."""
    return msgspec.structs.replace(
        life,
        phase=life.after(Happening.LOST),
        pid=0,
        is_started=False,
        last=None,
        crashes=0,
    )


def moved(life: Life, happening: Happening) -> Life:
    """Return the life after a happening that changes nothing but the phase."""
    return msgspec.structs.replace(life, phase=life.after(happening))


def backoff_s(crashes: int, base_s: float, max_s: float) -> float:
    """Return how long a replica waits after its n-th crash: 0, base, 2 x base, ... max."""
    if crashes <= 1:
        return 0.0
    doublings = min(crashes - 2, 64)  # a float holds it, and no maximum is larger
    return min(base_s * 2.0**doublings, max_s)
