"""What is measured: an instance of our own, a service of one that runs, or whoever has a URL."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from benchmarks.harness import loopback
from benchmarks.harness.errors import BenchmarkError
from benchmarks.harness.gateway.contender import Backing, Contender
from benchmarks.harness.gateway.deviation import Due
from benchmarks.harness.gateway.plan import GatewayPlan
from simulator.cli.instance import Instance, host_and_port
from simulator.cli.kinds import SERVICE
from simulator.cli.urls import Gateway, reach_of
from simulator.errors import KnaryError
from simulator.instance.environment import child_environment
from simulator.resources.percents import POINT, parse_percents
from simulator.resources.serving import ANNOTATION_SPLITTER, ANNOTATION_TRAFFIC_PERCENT
from simulator.scenario.stage import Stage

IMAGE = "registry.cn-hangzhou.aliyuncs.com/knative-sample/helloworld-go:73fbdd56"
NAME, SERVICE_NAME = "knary", "bench"
ASK_S_MAX = 10.0


class Found(NamedTuple):
    """What is measured, and what peers can stand before: nothing behind a URL."""

    contender: Contender
    backing: Backing | None = None


@contextlib.asynccontextmanager
async def own_instance(plan: GatewayPlan, environment: Mapping[str, str]) -> AsyncIterator[Found]:
    """Yield an instance with one revision per percent of the plan; end it, and its folder."""
    flags = ["--workers", str(plan.workers)]
    if plan.peers:  # which cannot connect into the replicas' own networks
        flags += ["--network", "host"]
    stage = Stage(None, environment, flags=flags)
    try:
        await stage.start()
        call = [sys.executable, "-P", "-m", "knary", "service"]
        home = {**child_environment(environment), "KNARY_DATA": str(stage.data)}
        names = [f"{SERVICE_NAME}-{number:05d}" for number, _ in enumerate(plan.percents, 1)]
        create = ("create", SERVICE_NAME, "--image", IMAGE, "--port", "8080")
        await _run([*call, *create, "--env", f"TARGET={names[0]}"], home)
        update = [*call, "update", SERVICE_NAME]
        for name in names[1:]:
            await _run([*update, "--env", f"TARGET={name}"], home)
        if len(names) > 1:
            shares = zip(names, plan.percents, strict=True)
            traffic = ",".join(f"{name}={percent}" for name, percent in shares)
            await _run([*update, "--traffic", traffic], home)
        found = running_service(plan, Instance(stage.data), SERVICE_NAME, "default")
        # Nobody but us asks this instance, and nobody asked before its last split.
        due = replace(found.contender.due, from_first_turn=True)
        yield found._replace(contender=replace(found.contender, due=due))
    finally:
        await stage.stop()


def running_service(plan: GatewayPlan, instance: Instance, service: str, namespace: str) -> Found:
    """Return a service that is there already, with its replicas when there are peers to compare."""
    contender = service_of(instance, service, namespace)
    if not plan.peers:
        return Found(contender)
    backing = backing_of(instance, contender, namespace)
    return Found(replace(contender, words=words_of(backing, contender.host)), backing)


async def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(environment),
    )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise BenchmarkError(said.decode(errors="replace").strip().removeprefix("Error: "))


def service_of(instance: Instance, service: str, namespace: str) -> Contender:
    """Return a service of a running instance. Raise NotRunning, ApiRefused, KnaryError."""
    description = instance.description()
    with instance.client() as client:
        found = client.get(SERVICE, namespace, service)
    reach = reach_of(found, None, Gateway.of(description))
    address, port = host_and_port(reach.gateway)
    status = instance.console("/knary/status")
    due = Due(
        shares=shares_of(found),
        splitter=_annotation(found, ANNOTATION_SPLITTER) or str(description["splitter"]),
        workers=len(status["workers"]),
    )

    def replicas() -> frozenset[int]:
        return frozenset(
            int(each["pid"])
            for each in instance.console("/knary/status")["replicas"]
            if each["namespace"] == namespace and each["revision"] in due.shares and each["pid"]
        )

    build = status.get("build") or "interpreted"
    return Contender(
        NAME,
        address,
        port,
        reach.host,
        due,
        version=f"{status['version']} ({build})",
        pids=tuple(int(worker["pid"]) for worker in status["workers"]),
        replicas=replicas,
    )


def backing_of(instance: Instance, contender: Contender, namespace: str) -> Backing:
    """Return one ready replica of each revision that has traffic, for peers to stand before.

    Raise BenchmarkError when they cannot: replicas in networks of their own, uneven percents.
    """
    addresses: dict[str, str] = {}
    pids = []
    for each in instance.console("/knary/status")["replicas"]:
        revision = each["revision"]
        if each["namespace"] == namespace and each["ready"] and revision in contender.due.shares:
            pids.append(int(each["pid"]))
            addresses.setdefault(revision, str(each["address"]))
    if any("@" in address for address in addresses.values()):
        raise BenchmarkError(
            "peers cannot connect to replicas in networks of their own:"
            " start it with `knary up --network host`"
        )
    percents = {name: 100 * share for name, share in contender.due.shares.items()}
    if missing := set(percents) - set(addresses):
        raise BenchmarkError(f"no replica of {min(missing)} is ready")
    if any(abs(percent - round(percent)) > 1e-9 for percent in percents.values()):
        raise BenchmarkError("peers are given whole percents, and this service has finer ones")
    whole = {name: round(percent) for name, percent in percents.items()}
    return Backing(addresses, whole, tuple(pids))


def words_of(backing: Backing, host: str) -> dict[str, str]:
    """Return the revision of each first line of an answer. Raise BenchmarkError of two alike."""
    words: dict[str, str] = {}
    for revision, address in backing.addresses.items():
        where, _, port = address.rpartition(":")
        said = loopback.answer(int(port), host, where).split(b"\n", 1)[0].decode("utf-8", "replace")
        if other := words.get(said.strip()):
            raise BenchmarkError(
                f"{other} and {revision} answer alike, so beside peers nobody can tell who did:"
                " let them answer differently, or measure without --peers"
            )
        words[said.strip()] = revision
    return words


def shares_of(service: Mapping[str, Any]) -> dict[str, float]:
    """Return each revision's part of 1, as the service's status says it is split. Pure."""
    percents: dict[str, float] = {}
    latest = ""
    for target in service.get("status", {}).get("traffic") or ():
        name = str(target["revisionName"])
        if percent := target.get("percent"):
            percents[name] = percents.get(name, 0.0) + percent
            latest = name if target.get("latestRevision") else latest
    finer = _annotation(service, ANNOTATION_TRAFFIC_PERCENT)
    if finer:
        try:
            told = parse_percents(finer)
        except ValueError:
            told = {}
        named = {(latest if name == "@latest" else name): each for name, each in told.items()}
        if set(named) == set(percents):
            percents = {name: hundredths / POINT for name, hundredths in named.items()}
    return {name: percent / 100 for name, percent in percents.items()}


def _annotation(service: Mapping[str, Any], name: str) -> str:
    for part in (service.get("status", {}), service.get("metadata", {})):
        if value := (part.get("annotations") or {}).get(name):
            return str(value)
    return ""


def whoever_answers(
    url: str, host: str | None, shares: Mapping[str, float], pids: Sequence[int]
) -> Contender:
    """Return the gateway at a URL, by what its first answer says. Raise KnaryError."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise KnaryError(f"--url {url}: want http://HOST[:PORT]; TLS is not spoken here")
    port = parts.port or 80
    wanted = host or parts.netloc
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=ASK_S_MAX)
    try:
        connection.request("GET", "/", headers={"Host": wanted, "Knary-Explain": "1"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchmarkError(f"nothing answers at {url}: {error}") from error
    finally:
        connection.close()
    explained = explanation_of(answer.headers.get("Knary-Explain", ""))
    due = Due(dict(shares), explained.get("splitter", ""), workers=0)
    name = NAME if explained else (answer.headers.get("Server") or parts.hostname)
    return Contender(name, parts.hostname, port, wanted, due, pids=tuple(pids))


def explanation_of(header: str) -> dict[str, str]:
    """Return the parts of a Knary-Explain. Pure."""
    pairs = (part.partition("=") for part in header.split("; ") if "=" in part)
    return {name.strip(): value.strip('"') for name, _, value in pairs}
