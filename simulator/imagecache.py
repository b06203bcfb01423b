"""Which program a digest stands for: kept in the Image of each container of each revision. Pure.

So a revision goes on running what it was made with, whatever its tag stands for by now, and so
does a later revision that names the digest (`kn service update` does).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from simulator.images import Program
from simulator.resources.caching import ANNOTATION_PROGRAM, ANNOTATION_REFERENCE, Image


def annotations_of(reference: str, program: Program) -> dict[str, str]:
    """Return what an Image's annotations tell of its digest."""
    told = {ANNOTATION_PROGRAM: msgspec.json.encode(program).decode()}
    return told if "@" in reference else {ANNOTATION_REFERENCE: reference, **told}


def program_of(image: Image) -> Program | None:
    """Return the program that the Image's digest stands for; None when it does not tell."""
    try:
        return msgspec.json.decode(image.metadata.annotations[ANNOTATION_PROGRAM], type=Program)
    except (KeyError, msgspec.MsgspecError):
        return None


def pinned(images: Iterable[Image]) -> Mapping[str, Program]:
    """Return what each digest stands for. Of several Images the oldest tells."""
    programs: dict[str, Program] = {}
    for image in sorted(images, key=lambda one: one.metadata.creation_timestamp or ""):
        program = program_of(image)
        if "@" in image.spec.image and program is not None:
            programs.setdefault(image.spec.image, program)
    return programs
