"""How knary's parent starts its children: `python -P -m knary.process NAME SETTINGS_JSON`.

NAME is gateway, control-plane or launcher; or load, which `knary load --processes` starts. A child
logs to stderr, which the parent points at the instance's log, and ends when its parent does. Why it
could not run goes there too.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress

from knary.compiled import NotCompiled, use
from knary.inside import enter

NAMES = ("gateway", "control-plane", "launcher", "load")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
OPEN_FILES_MAX = 1 << 20  # no more is asked for, whatever the hard limit says


def main(arguments: list[str]) -> int:
    """Run one child until it ends; return its exit status. 2: it was not called as above."""
    if len(arguments) != 2 or arguments[0] not in NAMES:
        names = "|".join(NAMES)
        sys.stderr.write(f"usage: python -P -m knary.process {names} SETTINGS_JSON\n")
        return 2
    name, settings = arguments
    enter()
    try:
        return _run(name, settings)
    except NotCompiled as error:
        logging.getLogger(__name__).error("%s failed: %s", name, error)
        return 1
    except Exception:
        logging.getLogger(__name__).exception("%s failed", name)
        return 1


def _run(name: str, settings: str) -> int:
    if name == "gateway":
        die_with_parent()
        allow_open_files()
        use(os.environ)
        from gateway.main import run as run_gateway

        return run_gateway(settings)
    if name == "control-plane":
        die_with_parent()
        allow_open_files()
        from simulator.main import run as run_control_plane

        return run_control_plane(settings)
    if name == "load":
        die_with_parent()
        allow_open_files()
        from simulator.load.child import run as run_load

        return run_load(settings)
    # The launcher outlives its parent by the moment in which it ends its replicas. It keeps the
    # limit of open files as it is: replicas inherit it, and some programs break with a high one.
    from simulator.launcher.main import run as run_launcher

    return run_launcher(settings)


def die_with_parent() -> None:
    """Ask Linux to kill this process with its parent, even while its event loop is stuck.

    Elsewhere, and for a parent that died before this call, the end of the life pipe says so.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def allow_open_files() -> None:
    """Raise the soft limit of open files to the hard one, as Go's runtime does (os/rlimit.go).

    The soft limit is low, usually 1,024, for programs that call select(2); here each client and
    each watch is an open file.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES_MAX)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with suppress(ValueError, OSError):  # macOS allows less than its hard limit says
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
