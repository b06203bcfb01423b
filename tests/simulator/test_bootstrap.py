"""What every instance has from the start."""

from __future__ import annotations

import asyncio
from pathlib import Path

from simulator.bootstrap import NAMESPACES, ensure_objects
from simulator.clock import SystemClock
from simulator.config.current import NAMES, STOCK, config_of
from simulator.resources.core import ConfigMap, Namespace
from simulator.store.objects import Store


def test_namespaces_and_config_maps_are_made_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await Store.open(tmp_path / "store.sqlite", SystemClock())
        await ensure_objects(store)
        version = store.version
        await ensure_objects(store)
        assert store.version == version
        found = store.list(Namespace)
        assert tuple(one.metadata.name for one in found) == NAMESPACES
        assert {one.status.phase for one in found} == {"Active"}
        maps = store.list(ConfigMap, "knative-serving")
        assert tuple(one.metadata.name for one in maps) == NAMES
        assert config_of(store) == STOCK
        await store.close()

    asyncio.run(scenario())
