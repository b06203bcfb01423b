"""What every replica needs of the world around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.clock import Clock
from simulator.imagecache import pinned
from simulator.images import ImageMap, Program
from simulator.instance.paths import InstancePaths
from simulator.launcher.client import LauncherClient
from simulator.launcher.sockets import NetworkSockets
from simulator.resources.caching import Image
from simulator.resources.core import Pod
from simulator.resources.serving import LABEL_REVISION
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

    def program(self, pod: Pod, image: str) -> Program | None:
        """Return what runs for an image of the Pod's; a digest runs what its Image tells."""
        revision = {LABEL_REVISION: pod.metadata.labels.get(LABEL_REVISION, "")}
        known = pinned(self.store.list(Image, pod.metadata.namespace, revision))
        return self.images().resolve(image, known)
