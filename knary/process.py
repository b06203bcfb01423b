"""How knary's parent starts its children: `python -P -m knary.process NAME SETTINGS_JSON`.

NAME is gateway, control-plane or launcher. A child logs to stderr, which the parent points at the
instance's log, and ends when its parent does. Why it could not run goes there too.
"""

from __future__ import annotations

import logging
import os
import sys

from knary.compiled import NotCompiled, use
from knary.inside import enter

NAMES = ("gateway", "control-plane", "launcher")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


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
        use(os.environ)
        from gateway.main import run as run_gateway

        return run_gateway(settings)
    if name == "control-plane":
        die_with_parent()
        from simulator.main import run as run_control_plane

        return run_control_plane(settings)
    # The launcher outlives its parent by the moment in which it ends its replicas.
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
