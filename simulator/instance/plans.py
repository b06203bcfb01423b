"""What the parent's children are told: one ChildPlan each."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

import msgspec

from gateway.settings import Settings, with_changes
from knary import __version__
from knary.compiled import SWITCH
from simulator.instance.children import ChildPlan
from simulator.instance.description import Description
from simulator.instance.lock import Lock
from simulator.instance.options import OWN_NETWORK, ParentSettings, UpOptions, WorkerOptions
from simulator.instance.paths import InstancePaths
from simulator.instance.sockets import Ports

# What Python needs to start. A forked replica shows its launcher's environment to whoever looks
# from outside, so no token or cloud key of the user's may be in there.
PYTHONS_OWN = frozenset(
    ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
)


@dataclass(frozen=True)
class Plans:
    """The children in the order in which they are started."""

    launcher: ChildPlan
    control_plane: ChildPlan
    workers: tuple[ChildPlan, ...]

    @property
    def all(self) -> tuple[ChildPlan, ...]:
        return (self.launcher, self.control_plane, *self.workers)


def describe(options: UpOptions, ports: Ports, started: str) -> Description:
    """Return where this instance answers; the caller is the parent."""
    return Description(
        pid=os.getpid(),
        version=__version__,
        gateway=ports.gateway.url("http"),
        gateway_local=ports.local.url("http"),
        api=ports.api.url("https"),
        console=ports.console.url("http"),
        domain=options.domain,
        splitter=options.splitter,
        data_folder=str(options.data),
        workers=options.workers,
        started=started,
        network=options.network,
    )


def plan_children(
    options: UpOptions, description: Description, ports: Ports, lock: Lock, limits: ParentSettings
) -> Plans:
    """Return the plans of the launcher, the control plane and each worker.

    The control plane and the launcher inherit the folder's lock: while those of a killed parent
    live on for a moment, with a write under way or replicas to end, no others may start.
    """
    paths = InstancePaths(options.data)
    networks = {}
    if description.network == OWN_NETWORK:
        networks = {"networks_socket": str(paths.networks_socket)}
    api, console = ports.api.sockets[0].fileno(), ports.console.sockets[0].fileno()
    return Plans(
        launcher=ChildPlan(
            name="launcher",
            title="the launcher",
            settings={
                "socket": str(paths.launcher_socket),
                "replica_folders": str(paths.replica_folders),
                **networks,
            },
            stop_s_max=limits.launcher_stop_s_max,
            descriptors=(lock.fileno(),),
            variables=PYTHONS_OWN,
        ),
        control_plane=ChildPlan(
            name="control-plane",
            title="the control plane",
            settings={
                "description": description,
                "api_fd": api,
                "console_fd": console,
                "images": None if options.images is None else str(options.images.absolute()),
                "seed": options.seed,
            },
            stop_s_max=limits.control_plane_stop_s_max,
            descriptors=(api, console, lock.fileno()),
        ),
        workers=tuple(
            plan_worker(index, (one, inside), options, paths, limits).with_settings(
                {**networks, **turns_settings(paths, options.workers)}
            )
            for index, (one, inside) in enumerate(
                zip(ports.gateway.sockets, ports.local.sockets, strict=True)
            )
        ),
    )


def plan_worker(
    index: int,
    listeners: tuple[socket.socket, ...],
    options: WorkerOptions,
    paths: InstancePaths,
    limits: ParentSettings,
) -> ChildPlan:
    """Return the plan of one worker; its listeners are the external and the cluster-local one."""
    names = ("listen_fd", "local_listen_fd")
    inherited = {name: one.fileno() for name, one in zip(names, listeners, strict=False)}
    return ChildPlan(
        name="gateway",
        title=f"gateway worker {index}",
        settings={
            "worker": index,
            **inherited,
            "control_socket": str(paths.gateway_socket),
            "pid_file": str(paths.worker_pid(index)),
            "gates_file": str(paths.gates),
            "sessions_file": str(paths.sessions),
            "session_key_file": str(paths.session_key),
            "metrics_file": str(paths.worker_metrics(index)),
            **gateway_settings(options),
            **access_log_settings(options),
        },
        stop_s_max=worker_drain_s(options) + limits.worker_stop_s_max,
        descriptors=(*inherited.values(), *access_log_descriptors(options)),
        pid_file=paths.worker_pid(index),
        variables=PYTHONS_OWN | {SWITCH},
    )


def turns_settings(paths: InstancePaths, workers: int) -> dict[str, object]:
    """Return where so many workers take turns together: one has nobody to take them with."""
    return {"turns_file": str(paths.turns)} if workers > 1 else {}


def gateway_settings(options: WorkerOptions) -> dict[str, object]:
    """Return what a worker is told of its limits; nothing of those that are as ever."""
    if not options.gateway_settings:
        return {}
    return {"settings": msgspec.structs.asdict(_changed_settings(options))}


def worker_drain_s(options: WorkerOptions) -> float:
    """Return how long a worker that is told to stop takes by its own settings, at most."""
    settings = _changed_settings(options)
    return settings.drain_s_max + settings.cut_s_max


def _changed_settings(options: WorkerOptions) -> Settings:
    return with_changes(Settings(), options.gateway_settings)


def access_log_settings(options: WorkerOptions) -> dict[str, object]:
    """Return what a worker is told of the access log; it is nothing without one."""
    if options.access_log is None:
        return {}
    where: dict[str, object] = {"access_log_sample": options.access_log_sample}
    if isinstance(options.access_log, int):
        where["access_log_fd"] = options.access_log
    else:
        where["access_log"] = str(options.access_log.absolute())
    return where


def access_log_descriptors(options: WorkerOptions) -> tuple[int, ...]:
    """Return the descriptor that workers inherit to log to, if there is one."""
    return (options.access_log,) if isinstance(options.access_log, int) else ()
