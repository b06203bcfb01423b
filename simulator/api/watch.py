"""Watch: a stream of events, one JSON object per line.

Source: apiserver `endpoints/handlers/watch.go`, `storage/cacher` (initial events, bookmarks);
KEP-3157 (sendInitialEvents).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Hashable, Sequence
from typing import Any

from msgspec import Struct

from simulator.api import documents
from simulator.api.exchange import Request, Stream
from simulator.api.lines import Lines
from simulator.api.listoptions import require_sound_watch
from simulator.api.negotiation import Form, form_of_object
from simulator.api.reads import candidates, include_object, selector_of
from simulator.api.settings import ApiSettings
from simulator.api.tables import table
from simulator.clock import Clock
from simulator.errors import ApiError
from simulator.resources.meta import Resource
from simulator.resources.scheme import KindInfo
from simulator.store.objects import Store, Watch, WatchEvent
from simulator.store.selectors import EVERYTHING, Selector

_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


class Selection(Struct, frozen=True):
    """Which objects a watch is about. `name` "" is any."""

    namespace: str
    name: str
    selector: Selector

    def holds(self, obj: Resource) -> bool:
        meta = obj.metadata
        if self.namespace and meta.namespace != self.namespace:
            return False
        if self.name and meta.name != self.name:
            return False
        return self.selector is EVERYTHING or self.selector.matches(obj)

    def shown(self, event: WatchEvent) -> tuple[str, Resource] | None:
        """Return the event as one who sees only the selection sees it, or None.

        An object that leaves the selection looks deleted, one that enters it added.
        """
        holds = self.holds(event.object)
        if event.before is None:
            return (event.type, event.object) if holds else None
        held = self.holds(event.before)
        if event.type == "DELETED":
            return ("DELETED", event.object) if holds or held else None
        if holds:
            return ("MODIFIED" if held else "ADDED"), event.object
        left = event.object.with_metadata(labels=event.before.metadata.labels)
        return ("DELETED", left) if held else None


class Frames:
    """Writes a watch's lines in the form that its client accepts."""

    def __init__(
        self, info: KindInfo, form: Form, include: str, clock: Clock, lines: Lines
    ) -> None:
        self._info = info
        self._form = form
        self._include = include
        self._clock = clock
        self._lines = lines
        self._has_columns = False

    def events(self, events: Sequence[WatchEvent], selection: Selection) -> bytes:
        """Return the lines of what the selection shows of these events."""
        lines = [
            self._shared(event, *shown)
            if shown[1] is event.object
            else self.event(*shown)  # an object that leaves looks different to each selection
            for event in events
            if (shown := selection.shown(event)) is not None
        ]
        return lines[0] if len(lines) == 1 else b"".join(lines)

    def event(self, type_: str, obj: Resource) -> bytes:
        match self._form.name:
            case "json":
                return _line(type_, documents.object_json(obj))
            case "Table":
                return self._table_line(type_, [obj], obj.metadata.resource_version)
            case _:
                partial = documents.partial(obj, self._form.api_version)
                return _line(type_, documents.to_json(partial))

    def bookmark(self, version: int, annotations: dict[str, str] | None = None) -> bytes:
        """Return the line that says that all up to `version` was sent."""
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if annotations:
            metadata["annotations"] = annotations
        elif self._form.name == "Table":
            return self._table_line("BOOKMARK", [], str(version))
        shell = {"kind": self._info.kind, "apiVersion": self._info.api_version}
        if self._form.name == "PartialObjectMetadata":
            shell = {"kind": self._form.name, "apiVersion": self._form.api_version}
        return _line("BOOKMARK", documents.to_json(shell | {"metadata": metadata}))

    def error(self, error: ApiError) -> bytes:
        return _line("ERROR", documents.status_json(error))

    def _shared(self, event: WatchEvent, type_: str, obj: Resource) -> bytes:
        # A version is one write's: with the form it names a line, but for a row's ages.
        key: tuple[Hashable, ...] = (event.version, type_, self._form)
        if self._form.name == "Table":
            second = int(self._clock.now().timestamp())
            key = (*key, self._include, self._has_columns, second)
            self._has_columns = True
        return self._lines.line(key, lambda: self.event(type_, obj))

    def _table_line(self, type_: str, objects: Sequence[Resource], version: str) -> bytes:
        rows = table(self._info, objects, version, self._include, self._clock.now())
        rows["apiVersion"] = self._form.api_version
        # A client keeps the columns of the first frame.
        if self._has_columns:
            rows["columnDefinitions"] = None
        self._has_columns = True
        return _line(type_, documents.to_json(rows))


