"""Looks whether the image map's files are sound, so that a slip in one is heard of at once."""

from __future__ import annotations

import asyncio
from typing import Final

from simulator.clock import Clock
from simulator.imagefile import ImageFile
from simulator.reconciling.apply import apply
from simulator.reconciling.bus import Bus
from simulator.reconciling.plan import Plan, Record
from simulator.resources.core import Namespace

LOOK_S: Final = 1.0
COMPONENT: Final = "image-map"
REASON: Final = "InvalidImageMap"
_ABOUT: Final = "default"  # the namespace whose Events a user sees first


async def watch_images(
    images: ImageFile, store: Bus, *, clock: Clock, look_s: float = LOOK_S
) -> None:
    """Record an Event about each new flaw, until cancelled; `ImageFile` logs it."""
    known = ""
    while True:
        flaw = images.current().flaw
        about = store.get(Namespace, "", _ABOUT)
        if flaw and flaw != known and about is not None:
            message = f"{flaw}; the rules read before stay in force"
            record = Record(about, "Warning", REASON, message)
            await apply(store, Plan((record,)), COMPONENT, clock.now())
        known = flaw
        await asyncio.sleep(look_s)
