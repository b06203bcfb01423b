"""Where knary's own folders are: inside the wheel, or at the top of a checkout."""

import sys
from pathlib import Path


def folder() -> Path:
    """Return the folder that holds gateway/, simulator/, sample_apps/ and scenarios/."""
    packaged = Path(__file__).resolve().parent / "_inside"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parent.parent


def enter() -> None:
    """Make knary's folders importable in this process, before any namesake of the user's."""
    inside = str(folder())
    if sys.path[:1] != [inside]:
        sys.path.insert(0, inside)
