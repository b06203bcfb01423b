"""What the loop needs of the store: reads, writes and a watch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Protocol

from simulator.reconciling.reader import Reader
from simulator.resources.meta import Key, R, Resource
from simulator.store.transitions import DeleteOptions


class Change(Protocol):
    """One event of a watch: the object as it is now, or as it last was."""

    @property
    def object(self) -> Resource: ...


class Watch(Protocol):
    """Changes as they are committed. Iterating raises Expired when some were missed."""

    def __aiter__(self) -> AsyncIterator[Change]: ...

    def close(self) -> None: ...


class Bus(Reader, Protocol):
    """The store. A write is decided in call order and acknowledged when committed.

    `manager` is who writes, as the object's `metadata.managedFields` say it.
    """

    @property
    def version(self) -> int:
        """The last committed version."""

    async def create(self, obj: R, manager: str = ...) -> R:
        """Store a new object. Raise AlreadyExists."""

    async def update(self, obj: R, manager: str = ...) -> R:
        """Replace metadata and spec. Raise Conflict, NotFound."""

    async def update_status(self, obj: R, manager: str = ...) -> R:
        """Replace the status. Raise Conflict, NotFound."""

    async def delete(self, kind: type[R], key: Key, options: DeleteOptions = ...) -> R:
        """Delete the object, or mark it as deleted while it has finalizers. Raise NotFound."""

    def watch(
        self, kinds: Collection[type[Resource]] | None = None, since: int | None = None
    ) -> Watch:
        """Return every change of these kinds from now on."""
