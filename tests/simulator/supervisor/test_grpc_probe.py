"""A gRPC probe, asked of real processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from simulator.resources.podspec import GrpcAction, Probe
from tests.support.supervised import pod, whole


def asking(service: str) -> Probe:
    return Probe(period_seconds=1, failure_threshold=1, grpc=GrpcAction(service=service))


def test_a_grpc_probe_asks_for_the_health_of_a_service(tmp_path: Path) -> None:
    pytest.importorskip("grpc", reason="knary's extra `grpc` is not installed")
    image = "example.com/helloworld-grpc"
    greeter = asking("helloworld.Greeter")

    async def main() -> None:
        async with whole(tmp_path) as s:
            await s.store.create(pod("good", image=image, readiness_probe=greeter))
            await s.store.create(pod("other", image=image, readiness_probe=asking("no.Such")))
            await s.store.create(pod("http", readiness_probe=greeter))
            await s.until_ready("good")
            for name in ("other", "http"):
                await s.until(f"{name} runs", lambda name=name: s.container(name).state.running)
                assert not s.is_ready(name)

    asyncio.run(main())
