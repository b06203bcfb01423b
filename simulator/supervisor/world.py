"""What every replica needs of the world around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.clock import Clock
from simulator.images import ImageMap, Program, known_digests
from simulator.instance.paths import InstancePaths
from simulator.launcher.client import LauncherClient
from simulator.launcher.sockets import NetworkSockets
from simulator.resources.serving import Revision, serving_container
from simulator.store.objects import Store
from simulator.supervisor.ports import Ports
from simulator.supervisor.settings import SupervisorSettings


@dataclass(frozen=True)
class World:
    """One per supervisor."""

    store: Store
    launcher: LauncherClient
    images: Callable[[], ImageMap]
    clock: Clock
    paths: InstancePaths
    settings: SupervisorSettings
    ports: Ports
    sockets: NetworkSockets  # made in the replicas' own networks

    def program(self, image: str) -> Program | None:
        """Return what runs for an image; one pinned by digest runs what its tag ran."""
        digests: dict[str, str] = {}
        if "@" in image:
            revisions = sorted(
                self.store.list(Revision), key=lambda one: one.metadata.creation_timestamp or ""
            )
            digests = known_digests(
                (serving_container(revision.spec).image, container.image_digest)
                for revision in revisions
                for container in revision.status.container_statuses
                if container.name == serving_container(revision.spec).name
            )
        return self.images().resolve(image, digests)
