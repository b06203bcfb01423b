"""A world for scenarios whose every answer is scripted; its gateway is a real local server."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from simulator.access.resource import Document, Named, ResourceInfo
from simulator.scenario.world import Finished


def service(name: str, traffic: dict[str, int] | None = None, **condition: str) -> Document:
    """Return a Service as the API shows it: Ready, with a URL, unless `condition` says else."""
    ready = {"type": "Ready", "status": "True", **condition}
    targets = [{"revisionName": each, "percent": share} for each, share in (traffic or {}).items()]
    return {
        "metadata": {"name": name, "namespace": "default", "generation": 1},
        "status": {
            "observedGeneration": 1,
            "url": f"http://{name}.default.example.com",
            "conditions": [ready],
            "traffic": targets,
        },
    }


class ScriptedWorld:
    """Objects by name, commands by their second word; everything it was asked is in `commands`."""

    def __init__(
        self,
        port: int,
        objects: dict[str, Document],
        commands: dict[str, Callable[[dict[str, Document]], Finished]] | None = None,
        workers: int = 1,
    ) -> None:
        self.gateway = ("127.0.0.1", port)
        self.workers = workers
        self.objects = objects
        self.commands: list[tuple[tuple[str, ...], bytes]] = []
        self._script: dict[str, Any] = commands or {}
        self.splitter = "stratified"
        self.is_cluster = False
        self.events: list[Document] = []

    async def knary(self, words: Sequence[str], stdin: bytes = b"") -> Finished:
        self.commands.append((tuple(words), stdin))
        return self._script[words[0]](self.objects)

    async def find(self, kind: ResourceInfo, named: Named) -> Document | None:
        del kind  # names are enough here
        return copy.deepcopy(self.objects.get(named.name))

    async def list(self, kind: ResourceInfo, namespace: str, query: Any) -> list[Document]:
        del kind, namespace, query  # Events are all that is asked for
        return copy.deepcopy(self.events)

    async def wait_until(
        self,
        kind: ResourceInfo,
        named: Named,
        holds: Callable[[Document], bool],
        timeout_s: float,
    ) -> Document | None:
        del holds, timeout_s  # nothing changes by itself
        return await self.find(kind, named)
