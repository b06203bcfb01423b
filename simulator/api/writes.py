"""Create and update: decode, admit, store.

Sources: apiserver `endpoints/handlers/{create,update}.go`, `registry/rest`.
"""

from __future__ import annotations

from simulator.api import bodies, drafts, options
from simulator.api.bodies import Draft
from simulator.api.exchange import Answer, Request
from simulator.api.reads import found
from simulator.api.storing import Storing
from simulator.errors import Invalid


class Writes:
    """The verbs that store a whole object."""

    def __init__(self, storing: Storing) -> None:
        self._storing = storing

    async def create(self, request: Request) -> Answer:
        """Store a new object: 201. Raise ApiError."""
        target = request.target
        how = options.write_options(request, "CreateOptions")
        document, duplicates = bodies.document_of(request)
        draft = bodies.read_object(document, duplicates, target.info, how)
        return await self._storing.create(target, how, draft)

    async def update(self, request: Request) -> Answer:
        """Replace the object, or its status alone: 200. Raise ApiError."""
        target = request.target
        how = options.write_options(request, "UpdateOptions")
        document, duplicates = bodies.document_of(request)
        draft = bodies.read_object(document, duplicates, target.info, how)
        old = found(self._storing.store, target)
        given = drafts.as_named(draft.object, target)
        if target.info.is_custom and not given.metadata.resource_version:
            message = "Invalid value: 0x0: must be specified for an update"
            causes = [("metadata.resourceVersion", "FieldValueInvalid", message)]
            raise Invalid.of(target.info.group, target.info.kind, target.name, causes)
        return await self._storing.replace(target, how, old, Draft(given, draft.warnings))
