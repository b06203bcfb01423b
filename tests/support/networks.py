"""Whether replicas may have networks of their own here, and a program that needs one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simulator.netns import obstacle

WHY_NOT = obstacle()
needs_networks = pytest.mark.skipif(
    bool(WHY_NOT), reason=f"no networks of replicas' own here: {WHY_NOT}"
)

HARD_PORT = 8080
HARD_IMAGE = "example.com/hard:1"
_PROGRAM = Path(__file__).with_name("hard_port_server.py")


def hard_image(**fields: object) -> dict[str, object]:
    """Return an image map's entry for the program that listens on 8080 whatever it is told."""
    command = [sys.executable, "-I", "-S", str(_PROGRAM)]
    return {"image": HARD_IMAGE, "command": command, **fields}
