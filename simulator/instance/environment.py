"""The environment in which the parent starts knary's own processes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import knary
from knary.inside import folder


def child_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the parent's environment, with a checkout on the path so that children find `knary`.

    An installed knary needs no help: site-packages ahead of the standard library would do harm.
    """
    environment = dict(own)
    checkout = Path(knary.__file__).resolve().parent.parent
    if folder() == checkout:
        others = [part for part in own.get("PYTHONPATH", "").split(os.pathsep) if part]
        if str(checkout) not in others:
            environment["PYTHONPATH"] = os.pathsep.join([str(checkout), *others])
    return environment
