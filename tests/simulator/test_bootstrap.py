"""What every instance has from the start."""

from __future__ import annotations

import asyncio
from pathlib import Path

from simulator.bootstrap import NAMESPACES, ensure_namespaces
from simulator.clock import SystemClock
from simulator.resources.core import Namespace
from simulator.store.objects import Store


def test_the_namespaces_are_made_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await Store.open(tmp_path / "store.sqlite", SystemClock())
        await ensure_namespaces(store)
        version = store.version
        await ensure_namespaces(store)
        assert store.version == version
        found = store.list(Namespace)
        assert tuple(one.metadata.name for one in found) == NAMESPACES
        assert {one.status.phase for one in found} == {"Active"}
        await store.close()

    asyncio.run(scenario())
