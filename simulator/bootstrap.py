"""What every instance has from the start: namespaces and ConfigMaps of a cluster with Knative."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from simulator.config.current import NAMES as CONFIG_MAPS
from simulator.config.current import NAMESPACE as CONFIG_NAMESPACE
from simulator.config.keys import example, required
from simulator.config.parsing import ANNOTATION_EXAMPLE_CHECKSUM, EXAMPLE, example_checksum
from simulator.errors import AlreadyExists
from simulator.reconciling.bus import Bus
from simulator.resources.core import ConfigMap, Namespace, NamespaceSpec, NamespaceStatus
from simulator.resources.meta import ObjectMeta, Resource

MANAGER = "knary"  # of what an instance has from the start

NAMESPACES = ("default", "knative-serving", "kube-node-lease", "kube-public", "kube-system")


async def ensure_objects(store: Bus) -> None:
    """Create those that are missing, and the settings without which a map would be refused."""
    namespaces = [_namespace(name) for name in NAMESPACES if not store.get(Namespace, "", name)]
    await asyncio.gather(*(_create(store, one) for one in namespaces))
    known = {name: store.get(ConfigMap, CONFIG_NAMESPACE, name) for name in CONFIG_MAPS}
    new = [_config_map(name) for name, found in known.items() if found is None]
    await asyncio.gather(*(_create(store, one) for one in new))
    for found in known.values():
        if found is not None and (lacking := required(found.metadata.name)).keys() - found.data:
            await store.update(msgspec.structs.replace(found, data=lacking | found.data))


def _config_map(name: str) -> ConfigMap:
    """Return a map as Knative installs it: what has its stock value is documented only."""
    text = example(name)
    return ConfigMap(
        metadata=ObjectMeta(
            name=name,
            namespace=CONFIG_NAMESPACE,
            labels={"app.kubernetes.io/name": CONFIG_NAMESPACE},
            annotations={ANNOTATION_EXAMPLE_CHECKSUM: example_checksum(text)},
        ),
        data={EXAMPLE: text, **required(name)},
    )


def _namespace(name: str) -> Namespace:
    return Namespace(
        metadata=ObjectMeta(name=name, labels={"kubernetes.io/metadata.name": name}),
        spec=NamespaceSpec(finalizers=("kubernetes",)),
        status=NamespaceStatus(phase="Active"),
    )


async def _create(store: Bus, obj: Resource) -> None:
    with contextlib.suppress(AlreadyExists):
        await store.create(obj, MANAGER)
