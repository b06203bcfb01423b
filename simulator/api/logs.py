"""A replica's log: what one run of it writes, as it is or as it grows.

Source: the API server's `pkg/registry/core/pod/strategy.go` (LogLocation) and
`pkg/apis/core/validation` (ValidatePodLogOptions); the kubelet's `pkg/kubelet/kubelet_pods.go`
(validateContainerLogStatus) and `pkg/kubelet/kuberuntime/logs`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from simulator.api.exchange import PLAIN, Request, Stream
from simulator.api.logoptions import LogOptions, container_of, options_of, wanted_of
from simulator.api.reads import found
from simulator.api.settings import ApiSettings
from simulator.clock import Clock
from simulator.errors import BadRequest
from simulator.replicalogs.reading import LogTail
from simulator.resources.core import Pod
from simulator.store.objects import Store


class Logs:
    """Reads `FOLDER/NAMESPACE/POD.log`. Its bytes go out as they are, terminal escapes too."""

    def __init__(self, store: Store, folder: Path, clock: Clock, settings: ApiSettings) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock
        self._settings = settings

    def open(self, request: Request) -> Stream:
        """Return what is wanted of a run's log, and with `follow` what is added until it ends.

        Raise NotFound, BadRequest or Invalid.
        """
        pod = found(self._store, request.target)
        if not isinstance(pod, Pod):
            raise BadRequest("only a pod has a log")
        options = options_of(request.query, pod.metadata.name, self._clock.now())
        wanted = wanted_of(pod, container_of(pod, options.container), options)
        ended = asyncio.Event()
        tail = LogTail(self._folder, *pod.key, wanted, self._settings.log_chunk_bytes)
        parts = self._parts(pod, tail, options, ended)
        return Stream(_limited(parts, options.limit_bytes), ended.set, PLAIN)

    def _parts(
        self, pod: Pod, tail: LogTail, options: LogOptions, ended: asyncio.Event
    ) -> AsyncGenerator[bytes, None]:
        # A run that is over gets no longer. A Pod without a status is about to have one.
        is_over = options.wanted.previous or (pod.status.container_statuses and not _run_of(pod))
        if options.follow and not is_over:
            return self._follow(pod, tail, ended)
        return _whole(tail)

    async def _follow(
        self, pod: Pod, tail: LogTail, ended: asyncio.Event
    ) -> AsyncGenerator[bytes, None]:
        run = _run_of(pod)
        try:
            while True:
                # Asked before the last read: what a run wrote before it ended is still sent.
                current = self._store.get(Pod, *pod.key)
                is_last = current is None or current.uid != pod.uid or ended.is_set()
                if current is not None and not is_last:
                    run = run or _run_of(current)
                    is_last = bool(run) and run != _run_of(current)
                while (read := await asyncio.to_thread(tail.read))[0]:
                    if read[1]:
                        yield read[1]
                if is_last:
                    return
                try:
                    async with asyncio.timeout(self._settings.log_poll_interval_s):
                        await ended.wait()
                except TimeoutError:
                    continue
        finally:
            tail.close()


def _run_of(pod: Pod) -> str:
    """Return the id of the run that goes on in the Pod, "" for none."""
    for status in pod.status.container_statuses:
        if status.state.running is not None:
            return status.container_id
    return ""


async def _whole(tail: LogTail) -> AsyncGenerator[bytes, None]:
    """Yield what is there now; a log that grows faster than it is read still ends."""
    try:
        left = await asyncio.to_thread(tail.size)
        while left > 0:
            count, shown = await asyncio.to_thread(tail.read, left)
            if not count:
                return
            left -= count
            if shown:
                yield shown
    finally:
        tail.close()


async def _limited(
    parts: AsyncGenerator[bytes, None], limit_bytes: int | None
) -> AsyncGenerator[bytes, None]:
    left = limit_bytes
    try:
        async for part in parts:
            if left is None:
                yield part
                continue
            yield part[:left]
            left -= len(part)
            if left <= 0:
                return
    finally:
        await parts.aclose()
