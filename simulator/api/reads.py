"""Get and list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.api import documents
from simulator.api.exchange import Answer, Request
from simulator.api.listoptions import EXACT, require_sound_list
from simulator.api.negotiation import Form, form_of_list, form_of_object
from simulator.api.paging import Listed, Pages
from simulator.api.paths import Target
from simulator.api.queries import Query
from simulator.api.tables import INCLUDE_OBJECT, table
from simulator.clock import Clock
from simulator.errors import BadRequest, Expired, NotFound, TooLargeVersion
from simulator.resources.meta import Resource
from simulator.store.objects import Store
from simulator.store.selectors import Selector, parse_selector


def found(store: Store, target: Target) -> Resource:
    """Return the object that the target names. Raise NotFound."""
    obj = store.get(target.info.type, target.namespace, target.name)
    if obj is None:
        raise NotFound.of(target.info.group, target.info.plural, target.name)
    return obj


def selector_of(request: Request) -> Selector:
    """Return the selector of the query. Raise BadRequest."""
    query = request.query
    return parse_selector(
        request.target.info, query.text("labelSelector"), query.text("fieldSelector")
    )


def candidates(store: Store, target: Target, selector: Selector) -> Sequence[Resource]:
    """Return the target's objects by name, or fewer that hold all that the selector matches."""
    kind, namespace = target.info.type, target.namespace
    if selector.exact_name is not None and (namespace or not target.info.namespaced):
        one = store.get(kind, namespace, selector.exact_name)
        return () if one is None else (one,)
    equal = {
        requirement.key: requirement.values[0]
        for requirement in selector.labels
        if requirement.operator == "in" and len(requirement.values) == 1
    }
    return store.list(kind, namespace or None, equal)


def include_object(query: Query) -> str:
    """Return what a table's rows carry of their objects. Raise BadRequest."""
    include = query.text("includeObject") or "Metadata"
    if include not in INCLUDE_OBJECT:
        allowed = ", ".join(INCLUDE_OBJECT)
        raise BadRequest(f'invalid includeObject "{include[:40]}": it must be one of {allowed}')
    return include


class Reads:
    """Answers from committed state."""

    def __init__(self, store: Store, clock: Clock, pages: Pages) -> None:
        self._store = store
        self._clock = clock
        self._pages = pages

    def get(self, request: Request) -> Answer:
        """Return the object, its metadata or its one-row table. Raise NotFound."""
        form = form_of_object(request.accept, request.target.info.kind)
        self._require_reached(request.query)
        obj = found(self._store, request.target)
        match form.name:
            case "json":
                return Answer(200, documents.object_json(obj))
            case "Table":
                metadata = {"resourceVersion": obj.metadata.resource_version}
                return self._table(request, form, [obj], metadata)
            case _:
                return Answer(200, documents.to_json(documents.partial(obj, form.api_version)))

    def list(self, request: Request) -> Answer:
        """Return the objects of a namespace, or of all, that the selectors choose, by name.

        With `limit`, a page of what was there when the first page was asked for. Raise
        BadRequest, Invalid, or Expired when the version or the page that is asked for is gone.
        """
        query, info = request.query, request.target.info
        form = form_of_list(request.accept, info.kind)
        limit = query.integer("limit") or 0
        require_sound_list(query)
        selector = selector_of(request)

        def listed() -> Listed:
            objects = candidates(self._store, request.target, selector)
            if not selector.is_everything:
                objects = [obj for obj in objects if selector.matches(obj)]
            return Listed(objects, self._store.version)

        question = (
            *(info.qualified, request.target.namespace),
            *(query.text("labelSelector"), query.text("fieldSelector")),
        )
        if token := query.text("continue"):
            _require_no_version(query)
            page = self._pages.next(question, token, limit, listed)
        else:
            self._require_reached(query)
            page = self._pages.first(question, listed(), limit)
        metadata: dict[str, Any] = {"resourceVersion": str(page.version)}
        if page.token:
            metadata["continue"] = page.token
            if selector.is_everything:  # as a real API server: unknown with selectors
                metadata["remainingItemCount"] = page.remaining
        match form.name:
            case "json":
                return Answer(200, documents.list_json(info, page.objects, metadata))
            case "Table":
                return self._table(request, form, page.objects, metadata)
            case _:
                partial = documents.partial_list(page.objects, form.api_version, metadata)
                return Answer(200, documents.to_json(partial))

    def _require_reached(self, query: Query) -> None:
        """Raise TooLargeVersion or Expired when what is here is not what is asked for.

        An exact version that is not the present one counts as compacted.
        """
        version, current = query.version(), self._store.version
        if version is None:
            return
        if version > current:
            raise TooLargeVersion.of(version, current)
        if query.text("resourceVersionMatch") == EXACT and version != current:
            raise Expired(f"too old resource version: {version} ({current})")

    def _table(
        self, request: Request, form: Form, objects: Sequence[Resource], metadata: dict[str, Any]
    ) -> Answer:
        include = include_object(request.query)
        rows = table(request.target.info, objects, "", include, self._clock.now())
        rows |= {"apiVersion": form.api_version, "metadata": metadata}
        return Answer(200, documents.to_json(rows))


def _require_no_version(query: Query) -> None:
    """Raise BadRequest when a page is asked for at a version: its token says which."""
    if query.text("resourceVersion") not in ("", "0"):
        raise BadRequest("specifying resource version is not allowed when using continue")
