"""What a scenario can reach: the `knary` command, the Kubernetes API, and the gateway's address."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from simulator.access.elsewhere import Elsewhere
from simulator.access.errors import ApiRefused, NotRunning
from simulator.access.resource import Document, Named, ResourceInfo, resource_path
from simulator.client import ApiClient
from simulator.errors import KnaryError
from simulator.instance import description
from simulator.instance.environment import child_environment
from simulator.instance.paths import InstancePaths


class Finished(Struct, frozen=True):
    """How a command ended. `output` is what it wrote on both streams, in order."""

    status: int
    output: str


@dataclass(frozen=True)
class WorldSettings:
    """The bounds of what a scenario asks of the world."""

    command_s_max: float = 120.0
    output_bytes_max: int = 1024 * 1024
    stop_s_max: float = 5.0
    watch_slice_s: float = 0.25  # how soon a cancelled wait lets go


class World(Protocol):
    """Everything a runner does to the system under test."""

    @property
    def gateway(self) -> tuple[str, int]:
        """Return the host and port at which the gateway answers."""

    @property
    def workers(self) -> int:
        """Return how many gateway workers split on their own."""

    @property
    def is_cluster(self) -> bool:
        """Tell whether this is a Knative cluster, of which only API and gateway are known."""

    @property
    def splitter(self) -> str:
        """Return how requests are split where a service does not say; "" when nobody knows."""

    async def knary(self, words: Sequence[str], stdin: bytes = b"") -> Finished:
        """Run `knary WORDS…` and return how it ended. Raise KnaryError when it never does."""

    async def find(self, kind: ResourceInfo, named: Named) -> Document | None:
        """Return an object, None when there is none. Raise KnaryError."""

    async def list(
        self, kind: ResourceInfo, namespace: str, query: Mapping[str, str]
    ) -> list[Document]:
        """Return the objects that the selectors of the query choose. Raise KnaryError."""

    async def wait_until(
        self,
        kind: ResourceInfo,
        named: Named,
        holds: Callable[[Document], bool],
        timeout_s: float,
    ) -> Document | None:
        """Return the object once it is as wanted, else as it was last seen in time, None if never.

        Raise KnaryError.
        """


class RealWorld:
    """A knary or a cluster: its API by a client, its gateway by a URL, commands by processes."""

    is_cluster = False

    def __init__(
        self,
        client: ApiClient,
        gateway: str,
        environment: Mapping[str, str],
        settings: WorldSettings = WorldSettings(),
        *,
        workers: int = 1,
        splitter: str = "",
    ) -> None:
        """`environment` is that of the commands; `gateway` is a base URL."""
        self._settings = settings
        self._client = client
        self._environment = {**child_environment(environment), "NO_COLOR": "1"}
        where = urlsplit(gateway)
        self._gateway = (where.hostname or "127.0.0.1", where.port or 80)
        self._workers = workers
        self._splitter = splitter

    @property
    def gateway(self) -> tuple[str, int]:
        return self._gateway

    @property
    def workers(self) -> int:
        return self._workers

    @property
    def splitter(self) -> str:
        return self._splitter

    def close(self) -> None:
        self._client.close()

    async def knary(self, words: Sequence[str], stdin: bytes = b"") -> Finished:
        settings = self._settings
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "knary",
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment,
        )
        try:
            async with asyncio.timeout(settings.command_s_max):
                output, _ = await process.communicate(stdin)
        except TimeoutError:
            line = " ".join(["knary", *words])
            seconds = settings.command_s_max
            raise KnaryError(f"`{line}` did not end within {seconds:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        text = output[: settings.output_bytes_max].decode("utf-8", "replace")
        return Finished(status=process.returncode or 0, output=text)

    async def find(self, kind: ResourceInfo, named: Named) -> Document | None:
        return await asyncio.to_thread(self._get, kind, named)

    async def list(
        self, kind: ResourceInfo, namespace: str, query: Mapping[str, str]
    ) -> list[Document]:
        listed = await asyncio.to_thread(self._client.list, kind, namespace, query)
        items: list[Document] = listed["items"]
        return items

    async def wait_until(
        self,
        kind: ResourceInfo,
        named: Named,
        holds: Callable[[Document], bool],
        timeout_s: float,
    ) -> Document | None:
        stop = threading.Event()
        deadline = time.monotonic() + timeout_s
        try:
            return await asyncio.to_thread(self._watch, kind, named, holds, deadline, stop)
        finally:
            stop.set()

    # In a thread of their own: the client is synchronous. One call at a time.

    def _get(self, kind: ResourceInfo, named: Named) -> Document | None:
        try:
            return self._client.get(kind, named.namespace, named.name)
        except ApiRefused as error:
            if error.code == 404:
                return None
            raise

    def _watch(
        self,
        kind: ResourceInfo,
        named: Named,
        holds: Callable[[Document], bool],
        deadline: float,
        stop: threading.Event,
    ) -> Document | None:
        """Watch from the present state on; an object that is not there yet may still come."""
        path = resource_path(kind, named.namespace)
        query = {"fieldSelector": f"metadata.name={named.name}"}
        listed = self._client.list(kind, named.namespace, query)
        items: list[Document] = listed["items"]
        seen: Document | None = items[0] if items else None
        if seen is not None and holds(seen):
            return seen
        query["resourceVersion"] = listed["metadata"]["resourceVersion"]
        left_s = max(0.0, deadline - time.monotonic())
        with self._client.watch(path, query, left_s + 5) as watch:
            while not stop.is_set() and (left_s := deadline - time.monotonic()) > 0:
                try:
                    event = watch.next_event(min(left_s, self._settings.watch_slice_s))
                except TimeoutError:
                    continue
                if event is None:
                    raise KnaryError("the API closed the watch; is knary still running?")
                found: Document = event["object"]
                seen = found if event["type"] != "DELETED" else None
                if seen is not None and holds(found):
                    return found
        return seen


class InstanceWorld(RealWorld):
    """A knary that runs on this machine, by its data folder."""

    def __init__(
        self,
        data: Path,
        environment: Mapping[str, str],
        settings: WorldSettings = WorldSettings(),
    ) -> None:
        """Raise NotRunning when no knary runs in `data`."""
        paths = InstancePaths(data)
        found = description.read(paths.description)
        if found is None:
            raise NotRunning.at(data, "nothing runs there")
        super().__init__(
            ApiClient.from_kubeconfig(paths.kubeconfig),
            found.gateway,
            {**environment, "KNARY_DATA": str(data)},
            settings,
            workers=found.workers,
            splitter=found.splitter,
        )


class ClusterWorld(RealWorld):
    """A Knative cluster, by a context of a kubeconfig and the URL of its gateway."""

    is_cluster = True

    def __init__(
        self,
        place: Elsewhere,
        environment: Mapping[str, str],
        settings: WorldSettings = WorldSettings(),
    ) -> None:
        """Raise KnaryError when the kubeconfig cannot be used."""
        client = ApiClient.from_kubeconfig(place.kubeconfig, context=place.context)
        super().__init__(client, place.gateway, {**environment, **place.environment()}, settings)


def own_environment() -> dict[str, str]:
    """Return this process's environment, for the commands that a scenario runs."""
    return dict(os.environ)


def host_of(service: Mapping[str, Any], tag: str = "") -> str:
    """Return the host of a Service's URL, or of a tag's; "" while it has none."""
    status = service.get("status", {})
    if not tag:
        return urlsplit(str(status.get("url", ""))).hostname or ""
    for target in status.get("traffic") or ():
        if target.get("tag") == tag:
            return urlsplit(str(target.get("url", ""))).hostname or ""
    return ""
