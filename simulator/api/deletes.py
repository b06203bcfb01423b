"""Delete an object, or those of a collection that selectors choose.

Source: apiserver `endpoints/handlers/delete.go`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from simulator.api import documents, drafts
from simulator.api.exchange import Answer, Request
from simulator.api.options import delete_request
from simulator.api.reads import candidates, found, selector_of
from simulator.clock import Clock
from simulator.errors import NotFound
from simulator.resources.core import Namespace
from simulator.resources.meta import Resource, timestamp
from simulator.store import transitions
from simulator.store.objects import Store
from simulator.store.transitions import DeleteOptions, Removed, Stored

UNDELETABLE_NAMESPACES = frozenset({"default", "kube-system", "kube-public"})


class Deletes:
    """The verbs that take objects away."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def delete(self, request: Request) -> Answer:
        """Delete the object: a Status when it is gone, else the object. Raise ApiError."""
        target = request.target
        asked = delete_request(request)
        old = found(self._store, target)
        if isinstance(old, Namespace) and target.name in UNDELETABLE_NAMESPACES:
            raise drafts.forbidden(target, target.name, "this namespace may not be deleted")
        if asked.is_dry_run:
            now = timestamp(self._clock.now())
            outcome = transitions.delete(old, asked.options, now)
            match outcome:
                case Removed():
                    left = None
                case Stored():
                    left = outcome.object
                case _:
                    left = old
            last = old
        else:
            last = await self._store.delete(target.info.type, old.key, asked.options)
            left = self._store.get(target.info.type, *old.key)
        if left is not None and left.uid == last.uid:
            return Answer(200, documents.object_json(left))
        return Answer(200, documents.to_json(documents.deleted_status(last)))

    async def delete_collection(self, request: Request) -> Answer:
        """Delete what the selectors choose, at most `limit`: 200 and a list. Raise ApiError."""
        target = request.target
        asked = delete_request(request)
        selector = selector_of(request)
        listed = candidates(self._store, target, selector)
        chosen = [obj for obj in listed if selector.matches(obj)]
        if limit := request.query.integer("limit"):
            chosen = chosen[: max(0, limit)]
        if not asked.is_dry_run:
            # Together, so that they share a commit.
            await asyncio.gather(*(self._delete_one(obj, asked.options) for obj in chosen))
        metadata = {"resourceVersion": str(self._store.version)}
        return Answer(200, documents.list_json(target.info, chosen, metadata))

    async def _delete_one(self, obj: Resource, options: DeleteOptions) -> None:
        with suppress(NotFound):
            await self._store.delete(type(obj), obj.key, options)
