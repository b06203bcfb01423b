"""Ends what an earlier run of the same instance left behind (Linux; elsewhere it finds nothing).

A replica dies with its launcher, but what a replica forked does not. Such a process still has the
TMPDIR that it was given: a folder below this instance's own.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal

log = logging.getLogger(__name__)

_PROC = "/proc"


def orphans(replica_folders: str, proc: str = _PROC) -> list[int]:
    """Return the pids of this user's processes whose TMPDIR is below `replica_folders`."""
    marks = {
        b"TMPDIR=" + os.fsencode(os.path.join(folder, ""))
        for folder in (os.path.abspath(replica_folders), os.path.realpath(replica_folders))
    }
    try:
        names = os.listdir(proc)
    except OSError:
        return []
    return [
        int(name)
        for name in names
        if name.isdigit() and int(name) != os.getpid() and _is_marked(f"{proc}/{name}", marks)
    ]


def _is_marked(process: str, marks: set[bytes]) -> bool:
    try:
        if os.stat(process).st_uid != os.getuid():
            return False
        with open(f"{process}/environ", "rb") as environ:
            variables = environ.read().split(b"\0")
    except OSError:  # it ended, or is a kernel's
        return False
    return any(variable.startswith(mark) for mark in marks for variable in variables)


def sweep(replica_folders: str) -> int:
    """Kill the orphans, and with each the group it leads or was left in; return how many."""
    pids = orphans(replica_folders)
    own = os.getpgid(0)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            group = os.getpgid(pid)
            leader_is_ours = group in pids or not os.path.exists(f"{_PROC}/{group}")
            if leader_is_ours and group not in (own, 0, 1):
                os.killpg(group, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)
    if pids:
        log.warning("ended %d processes that an earlier run left behind", len(pids))
    return len(pids)
