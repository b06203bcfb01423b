"""The last step of every create, update and patch: admit the object, and store it or only try."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from msgspec.structs import replace

from simulator.admission.admit import Admitted, admit
from simulator.admission.settings import Defaults
from simulator.api import documents, drafts
from simulator.api.bodies import Draft
from simulator.api.exchange import Answer
from simulator.api.options import WriteOptions
from simulator.api.paths import Target
from simulator.clock import Clock
from simulator.errors import NotFound, with_warnings
from simulator.fieldownership.objects import with_update_owned
from simulator.fieldownership.tracking import Writer
from simulator.resources.core import Namespace
from simulator.resources.meta import Resource, timestamp
from simulator.store import transitions
from simulator.store.objects import Store, taken
from simulator.store.transitions import Outcome, Unchanged

USER = "knary-admin"  # the kubeconfig's user

Decide = Callable[[Resource, Resource], Outcome]


class Storing:
    """Admission and the store, behind what the verbs make of a request."""

    def __init__(self, store: Store, clock: Clock, defaults: Callable[[], Defaults]) -> None:
        self.store = store
        self._clock = clock
        self._defaults = defaults

    async def create(self, target: Target, options: WriteOptions, draft: Draft) -> Answer:
        """Store a new object: 201. Raise ApiError."""
        draft = drafts.without_repeated_owners(draft)
        new = drafts.as_new(draft.object, target)
        self._require_namespace(new, target)
        with with_warnings(draft.warnings):
            if draft.is_owned:
                admitted = admit(new, None, USER, self._defaults())
            else:
                admitted = self._owned_and_admitted(new, None, target, options)
        first = drafts.as_first(admitted.object)
        if options.is_dry_run:
            stored = self._would_create(first)
        else:
            stored = await self.store.create(first)
        warnings = (*draft.warnings, *admitted.warnings)
        return Answer(201, documents.object_json(stored), warnings=warnings)

    async def replace(
        self, target: Target, options: WriteOptions, old: Resource, draft: Draft
    ) -> Answer:
        """Store the object in the place of `old`, or its status alone: 200. Raise ApiError."""
        drafts.refuse_stale(target, old, draft.object)
        draft = drafts.without_repeated_owners(draft)
        warnings = draft.warnings
        decide: Decide
        if target.subresource == "status":
            new, decide = draft.object, transitions.update_status
            if not draft.is_owned:
                new = with_update_owned(old, new, self.writer(target, options))
        else:
            new, decide = drafts.over(old, draft.object), transitions.update
            with with_warnings(draft.warnings):
                if draft.is_owned:
                    admitted = admit(new, old, USER, self._defaults())
                else:
                    admitted = self._owned_and_admitted(new, old, target, options)
            new, warnings = admitted.object, (*warnings, *admitted.warnings)
        if options.is_dry_run:
            outcome = decide(old, new)
            stored = old if isinstance(outcome, Unchanged) else outcome.object
        elif target.subresource == "status":
            stored = await self.store.update_status(new)
        else:
            stored = await self.store.update(new)
        return Answer(200, documents.object_json(stored), warnings=warnings)

    def _owned_and_admitted(
        self, new: Resource, old: Resource | None, target: Target, options: WriteOptions
    ) -> Admitted:
        """Return the object as it may be stored, whose entries say what this update has taken.

        Defaults of Kubernetes' own kinds come with decoding, so they are their writer's;
        Knative's come with a webhook, and are nobody's.
        """
        writer = self.writer(target, options)
        if target.info.is_custom:
            return admit(with_update_owned(old, new, writer), old, USER, self._defaults())
        admitted = admit(new, old, USER, self._defaults())
        return replace(admitted, object=with_update_owned(old, admitted.object, writer))

    def writer(self, target: Target, options: WriteOptions) -> Writer:
        """Return who writes, as the entries of ownership say it."""
        now = timestamp(self._clock.now())
        return Writer(options.field_manager, target.info.api_version, now, target.subresource)

    def _require_namespace(self, new: Resource, target: Target) -> None:
        """Raise NotFound or Forbidden unless the object's namespace can take new ones."""
        if not target.info.namespaced:
            return
        namespace = self.store.get(Namespace, "", target.namespace)
        if namespace is None:
            raise NotFound.of("", "namespaces", target.namespace)
        if namespace.is_deleting:
            why = f"unable to create new content in namespace {target.namespace}"
            why += " because it is being terminated"
            raise drafts.forbidden(target, new.metadata.name, why)

    def _would_create(self, new: Resource) -> Resource:
        name = new.metadata.name or self.store.generated_name(new)
        if self.store.get(type(new), new.metadata.namespace, name) is not None:
            raise taken(new, name)
        now = timestamp(self._clock.now())
        return transitions.create(new, name=name, uid=str(uuid.uuid4()), now=now)
