"""A deleted Namespace stays, Terminating, until all it contains is gone.

Source: Kubernetes `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.reconciling.plan import NOTHING, Action, Delete, Plan, Update, UpdateStatus
from simulator.reconciling.reader import Reader
from simulator.resources.core import CONTENTS_FINALIZER, Namespace
from simulator.resources.meta import Key, Resource
from simulator.resources.scheme import KINDS

CONTENTS: tuple[type[Resource], ...] = tuple(info.type for info in KINDS if info.namespaced)

TERMINATING, PHASE_ACTIVE = "Terminating", "Active"


class Observed(Struct, frozen=True):
    """A Namespace, and all that it contains if it must go."""

    namespace: Namespace
    contents: tuple[Resource, ...] = ()


class NamespaceController:
    """Empties namespaces that are deleted."""

    name = "namespace"
    kind: type[Resource] = Namespace
    watches = CONTENTS

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if isinstance(changed, Namespace):
            return (changed.key,)
        namespace = reader.get(Namespace, "", changed.metadata.namespace)
        if namespace is None or not namespace.is_deleting:
            return ()
        return (namespace.key,)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        namespace = reader.get(Namespace, *key)
        if namespace is None:
            return None
        if not namespace.is_deleting:
            return Observed(namespace)
        contents: list[Resource] = []
        for kind in CONTENTS:
            contents += reader.list(kind, key.name)
        return Observed(namespace, tuple(contents))

    def plan(self, observed: Observed, now: datetime) -> Plan:  # noqa: ARG002
        namespace = observed.namespace
        if not namespace.is_deleting:
            return _as_usual(namespace)
        actions: list[Action] = []
        if namespace.status.phase != TERMINATING:
            actions.append(_in_phase(namespace, TERMINATING))
        if observed.contents:
            actions += [Delete(one) for one in observed.contents if not one.is_deleting]
            return Plan(tuple(actions))
        if actions:
            return Plan(tuple(actions), requeue_after_s=0.0)
        kept = tuple(one for one in namespace.metadata.finalizers if one != CONTENTS_FINALIZER)
        if kept == namespace.metadata.finalizers:
            return NOTHING
        return Plan((Update(namespace.with_metadata(finalizers=kept)),))


def _as_usual(namespace: Namespace) -> Plan:
    """Give it the finalizer that holds it back when it is deleted, and its phase."""
    if CONTENTS_FINALIZER not in namespace.metadata.finalizers:
        finalizers = (*namespace.metadata.finalizers, CONTENTS_FINALIZER)
        return Plan((Update(namespace.with_metadata(finalizers=finalizers)),))
    if namespace.status.phase != PHASE_ACTIVE:
        return Plan((_in_phase(namespace, PHASE_ACTIVE),))
    return NOTHING


def _in_phase(namespace: Namespace, phase: str) -> Action:
    status = msgspec.structs.replace(namespace.status, phase=phase)
    return UpdateStatus(msgspec.structs.replace(namespace, status=status))