class Alarm:
    """Wakes a watch once in every interval, and when its time is up; `now` is the loop's time."""

    def __init__(self, watch: Watch, interval_s: float, until: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._watch = watch
        self._interval_s = interval_s
        self._until = until
        self._timer = self._next()

    @property
    def is_over(self) -> bool:
        return self._loop.time() >= self._until

    def cancel(self) -> None:
        self._timer.cancel()

    def _next(self) -> asyncio.TimerHandle:
        due = min(self._loop.time() + self._interval_s, self._until)
        return self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._watch.wake()
        if not self.is_over:
            self._timer = self._next()


class Plan(Struct, frozen=True):
    """What a watch begins with, and until when and how it goes on. Times in seconds."""

    initial: tuple[Resource, ...]
    version: int  # of the initial state
    marks_initial_end: bool
    has_bookmarks: bool
    timeout_s: float


class Watches:
    """Opens watches of the store's events."""

    def __init__(self, store: Store, clock: Clock, settings: ApiSettings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._lines = Lines(settings.shared_lines_bytes_max)

    def open(self, request: Request) -> Stream:
        """Return the stream of a watch. Raise BadRequest or Invalid before it begins.

        resourceVersion N: what happened after N. None or 0: the state as ADDED events, then what
        happens. An expired N is one ERROR frame, not an HTTP error.
        """
        query, target = request.query, request.target
        form = form_of_object(request.accept, target.info.kind)
        require_sound_watch(query)
        selection = Selection(target.namespace, target.name, selector_of(request))
        frames = Frames(target.info, form, include_object(query), self._clock, self._lines)
        since = query.version()
        # Unasked, the state comes first where a client names no version to go on from.
        sends_initial = query.boolean("sendInitialEvents")
        if "sendInitialEvents" not in query.values:
            sends_initial = not since
        timeout_s = float(max(0, query.integer("timeoutSeconds") or 0))
        # Read and follow without an await in between: no event is lost or seen twice.
        initial: tuple[Resource, ...] = ()
        version = self._store.version
        too_new = since is not None and since > version
        if sends_initial and not too_new:
            listed = candidates(self._store, target, selection.selector)
            initial = tuple(obj for obj in listed if selection.holds(obj))
        begins = since if since and (too_new or not sends_initial) else version
        watch = self._store.watch([target.info.type], since=begins)
        plan = Plan(
            initial=initial,
            version=version,
            marks_initial_end=sends_initial
            and query.boolean("sendInitialEvents")
            and query.boolean("allowWatchBookmarks"),
            has_bookmarks=query.boolean("allowWatchBookmarks"),
            timeout_s=min(
                timeout_s or self._settings.watch_timeout_s_max, self._settings.watch_timeout_s_max
            ),
        )
        return Stream(self._parts(watch, plan, selection, frames), watch.close)

    async def _parts(
        self, watch: Watch, plan: Plan, selection: Selection, frames: Frames
    ) -> AsyncGenerator[bytes, None]:
        interval_s = self._settings.bookmark_interval_s if plan.has_bookmarks else plan.timeout_s
        until = asyncio.get_running_loop().time() + plan.timeout_s
        batch = self._settings.watch_batch_events_max
        alarm = Alarm(watch, interval_s, until)
        try:
            for start in range(0, len(plan.initial), batch):
                chunk = plan.initial[start : start + batch]
                yield b"".join(frames.event("ADDED", obj) for obj in chunk)
            if plan.marks_initial_end:
                yield frames.bookmark(plan.version, _INITIAL_EVENTS_END)
            while not alarm.is_over:
                if events := await watch.next_events(batch):
                    if lines := frames.events(events, selection):
                        yield lines
                elif watch.is_closed:
                    return
                elif plan.has_bookmarks and watch.is_drained and not alarm.is_over:
                    yield frames.bookmark(self._store.version)
        except ApiError as error:
            yield frames.error(error)
        finally:
            alarm.cancel()
            watch.close()


def _line(type_: str, obj: bytes) -> bytes:
    return b'{"type":"' + type_.encode() + b'","object":' + obj + b"}\n"
