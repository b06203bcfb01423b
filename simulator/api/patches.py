"""Patch: change the stored object as the patch says, then store it like an update.

An apply may also create it. Source: apiserver `endpoints/handlers/patch.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from simulator.api import applying, bodies, drafts, patched
from simulator.api.bodies import APPLY_PATCH, Draft
from simulator.api.exchange import Answer, Request
from simulator.api.options import WriteOptions, write_options
from simulator.api.paths import Target
from simulator.api.reads import found
from simulator.api.storing import Storing
from simulator.errors import AlreadyExists, Conflict
from simulator.resources.meta import Resource

Change = Callable[[Resource | None], Draft]


class Patches:
    """The verb that changes a part of an object."""

    def __init__(self, storing: Storing, attempts: int) -> None:
        self._storing = storing
        self._attempts = attempts

    async def patch(self, request: Request) -> Answer:
        """Patch the object, or its status: 200, and 201 for an apply that made it. Raise ApiError.

        A patch that names no resourceVersion is applied anew when the object changed meanwhile.
        """
        target = request.target
        kind = bodies.patch_type(request.content_type, target.info)
        options = write_options(request, "PatchOptions", kind)
        change = self._change(kind, request, options)
        for attempt in range(1, self._attempts + 1):
            is_last = attempt == self._attempts
            old = self._old(target, kind)
            draft = change(old)
            given = drafts.as_named(draft.object, target)
            named = Draft(given, draft.warnings, draft.is_owned)
            if old is None:
                try:
                    return await self._storing.create(target, options, named)
                except AlreadyExists:
                    if is_last:
                        raise
                continue
            names_version = given.metadata.resource_version != old.metadata.resource_version
            try:
                return await self._storing.replace(target, options, old, named)
            except Conflict:
                if names_version or is_last:
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _old(self, target: Target, kind: str) -> Resource | None:
        """Return what is patched; None when an apply makes it. Raise NotFound."""
        if kind == APPLY_PATCH and not target.subresource:
            return self._storing.store.get(target.info.type, target.namespace, target.name)
        return found(self._storing.store, target)

    def _change(self, kind: str, request: Request, options: WriteOptions) -> Change:
        """Return what makes the wished object of the stored one. Raise BadRequest."""
        if kind == APPLY_PATCH:
            config = applying.read(request.body, options)
            writer = self._storing.writer(request.target, options)
            return lambda old: applying.applied(config, old, request.target, writer, options)
        patch, duplicates = patched.read(request.body, kind)
        info = request.target.info
        # Only an apply makes objects: `_old` has found one.
        return lambda old: patched.changed(
            cast("Resource", old), kind, patch, duplicates, info, options
        )
