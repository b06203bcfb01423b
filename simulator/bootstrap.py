"""What every instance has from the start: namespaces and ConfigMaps of a cluster with Knative."""

from __future__ import annotations

import asyncio
import contextlib

from simulator.config.current import NAMES as CONFIG_MAPS
from simulator.config.current import NAMESPACE as CONFIG_NAMESPACE
from simulator.errors import AlreadyExists
from simulator.reconciling.bus import Bus
from simulator.resources.core import ConfigMap, Namespace, NamespaceSpec, NamespaceStatus
from simulator.resources.meta import ObjectMeta, Resource

MANAGER = "knary"  # of what an instance has from the start

NAMESPACES = ("default", "knative-serving", "kube-node-lease", "kube-public", "kube-system")


async def ensure_objects(store: Bus) -> None:
    """Create those that are missing: what has its stock value is stored as nothing."""
    namespaces = [_namespace(name) for name in NAMESPACES if not store.get(Namespace, "", name)]
    await asyncio.gather(*(_create(store, one) for one in namespaces))
    maps = [
        ConfigMap(metadata=ObjectMeta(name=name, namespace=CONFIG_NAMESPACE))
        for name in CONFIG_MAPS
        if not store.get(ConfigMap, CONFIG_NAMESPACE, name)
    ]
    await asyncio.gather(*(_create(store, one) for one in maps))


def _namespace(name: str) -> Namespace:
    return Namespace(
        metadata=ObjectMeta(name=name, labels={"kubernetes.io/metadata.name": name}),
        spec=NamespaceSpec(finalizers=("kubernetes",)),
        status=NamespaceStatus(phase="Active"),
    )


async def _create(store: Bus, obj: Resource) -> None:
    with contextlib.suppress(AlreadyExists):
        await store.create(obj, MANAGER)
