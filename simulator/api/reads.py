"""Get and list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.api import documents
from simulator.api.exchange import Answer, Request
from simulator.api.negotiation import Form, form_of
from simulator.api.paging import Pages
from simulator.api.paths import Target
from simulator.api.queries import Query
from simulator.api.tables import INCLUDE_OBJECT, table
from simulator.clock import Clock
from simulator.errors import BadRequest, Expired, NotFound
from simulator.resources.meta import Resource
from simulator.store.objects import Store
from simulator.store.selectors import Selector, parse_selector

_VERSION_MATCHES = ("", "Exact", "NotOlderThan")


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
        """Return the object, or its one-row table. Raise NotFound."""
        form = form_of(request.accept)
        obj = found(self._store, request.target)
        if form == "json":
            return Answer(200, documents.object_json(obj))
        return self._table(request, form, [obj], {"resourceVersion": obj.metadata.resource_version})

    def list(self, request: Request) -> Answer:
        """Return the objects of a namespace, or of all, that the selectors choose, by name.

        With `limit`, a page of what was there when the first page was asked for. Raise
        BadRequest, or Expired when the version or the page that is asked for is gone.
        """
        form = form_of(request.accept)
        query, target = request.query, request.target
        limit = query.integer("limit") or 0
        selector = selector_of(request)
        asked = (query.text("labelSelector"), query.text("fieldSelector"))
        question = (target.info.qualified, target.namespace, asked)
        if token := query.text("continue"):
            page = self._pages.next(question, token, limit)
        else:
            self._require_version(query)
            objects = candidates(self._store, target, selector)
            if not selector.is_everything:
                objects = [obj for obj in objects if selector.matches(obj)]
            page = self._pages.first(question, objects, self._store.version, limit)
        metadata: dict[str, Any] = {"resourceVersion": str(page.version)}
        if page.token:
            metadata["continue"] = page.token
            if selector.is_everything:  # as a real API server: unknown with selectors
                metadata["remainingItemCount"] = page.remaining
        if form != "json":
            return self._table(request, form, page.objects, metadata)
        return Answer(200, documents.list_json(target.info, page.objects, metadata))

    def _require_version(self, query: Query) -> None:
        """Raise Expired when what is here is not what resourceVersion asks for."""
        match = query.text("resourceVersionMatch")
        if match not in _VERSION_MATCHES:
            raise BadRequest(f'invalid resourceVersionMatch "{match[:40]}"')
        version, current = query.version(), self._store.version
        if version is None:
            return
        if version > current:
            raise Expired(f"too large resource version: {version}, current: {current}")
        if match == "Exact" and version != current:
            raise Expired(f"too old resource version: {version} ({current})")

    def _table(
        self, request: Request, form: Form, objects: Sequence[Resource], metadata: dict[str, Any]
    ) -> Answer:
        include = include_object(request.query)
        rows = table(request.target.info, objects, "", include, self._clock.now())
        return Answer(200, documents.to_json(rows | {"apiVersion": form, "metadata": metadata}))
