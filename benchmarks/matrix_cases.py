"""What the matrix measures: each case is a load, and what it needs of a proxy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

KIB, MIB = 1024, 1024 * 1024
PEERS = ("nginx", "haproxy", "envoy", "aiohttp")
H2C_PEERS = ("haproxy", "envoy")  # nginx speaks no h2c to a replica, aiohttp none at all


@dataclass(frozen=True)
class World:
    """What runs for a case; cases of equal worlds share the processes."""

    peers: tuple[str, ...] = PEERS
    workers: int = 1
    h2c: bool = False
    grpc: bool = False


@dataclass(frozen=True)
class Case:
    """One row of the matrix. `script` is wrk's; with `streams` it is h2load that drives.

    `idle` connections are open beside the load. `body_bytes` go up or down with each request.
    """

    name: str
    title: str
    script: str = "browser"
    arguments: tuple[str, ...] = ()
    connections: int = 32
    streams: int = 0
    idle: int = 0
    body_bytes: int = 0
    is_paced: bool = False
    world: World = World()


def _bodies() -> tuple[Case, ...]:
    sizes = (("1k", KIB, 32), ("64k", 64 * KIB, 32), ("10m", 10 * MIB, 8))
    ways = (("down", "download", "in the answer"), ("up", "upload", "in the request"))
    return tuple(
        Case(
            f"{way}-{name}",
            f"{name.upper()}iB {where}, {connections} connections",
            script,
            (str(size),),
            connections,
            body_bytes=size,
        )
        for way, script, where in ways
        for name, size, connections in sizes
    )


CASES = (
    Case("bare-32", "bare requests, 32 connections", "bare"),
    Case("browser-32", "browser-like requests, 32 connections"),
    Case("browser-1", "browser-like requests, 1 connection", connections=1),
    Case("browser-256", "browser-like requests, 256 connections", connections=256),
    *_bodies(),
    Case("new-connections", "a new connection for each request, 32 at a time", "closing"),
    Case("idle-1000", "browser-like requests, 32 connections beside 1,000 idle ones", idle=1000),
    Case("p99", "p99 latency at one rate for all: a share of nginx's own capacity", is_paced=True),
    Case(
        "two-workers",
        "browser-like requests, 64 connections, two workers: the CPU of both",
        connections=64,
        world=World(peers=("nginx", "haproxy", "envoy"), workers=2),
    ),
    Case(
        "h2c",
        "h2c on both sides, 8 connections with 16 streams each",
        connections=8,
        streams=16,
        world=World(peers=H2C_PEERS, h2c=True),
    ),
    Case(
        "grpc",
        "gRPC unary calls, 8 connections with 16 calls at once on each",
        connections=8,
        streams=16,
        world=World(peers=H2C_PEERS, h2c=True, grpc=True),
    ),
)


def chosen(patterns: str, cases: Sequence[Case] = CASES) -> list[Case]:
    """Return the cases that one of the patterns ("down-*,grpc") names, in the matrix's order.

    Raise ValueError for a pattern that names none.
    """
    wanted = [pattern for pattern in patterns.split(",") if pattern]
    for pattern in wanted:
        if not any(fnmatch(case.name, pattern) for case in cases):
            known = ", ".join(case.name for case in cases)
            raise ValueError(f"no such case: {pattern} (known: {known})")
    return [case for case in cases if any(fnmatch(case.name, each) for each in wanted)]


def worlds(cases: Sequence[Case]) -> list[World]:
    """Return the worlds that the cases need, each once."""
    return list(dict.fromkeys(case.world for case in cases))
