"""The launcher's composition root.

Everything that a sample app needs is imported here once, and frozen out of the collector's sight,
so that a forked child shares those pages and starts in milliseconds.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import socket
import stat
import sys

import msgspec

from simulator.clock import SystemClock
from simulator.launcher.forking import App, Fork
from simulator.launcher.networks import Networks
from simulator.launcher.server import Server
from simulator.launcher.settings import LauncherSettings, parse_settings
from simulator.launcher.sweep import sweep
from simulator.netns import Kernel

log = logging.getLogger(__name__)

_LISTEN_BACKLOG = 16


def run(settings_json: str) -> int:
    """Run the launcher until its parent ends it; return the exit status."""
    try:
        settings = parse_settings(settings_json)
    except msgspec.MsgspecError as error:
        sys.stderr.write(f"launcher: bad settings: {error}\n")
        return 2
    # From here on no cycle is collected: a collection would write to every page, and the children
    # would no longer share them.
    gc.disable()
    apps = _preload()
    sweep(settings.replica_folders)
    try:
        listening = _listen(settings.socket, socket.SOCK_STREAM)
        kernel = Kernel()
        gc.freeze()
        networks = _start_keeper(kernel, settings)
    except OSError as error:
        log.error("cannot listen on %s: %s", settings.socket, error)
        return 1
    _tell_ready(settings)
    try:
        Server(listening, Fork(apps, kernel), SystemClock(), settings, networks).serve()
    finally:
        if networks is not None:
            networks.end()
            _unlink(settings.networks_socket)
        listening.close()
        _unlink(settings.socket)
        # What a replica forked into a session of its own is no longer in its group.
        sweep(settings.replica_folders)
    return 0


def _preload() -> dict[str, App]:
    """Import the apps and all that they import late."""
    import encodings.idna  # noqa: F401

    from sample_apps.helloworld_go import app as helloworld_go

    return {
        "helloworld_go": helloworld_go.main,
        "helloworld_grpc": _helloworld_grpc,
        "websocket_echo": _websocket_echo,
    }


def _helloworld_grpc() -> int:
    """Import grpcio in the child: once it runs, a process can no longer fork safely."""
    from sample_apps.helloworld_grpc.app import main

    return main()


def _websocket_echo() -> int:
    """Import aiohttp in the child: it is large, and few replicas need it."""
    from sample_apps.websocket_echo.app import main

    return main()


def _start_keeper(kernel: Kernel, settings: LauncherSettings) -> Networks | None:
    """Start the keeper of networks, if there are to be any. Raise OSError."""
    if not settings.networks_socket:
        return None
    networks = Networks(_listen(settings.networks_socket, socket.SOCK_SEQPACKET), kernel, settings)
    networks.start()
    return networks


def _listen(path: str, kind: socket.SocketKind) -> socket.socket:
    """Return the listening socket, its owner's alone. Raise OSError."""
    _unlink(path)
    listening = socket.socket(socket.AF_UNIX, kind)
    old = os.umask(0o177)
    try:
        listening.bind(path)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(old)
    listening.listen(_LISTEN_BACKLOG)
    return listening


def _unlink(path: str) -> None:
    """Remove an earlier run's socket; nothing else is ever removed."""
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        return


def _tell_ready(settings: LauncherSettings) -> None:
    line = json.dumps({"ready": True, "pid": os.getpid()})
    try:
        os.write(settings.ready_fd, line.encode() + b"\n")
    except OSError as error:
        log.warning("cannot tell that the launcher is ready: %s", error)
    finally:
        os.close(settings.ready_fd)
