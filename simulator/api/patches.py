"""Patch: change the stored object as the patch says, then store it like an update.

Source: apiserver `endpoints/handlers/patch.go`.
"""

from __future__ import annotations

from simulator.api import bodies, drafts
from simulator.api.bodies import Draft
from simulator.api.exchange import Answer, Request
from simulator.api.reads import found
from simulator.api.storing import Storing
from simulator.errors import BadRequest, Conflict
from simulator.resources.decoding import parse_json
from simulator.resources.scheme import to_document
from simulator.store.patching import json_patch, merge_patch


class Patches:
    """The verb that changes a part of an object."""

    def __init__(self, storing: Storing, attempts: int) -> None:
        self._storing = storing
        self._attempts = attempts

    async def patch(self, request: Request) -> Answer:
        """Patch the object, or its status: 200. Raise ApiError.

        A patch that names no resourceVersion is applied anew when the object changed meanwhile.
        """
        target = request.target
        kind = bodies.patch_type(request.content_type)
        options = bodies.write_options(request.query, "PatchOptions")
        patch, duplicates = parse_json(request.body)
        if kind == bodies.MERGE_PATCH and not isinstance(patch, dict):
            raise BadRequest("a merge patch must be a JSON object; a list is a JSON patch")
        change = merge_patch if kind == bodies.MERGE_PATCH else json_patch
        for attempt in range(1, self._attempts + 1):
            old = found(self._storing.store, target)
            patched = change(to_document(old), patch)
            draft = bodies.read_object(patched, duplicates, target.info, options)
            given = drafts.as_named(draft.object, target)
            names_version = given.metadata.resource_version != old.metadata.resource_version
            try:
                return await self._storing.replace(
                    target, options, old, Draft(given, draft.warnings)
                )
            except Conflict:
                if names_version or attempt == self._attempts:
                    raise
        raise AssertionError  # the last attempt returns or raises
