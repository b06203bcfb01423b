"""What instances that were killed left among the temporary files: nobody was there to remove it.

A lock tells what is left over: the kernel drops it with its holder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from pathlib import Path

from simulator.errors import KnaryError
from simulator.instance.folders import OWNER, remove_run_folders
from simulator.instance.lock import is_held, port_lock_pattern, remove_if_free
from simulator.instance.paths import SOCKETS_ELSEWHERE, InstancePaths

EPHEMERAL_PREFIX = "knary-ephemeral-"
_YOUNG_S = 10.0  # another instance may have made it, and be about to lock it


def clear_leftovers(temporary: Path, now_s: float) -> None:
    """Remove locks of ports, ephemeral data folders and folders of sockets that nobody holds.

    Never raise for one of them.
    `now_s` is the time in seconds since 1970.
    """
    for path in temporary.glob(port_lock_pattern()):
        with contextlib.suppress(OSError):
            if now_s - path.lstat().st_mtime > _YOUNG_S:
                remove_if_free(path)
    for folder in temporary.glob(f"{EPHEMERAL_PREFIX}*"):
        with contextlib.suppress(OSError, KnaryError):
            _clear_ephemeral(InstancePaths(folder))
    for owner in SOCKETS_ELSEWHERE.glob(f"knary-{os.getuid()}-*/{OWNER}"):
        with contextlib.suppress(OSError, KnaryError):
            _clear_sockets(InstancePaths(Path(os.fsdecode(owner.read_bytes()))), owner.parent)


def _clear_ephemeral(paths: InstancePaths) -> None:
    found = paths.data.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return
    # Without a lock it is being made or removed.
    if not paths.lock.is_file() or is_held(paths.lock):
        return
    remove_run_folders(paths)
    shutil.rmtree(paths.data)


def _clear_sockets(paths: InstancePaths, folder: Path) -> None:
    if paths.sockets != folder or (paths.lock.is_file() and is_held(paths.lock)):
        return
    remove_run_folders(paths)
