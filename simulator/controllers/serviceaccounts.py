"""Every namespace has a ServiceAccount named `default`.

Source: kubernetes `pkg/controller/serviceaccount/serviceaccounts_controller.go`.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from simulator.reconciling.plan import NOTHING, Create, Plan
from simulator.reconciling.reader import Reader
from simulator.resources.core import Namespace, ServiceAccount
from simulator.resources.meta import Key, ObjectMeta, Resource

DEFAULT = "default"


class Observed(Struct, frozen=True):
    """A Namespace, and whether its ServiceAccount is there."""

    namespace: Namespace
    has_account: bool


class ServiceAccountController:
    """Makes the `default` ServiceAccount of each namespace, and makes it again when it is gone."""

    name = "serviceaccount"
    kind: type[Resource] = Namespace
    watches: tuple[type[Resource], ...] = (ServiceAccount,)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        if isinstance(changed, Namespace):
            return (changed.key,)
        if changed.metadata.name != DEFAULT:
            return ()
        return (Key("", changed.metadata.namespace),)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        namespace = reader.get(Namespace, *key)
        if namespace is None or namespace.is_deleting:
            return None
        account = reader.get(ServiceAccount, key.name, DEFAULT)
        return Observed(namespace, account is not None)

    def plan(self, observed: Observed, now: datetime) -> Plan:  # noqa: ARG002
        if observed.has_account:
            return NOTHING
        meta = ObjectMeta(name=DEFAULT, namespace=observed.namespace.metadata.name)
        return Plan((Create(ServiceAccount(metadata=meta)),))
