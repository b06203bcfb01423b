"""Peers before the very same replicas: found, started, ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.harness.gateway.contender import Backing, Contender
from benchmarks.harness.gateway.deviation import Due
from benchmarks.harness.gateway.plan import GatewayPlan
from benchmarks.harness.peers import proxies

# How each is told to split; "random" is the coin whose envelope is known.
SPLITTERS = {
    "nginx": "split_clients",
    "haproxy": "roundrobin",
    "envoy": "random",
    "aiohttp": "random",
}


def lacks(name: str, plan: GatewayPlan) -> str:
    """Return why a peer cannot take part, "" when it can."""
    if how := proxies.missing((name,)):
        return f"{name} is not installed ({how[name]}; `make bench-peers` in a checkout)"
    if plan.protocol == "h2c" and name not in proxies.H2C_IN_FRONT:
        return f"{name} speaks no h2c"
    return ""


@contextlib.contextmanager
def running(
    plan: GatewayPlan,
    subject: Contender,
    backing: Backing,
    folder: Path,
    skipped: Callable[[str], None],
) -> Iterator[Sequence[Contender]]:
    """Yield the plan's peers that can take part, ready and each with as many workers as ours."""
    names = list(backing.percents)
    with contextlib.ExitStack() as stack:
        found = []
        for name in plan.peers:
            if why := lacks(name, plan):
                skipped(why)
                continue
            proxy = stack.enter_context(
                proxies.running(
                    name,
                    folder,
                    tuple(backing.addresses[revision] for revision in names),
                    workers=plan.workers,
                    h2=plan.protocol == "h2c",
                    http1_backends=True,
                    percents=tuple(backing.percents[revision] for revision in names),
                )
            )
            found.append(
                replace(
                    subject,
                    name=name,
                    version=proxies.version(name),
                    address="127.0.0.1",
                    port=proxy.port,
                    pids=proxy.pids,
                    due=Due(subject.due.shares, SPLITTERS[name], plan.workers),
                    replicas=None,
                )
            )
        yield found
