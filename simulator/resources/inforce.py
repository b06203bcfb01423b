"""Annotations of ours that the gateway obeys: which are asked for, and which are in force. Pure.

They belong to no generation, so the status of a Service and a Route repeats those that every
worker splits by: under its own name what is in force, under `NAME-ignored` what was looked at and
is not, such as finer percents that do not fit the whole ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PREFIX: Final = "knary.dev/"
IGNORED: Final = "-ignored"

Annotations = Mapping[str, str]


def ours(annotations: Annotations | None) -> dict[str, str]:
    """Return those of the annotations that are knary's."""
    return {key: text for key, text in (annotations or {}).items() if key.startswith(PREFIX)}


def told(asked: Annotations, wanted: Annotations, programmed: Annotations) -> dict[str, str]:
    """Return what a status says: `asked` by the user, `wanted` of the gateway, `programmed` there.

    One that is wanted in another form, such as percents of revisions by name, is told as it was
    asked for.
    """
    asked, wanted = ours(asked), ours(wanted)
    found = dict(programmed)
    for key, text in asked.items():
        if key in wanted:
            if programmed.get(key) == wanted[key]:
                found[key] = text
        elif key not in programmed:
            found[key + IGNORED] = text
    return found


def is_settled(asked: Annotations | None, status: Annotations | None) -> bool:
    """Tell whether a status knows of each annotation that is asked for, and of no other."""
    asked, known = ours(asked), ours(status)
    for key, text in asked.items():
        if text not in (known.pop(key, None), known.pop(key + IGNORED, None)):
            return False
    return not known
