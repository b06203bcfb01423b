"""What a controller may ask for. A plan is a value: the loop carries it out, in order."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol, TypeVar

from msgspec import Struct

from simulator.reconciling.reader import Reader
from simulator.resources.meta import Key, Resource


class Create(Struct, frozen=True):
    """Store a new object; that it exists already is a reason to look again, not an error."""

    object: Resource


class Update(Struct, frozen=True):
    """Replace metadata and spec; the object carries the resourceVersion it was read at."""

    object: Resource


class UpdateStatus(Struct, frozen=True):
    """Replace the status; the object carries the resourceVersion it was read at."""

    object: Resource


class Delete(Struct, frozen=True):
    """Delete this very object (by uid); gone already is fine.

    No `propagation`: as an earlier delete said, else its dependents follow in the background.
    """

    object: Resource
    propagation: Literal["Background", "Foreground", "Orphan"] | None = None


class Record(Struct, frozen=True):
    """Record a Kubernetes Event about an object; equal ones are counted, not repeated.

    `component` says it, the controller itself when "". `field_path` is a part of the object.
    """

    about: Resource
    type: str  # Normal or Warning
    reason: str
    message: str
    component: str = ""
    field_path: str = ""


Action = Create | Update | UpdateStatus | Delete | Record


class Plan(Struct, frozen=True):
    """Actions in order, and when to look again although nothing changed."""

    actions: tuple[Action, ...] = ()
    requeue_after_s: float | None = None


NOTHING = Plan()

Observed = TypeVar("Observed")


class Controller(Protocol[Observed]):
    """One kind's reconciler: it observes, and plans. It never writes."""

    name: str
    kind: type[Resource]
    watches: tuple[type[Resource], ...]

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        """Return the keys of `kind` that a change of this object may concern."""

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        """Return all that `plan` needs to know, or None when there is nothing to reconcile."""

    def plan(self, observed: Observed, now: datetime) -> Plan:
        """Return what should be done about it. Pure."""
