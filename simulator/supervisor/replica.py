"""One Pod's process, from the Pod's creation to its end.

Whatever happens comes in through a synchronous method, is decided by the table in `lifecycle` and
recorded in `life` in the same step; then it is acted upon. Two tasks beside that: the prober of a
running process, and the one that writes what changed to the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

import msgspec

from simulator.errors import Conflict
from simulator.images import image_digest
from simulator.launcher.protocol import Exited, Forget, Listed, Refused, Started, Stop
from simulator.resources.conditions import is_true
from simulator.resources.core import (
    ANNOTATION_PID,
    PROCESS_FINALIZER,
    ContainerStatus,
    Pod,
    Terminated,
    Waiting,
)
from simulator.resources.serving import serving_container
from simulator.supervisor import lifecycle, places
from simulator.supervisor.environment import ConfigError, container_port, network_of, order
from simulator.supervisor.lifecycle import HAS_PROCESS, PROBED, Happening, Life, Phase
from simulator.supervisor.ports import NoPort
from simulator.supervisor.probes import plans_of
from simulator.supervisor.probing import Failed, Finding, Probed, Prober
from simulator.supervisor.status import crash_loop, grace_s, is_released, termination
from simulator.supervisor.world import World
from simulator.supervisor.writing import Teller, stored, write

log = logging.getLogger(__name__)

_CANNOT_START = 128  # containerd's exit code for a container that could not be started


class Replica:
    """Lives one Pod's life. `gone` is called once, when nothing of it is left."""

    def __init__(
        self, pod: Pod, world: World, tasks: asyncio.TaskGroup, gone: Callable[[Replica], None]
    ) -> None:
        self.pod = pod
        self.life = Life()
        self.written = asyncio.Event()  # the store has all that is known
        self._world = world
        self._tasks = tasks
        self._teller = Teller(world, tasks)
        self._gone = gone
        self._has_pod = True
        self._is_met = False  # what the launcher knows of it has been heard
        self._pid_before = 0  # of the last process that was seen
        self._place = places.place_of(pod, world.paths)
        self._changed = asyncio.Event()
        self._prober: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        tasks.create_task(self._keep_written())

    @property
    def is_releasable(self) -> bool:
        return not self._has_pod or is_released(self.pod)

    # What happens to it.

    def pod_changed(self, pod: Pod) -> None:
        """Take the Pod's newest state."""
        self.pod = pod
        self._go_on()
        self._note_change()

    def pod_gone(self) -> None:
        """End the process: somebody removed the Pod without waiting for it."""
        self._has_pod = False
        self._go_on()
        self._note_change()

    def meet(self, listed: Listed | None) -> None:
        """Take what the launcher knows of it, at each connection; None is nothing."""
        is_first, self._is_met = not self._is_met, True
        if is_first:
            self._begin(listed)
        elif listed is None:
            if self.life.phase in HAS_PROCESS:
                self._become(lifecycle.lost(self.life))
        elif listed.exited is not None:
            if listed.started.pid == self._pid_before and self.life.phase is Phase.STARTING:
                # That is the run before: the order for a new one got lost with the connection.
                self._become(lifecycle.lost(self.life))
            elif self.life.phase in HAS_PROCESS:
                self.started(listed.started)
                self.exited(listed.exited)
        else:
            self.started(listed.started)
            if self.life.phase in (Phase.RESTARTING, Phase.STOPPING):
                self._stop()
        self._go_on()

    def started(self, report: Started) -> None:
        """Take that its process exists."""
        self._pid_before = report.pid
        if self.life.phase is Phase.STARTING or (
            self.life.phase is Phase.STOPPING and not self.life.pid
        ):
            self._become(lifecycle.started(self.life, report.pid, report.at_s))

    def exited(self, report: Exited) -> None:
        """Take that its process ended: it starts again, unless it was to end."""
        if self.life.phase not in HAS_PROCESS:
            return
        self._end(termination(report, self.life.started_at_s), report.at_s)

    def refused(self, report: Refused) -> None:
        """Take that the launcher did not do as it was told."""
        if report.running or self.life.phase not in HAS_PROCESS:
            return
        log.warning("pod %s/%s: the launcher says: %s", *self.pod.key, report.why)
        if self.life.phase is Phase.STARTING:
            now_s = self._world.clock.now().timestamp()
            how = Terminated(exit_code=_CANNOT_START, reason="StartError", message=report.why)
            self._end(how, now_s)
        else:
            self._become(lifecycle.lost(self.life))
            self._go_on()

    def close(self) -> None:
        """Let go of the timer; the process lives on."""
        self._drop_timer()

    def _found(self, pid: int, finding: Finding | Failed) -> None:
        """Take what the prober of that process found, if it still is the one that counts."""
        if pid != self.life.pid or self.life.phase not in PROBED:
            return
        match finding:
            case Failed():
                message = f"{finding.probe} probe failed: {finding.words}"
                self._teller.say(self.pod, "Warning", "Unhealthy", message)
            case Finding.STARTED:
                self._become(msgspec.structs.replace(self.life, is_started=True))
            case Finding.READY:
                self._become(lifecycle.moved(self.life, Happening.PROBE_PASSED))
            case Finding.UNREADY:
                self._become(lifecycle.moved(self.life, Happening.PROBE_FAILED))
            case Finding.UNHEALTHY:
                log.warning("pod %s/%s is unhealthy: restarting it", *self.pod.key)
                probe = "liveness" if self.life.is_started else "startup"
                name = serving_container(self.pod.spec).name
                message = f"Container {name} failed {probe} probe, will be restarted"
                self._teller.say(self.pod, "Normal", "Killing", message)
                self._become(lifecycle.moved(self.life, Happening.UNHEALTHY))
                self._stop()

    # What follows.

    def _begin(self, listed: Listed | None) -> None:
        """Adopt the process that the launcher knows, or begin without one.

        What the Pod's status says was true before a restart of the control plane.
        """
        statuses = self.pod.status.container_statuses
        before = statuses[0] if statuses else ContainerStatus()
        life = Life(restarts=before.restart_count, image_id=before.image_id)
        if listed is None:
            self._become(life)
            return
        is_same = self.pod.metadata.annotations.get(ANNOTATION_PID) == str(listed.started.pid)
        life = msgspec.structs.replace(
            life,
            port=listed.started.port,
            has_network=listed.started.has_network,
            crashes=life.restarts,
            last=before.last_state.terminated,
        )
        if not life.has_network:
            self._world.ports.keep(life.port)
        self._pid_before = listed.started.pid
        if listed.exited is not None and not is_same and before.last_state.terminated is not None:
            # Its end was recorded; what was not yet done about it follows.
            self._become(msgspec.structs.replace(life, phase=Phase.BACKING_OFF))
            return
        is_ready = is_same and is_true(self.pod.status.conditions) and listed.exited is None
        adopted = msgspec.structs.replace(
            life,
            phase=Phase.READY if is_ready else Phase.UNREADY,
            pid=listed.started.pid,
            started_at_s=listed.started.at_s,
            is_started=is_same and before.started,
        )
        if listed.exited is None:
            self._become(adopted)
        else:
            self.life = adopted  # not become: nobody is there to be asked
            self.exited(listed.exited)

    def _become(self, life: Life) -> None:
        """Record the new life, and ask its process, or ask no more."""
        was, self.life = self.life, life
        if self._prober is not None and (life.phase not in PROBED or life.pid != was.pid):
            self._prober.cancel()
            self._prober = None
        if life.phase in PROBED and self._prober is None:
            self._ask()
        self._note_change()

    def _ask(self) -> None:
        clock, life = self._world.clock, self.life
        container = serving_container(self.pod.spec)
        program = self._world.program(self.pod, container.image)
        environment = {}
        if program is not None:
            spawn = order(self.pod, program, life.port, self._place, self._world.settings.inherited)
            environment = spawn.environment
        ran_s = max(0.0, clock.now().timestamp() - life.started_at_s)
        network = self.pod.uid if life.has_network else ""
        probed = Probed(
            *(life.port, environment, self._place.folder, clock.monotonic() - ran_s),
            life.pid,
            partial(self._world.sockets.fresh, network) if network else None,
        )
        plans = plans_of(container, life.port, self._world.settings)
        tell = partial(self._found, life.pid)
        prober = Prober(probed, plans, clock, self._world.settings, tell)
        self._prober = self._tasks.create_task(
            prober.run(is_started=life.is_started, is_ready=life.phase is Phase.READY)
        )

    def _end(self, how: Terminated, at_s: float) -> None:
        """Record how a run ended; start again at once, or after a pause."""
        settings = self._world.settings
        ran_s = at_s - self.life.started_at_s if self.life.pid else 0.0
        life = lifecycle.ended(self.life, how, ran_s, settings.backoff_reset_s)
        if life.phase is Phase.BACKING_OFF:
            delay_s = lifecycle.backoff_s(
                life.crashes, settings.backoff_s_base, settings.backoff_s_max
            )
            if delay_s:
                life = msgspec.structs.replace(life, waiting=crash_loop(self.pod, delay_s))
                self._go_on_after(delay_s)
        self._become(life)
        self._go_on()

    def _go_on(self) -> None:
        """Do what the phase asks for: end what is to end, start what should run."""
        if not self._is_met:
            return
        if self.is_releasable:
            if self.life.may(Happening.RELEASED):
                self._drop_timer()
                self._become(lifecycle.moved(self.life, Happening.RELEASED))
                if self.life.phase is Phase.STOPPING:
                    self._stop()
        elif (
            self.life.may(Happening.LAUNCHED)
            and self._timer is None
            and not self.pod.is_deleting
            and self._world.launcher.is_connected
        ):
            self._launch()

    def _launch(self) -> None:
        """Order a process; when that cannot be, say why in the status, and try again later."""
        container = serving_container(self.pod.spec)
        program = self._world.program(self.pod, container.image)
        if program is None:
            why = self._world.images().why_missing(f'image "{container.image}"')
            self._block_without_image(Waiting(reason="ErrImagePull", message=why), container.image)
            return
        try:
            settings = self._world.settings
            network = network_of(program, container, settings)
            port = self._leased_port() if network is None else container_port(container)
            spawn = order(self.pod, program, port, self._place, settings.inherited, network)
            places.make(self._place)
        except ConfigError as error:
            self._block_told(Waiting(reason="CreateContainerConfigError", message=str(error)))
        except (OSError, NoPort) as error:
            self._block_told(Waiting(reason="CreateContainerError", message=str(error)))
        else:
            image_id = image_digest(container.image, program)
            self._become(lifecycle.launched(self.life, port, image_id, network))
            self._world.launcher.send(spawn)

    def _leased_port(self) -> int:
        """Return the port it had, or a new one when somebody else listens there now."""
        had = 0 if self.life.has_network else self.life.port
        if had and self._world.ports.is_free(had):
            return had
        port = self._world.ports.lease()
        self._world.ports.give_back(had)
        return port

    def _block_without_image(self, missing: Waiting, image: str) -> None:
        settings, now_s = self._world.settings, self._world.clock.monotonic()
        backoff_s = (settings.pull_backoff_s_base, settings.pull_backoff_s_max)
        life, waiting = lifecycle.not_pulled(self.life, missing, image, now_s, backoff_s)
        if life is not self.life:
            log.warning("pod %s/%s cannot start: %s", *self.pod.key, missing.message)
        self.life = life
        self._block(waiting)

    def _block_told(self, why: Waiting) -> None:
        if self.life.waiting != why:
            log.warning("pod %s/%s cannot start: %s", *self.pod.key, why.message)
        self._block(why)

    def _block(self, why: Waiting) -> None:
        self._become(lifecycle.blocked(self.life, why))
        self._go_on_after(self._world.settings.blocked_retry_s)

    def _stop(self) -> None:
        seconds = grace_s(self.pod, self._world.settings.grace_s_default)
        self._world.launcher.send(Stop(self.pod.uid, seconds))

    def _go_on_after(self, delay_s: float) -> None:
        def due() -> None:
            self._timer = None
            self._go_on()

        self._drop_timer()
        self._timer = asyncio.get_running_loop().call_later(delay_s, due)

    def _drop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What the store is told.

    def _note_change(self) -> None:
        self.written.clear()
        self._changed.set()

    async def _keep_written(self) -> None:
        """Write what changed until the replica is gone; then clear up after it."""
        refusals = 0
        settings = self._world.settings
        while not self._is_over():
            await self._changed.wait()
            self._changed.clear()
            if not self._is_met or self._is_being_born():
                continue
            error = await write(self._world, self.pod, self.life)
            if error is None:
                refusals = 0
                if not self._changed.is_set():
                    self.written.set()
                continue
            self._changed.set()
            refusals += 1
            if not isinstance(error, Conflict) or refusals > settings.write_conflicts_max:
                log.warning("pod %s/%s: cannot write its state: %s", *self.pod.key, error)
                await asyncio.sleep(settings.write_retry_s)
        self.written.set()
        self._world.launcher.send(Forget(self.pod.uid))
        if not self.life.has_network:
            self._world.ports.give_back(self.life.port)
        await asyncio.to_thread(places.remove, self._place)
        self._gone(self)

    def _is_being_born(self) -> bool:
        """Tell whether its first process is a millisecond away: that is worth one write, not two.

        A Pod that says Ready is told at once that this is over.
        """
        return (
            self.life.phase is Phase.STARTING
            and self.life.last is None
            and not is_true(self.pod.status.conditions)
        )

    def _is_over(self) -> bool:
        """Tell whether its process has ended for good, and no finalizer of ours is left."""
        found = stored(self._world, self.pod)
        return self.life.phase is Phase.STOPPED and (
            found is None or PROCESS_FINALIZER not in found.metadata.finalizers
        )
