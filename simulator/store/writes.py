"""A decided write, from its decision to the disk's word about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from simulator.errors import ApiError, StorageFailed
from simulator.resources.meta import Key, Resource
from simulator.store.database import Row
from simulator.store.watching import WatchEvent

Identity = tuple[type[Resource], Key]


@dataclass(eq=False, slots=True)
class Write:
    """A decided write on its way to the disk; `settled` tells why it failed, or None."""

    event: WatchEvent
    row: Row
    settled: asyncio.Future[ApiError | None] = field(repr=False)

    @property
    def identity(self) -> Identity:
        return type(self.event.object), self.event.object.key

    @property
    def decided(self) -> Resource | None:
        """Return the object as this write leaves it; None when it deletes it."""
        return None if self.event.type == "DELETED" else self.event.object


def failure_of(error: BaseException | None) -> ApiError:
    """Return what those are told whose writes were not committed."""
    if isinstance(error, ApiError):
        return error
    return StorageFailed("the store was stopped" if error is None else str(error))


def settle(batch: Sequence[Write], failure: ApiError | None) -> None:
    """Tell those who wait for these writes how they went."""
    for write in batch:
        if not write.settled.done():
            write.settled.set_result(failure)
