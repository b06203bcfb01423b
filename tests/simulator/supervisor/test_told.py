"""What is told of replicas: Events of probes that fail, and of images that are not there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from simulator.resources.core import Event, Pod
from simulator.resources.podspec import ExecAction, GrpcAction, HttpGetAction, Probe
from tests.support.supervised import SERVER, Supervised, pod, script, whole

NEVER_LISTENS = "import signal; signal.pause()"
UNAVAILABLE = SERVER.replace("200 OK", "503 No")
SILENT = """
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
taken = []
while True:
    taken.append(server.accept())
"""
QUICK = {"period_seconds": 1, "failure_threshold": 1}
TODO = "connect: connection refused (a program has to listen on 127.0.0.1:$PORT)"


def told(s: Supervised, reason: str) -> list[str]:
    """Return the messages about the Pod, its port left out."""
    port = s.get().metadata.annotations.get("knary.dev/address", "").rpartition(":")[2]
    return sorted(
        one.message.replace(f":{port}", ":PORT") if port else one.message
        for one in s.store.list(Event, "default")
        if one.reason == reason
    )


CASES = [
    pytest.param(
        *(NEVER_LISTENS, {}, f"Readiness probe failed: dial tcp 127.0.0.1:PORT: {TODO}"),
        id="nobody listens",
    ),
    pytest.param(
        UNAVAILABLE,
        {"readiness_probe": Probe(http_get=HttpGetAction(), **QUICK)},
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        id="a status",
    ),
    pytest.param(
        SILENT,
        {"readiness_probe": Probe(http_get=HttpGetAction(path="/up"), **QUICK)},
        'Readiness probe failed: Get "http://127.0.0.1:PORT/up": context deadline exceeded'
        " (Client.Timeout exceeded while awaiting headers)",
        id="no answer",
    ),
    pytest.param(
        SERVER,
        {"readiness_probe": Probe(grpc=GrpcAction(), **QUICK)},
        "Readiness probe failed: error: health rpc probe failed: rpc error: code = Unavailable"
        " desc = ",
        id="no gRPC",
    ),
    pytest.param(
        SERVER,
        {
            "readiness_probe": Probe(
                exec=ExecAction(("/bin/sh", "-c", "echo broken; exit 2")), **QUICK
            )
        },
        "Readiness probe failed: broken",
        id="a command",
    ),
    pytest.param(
        UNAVAILABLE,
        {"startup_probe": Probe(http_get=HttpGetAction(), **QUICK)},
        "Startup probe failed: HTTP probe failed with statuscode: 503",
        id="at the start",
    ),
    pytest.param(
        UNAVAILABLE,
        {"liveness_probe": Probe(http_get=HttpGetAction(), initial_delay_seconds=1, **QUICK)},
        "Liveness probe failed: HTTP probe failed with statuscode: 503",
        id="later on",
    ),
]


@pytest.mark.parametrize(("program", "probes", "message"), CASES)
def test_an_event_says_what_a_probe_was_answered(
    tmp_path: Path, program: str, probes: dict[str, Any], message: str
) -> None:
    async def run() -> None:
        async with whole(tmp_path, unready_told_s=0.05) as s:
            await s.store.create(pod(command=script(program), **probes))
            await s.until(
                "it is told of",
                lambda: any(one.startswith(message) for one in told(s, "Unhealthy")),
            )
            if "readiness_probe" not in probes and probes:
                kind = "startup" if "startup_probe" in probes else "liveness"
                ended = f"Container user-container failed {kind} probe, will be restarted"
                await s.until("its end is told of", lambda: told(s, "Killing") == [ended])

    asyncio.run(run())


def test_one_that_is_ready_soon_is_not_told_of(tmp_path: Path) -> None:
    async def run() -> None:
        async with whole(tmp_path) as s:
            await s.store.create(pod())
            await s.until_ready()
            assert told(s, "Unhealthy") == []

    asyncio.run(run())


def test_an_image_that_is_not_there_is_asked_for_again_and_again(tmp_path: Path) -> None:
    seen: list[str] = []

    def look(s: Supervised) -> bool:
        waiting = s.container().state.waiting
        if waiting is not None and seen[-1:] != [waiting.reason]:
            seen.append(waiting.reason)
        return seen[-3:] == ["ErrImagePull", "ImagePullBackOff", "ErrImagePull"]

    async def run() -> None:
        settings = {"pull_backoff_s_base": 0.2, "blocked_retry_s": 0.02}
        async with whole(tmp_path, **settings) as s:
            await s.store.create(pod(image="example.com/shop"))
            await s.until("both are told in turn", lambda: look(s))
            found = s.store.get(Pod, "default", "one")
            assert found is not None

    asyncio.run(run())
