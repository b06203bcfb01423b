"""Lists in pages: what was listed stays as it was until the last page is fetched."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from simulator.clock import Clock
from simulator.errors import BadRequest, Expired
from simulator.resources.meta import Resource

_ID_BYTES = 16


class Page(NamedTuple):
    """Some of a list's objects; `token` fetches the next page, "" when this is the last."""

    objects: Sequence[Resource]
    version: int
    token: str
    remaining: int


class _Snapshot(NamedTuple):
    question: object
    objects: Sequence[Resource]
    version: int
    until_s: float


class Pages:
    """Bounded snapshots of lists under way. Objects are immutable, so a snapshot is a tuple.

    A token is a random name and an offset: it cannot be guessed, and opens only the list that it
    was given for.
    """

    def __init__(self, clock: Clock, snapshots_max: int, snapshot_s_max: float) -> None:
        self._clock = clock
        self._snapshots_max = snapshots_max
        self._snapshot_s_max = snapshot_s_max
        self._snapshots: OrderedDict[str, _Snapshot] = OrderedDict()

    def first(
        self, question: object, objects: Sequence[Resource], version: int, limit: int
    ) -> Page:
        """Return the first `limit` objects (0: all) of what `question` asks."""
        if limit <= 0 or len(objects) <= limit:
            return Page(objects, version, "", 0)
        self._drop_old()
        if len(self._snapshots) >= self._snapshots_max:
            self._snapshots.popitem(last=False)
        name = secrets.token_urlsafe(_ID_BYTES)
        until_s = self._clock.monotonic() + self._snapshot_s_max
        self._snapshots[name] = _Snapshot(question, objects, version, until_s)
        return self._page(name, 0, limit)

    def next(self, question: object, token: str, limit: int) -> Page:
        """Return the page that the token names. Raise BadRequest, or Expired to list anew."""
        name, _, offset = token.partition(".")
        if not name or not (offset.isascii() and offset.isdigit()) or len(offset) > 9:
            raise BadRequest("continue key is not valid: it is none that this server gave")
        self._drop_old()
        snapshot = self._snapshots.get(name)
        if snapshot is None:
            raise Expired(
                "The provided continue parameter is too old to display a consistent list result."
                " You must start a new list without the continue parameter."
            )
        if snapshot.question != question:
            raise BadRequest("continue key is not valid: it was given for another list")
        return self._page(name, int(offset), limit)

    def _page(self, name: str, offset: int, limit: int) -> Page:
        snapshot = self._snapshots[name]
        end = min(offset + limit, len(snapshot.objects)) if limit > 0 else len(snapshot.objects)
        remaining = len(snapshot.objects) - end
        token = f"{name}.{end}" if remaining else ""
        return Page(snapshot.objects[offset:end], snapshot.version, token, remaining)

    def _drop_old(self) -> None:
        now_s = self._clock.monotonic()
        while self._snapshots and next(iter(self._snapshots.values())).until_s <= now_s:
            self._snapshots.popitem(last=False)
