"""Kubernetes Events are kept for an hour after they were last seen (kube-apiserver --event-ttl)."""

from __future__ import annotations

from datetime import UTC, datetime

from simulator.controllers.settings import STOCK, ControllerSettings
from simulator.reconciling.plan import Delete, Plan
from simulator.reconciling.reader import Reader
from simulator.resources.core import Event
from simulator.resources.meta import Key, Resource, parse_timestamp


class EventController:
    """Deletes each Event when its time is over."""

    name = "event"
    kind: type[Resource] = Event
    watches: tuple[type[Resource], ...] = ()

    def __init__(self, settings: ControllerSettings = STOCK) -> None:
        self._kept_s = settings.events_kept_s

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        return (changed.key,)

    def observe(self, reader: Reader, key: Key) -> Event | None:
        return reader.get(Event, *key)

    def plan(self, observed: Event, now: datetime) -> Plan:
        age_s = (now - _last_seen(observed)).total_seconds()
        if age_s >= self._kept_s:
            return Plan((Delete(observed),))
        return Plan(requeue_after_s=self._kept_s - age_s)


def _last_seen(event: Event) -> datetime:
    for moment in (event.last_timestamp, event.event_time, event.metadata.creation_timestamp):
        try:
            parsed = parse_timestamp(moment or "")
        except ValueError:  # a client may write any text
            continue
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    raise ValueError(f"event {event.key}: no time at all")
