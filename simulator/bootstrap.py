"""What every instance has from the start: the namespaces of a cluster with Knative."""

from __future__ import annotations

import asyncio
import contextlib

from simulator.errors import AlreadyExists
from simulator.reconciling.bus import Bus
from simulator.resources.core import Namespace, NamespaceSpec, NamespaceStatus
from simulator.resources.meta import ObjectMeta

NAMESPACES = ("default", "knative-serving", "kube-node-lease", "kube-public", "kube-system")


async def ensure_namespaces(store: Bus) -> None:
    """Create those that are missing, in one commit."""
    missing = (name for name in NAMESPACES if store.get(Namespace, "", name) is None)
    await asyncio.gather(*(_create(store, name) for name in missing))


async def _create(store: Bus, name: str) -> None:
    namespace = Namespace(
        metadata=ObjectMeta(name=name, labels={"kubernetes.io/metadata.name": name}),
        spec=NamespaceSpec(finalizers=("kubernetes",)),
        status=NamespaceStatus(phase="Active"),
    )
    with contextlib.suppress(AlreadyExists):
        await store.create(namespace)
