"""Does what one step says, and judges what it claims."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, assert_never

import yaml

from simulator.access.resource import Document, Named
from simulator.access.waiting import splitter_of
from simulator.errors import KnaryError
from simulator.load.generator import run_load
from simulator.load.plan import GRPC_METHOD, Answer, LoadPlan
from simulator.load.report import LoadReport
from simulator.load.schedule import AsFastAsPossible, Schedule, paced
from simulator.resources.core import Event
from simulator.resources.manifests import parse_yaml
from simulator.resources.scheme import BY_KIND, KindInfo, info_of
from simulator.resources.serving import Revision, Service
from simulator.scenario import checks, model, portable
from simulator.scenario.checks import Verdict
from simulator.scenario.flaws import BACKGROUND_S_MAX, seconds
from simulator.scenario.present import Outcome, Presenter
from simulator.scenario.running import RunningLoad
from simulator.scenario.world import Finished, World, host_of

LOOK_INTERVAL_S = 0.1


class StepFailed(KnaryError):
    """A step could not be done, and the next ones build upon it."""


@dataclass(frozen=True)
class _Background:
    load: RunningLoad
    task: asyncio.Task[LoadReport]
    service: str


@dataclass(frozen=True)
class Play:
    """What all branches of a scenario that is being played share."""

    scenario: model.Scenario
    world: World
    presenter: Presenter
    outcome: Outcome
    tasks: asyncio.TaskGroup  # of the background loads
    judge: Callable[[model.Step, Verdict], None]
    background: dict[str, _Background] = field(default_factory=dict)

    def end(self) -> None:
        """End the background loads."""
        for background in self.background.values():
            background.load.end()


Doing = (
    model.Apply
    | model.Command
    | model.Load
    | model.Traffic
    | model.Rollback
    | model.Wait
    | model.Expect
)


class Actor:
    """Plays the steps of one branch, one after the other."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._scenario = play.scenario
        self._world = play.world
        self._presenter = play.presenter
        self._outcome = play.outcome
        self._judge = play.judge
        self._background = play.background
        self._last: Sequence[Answer] = ()  # of the latest load that was not in the background
        self._last_service = ""
        self._said = portable.sayings(play.scenario)

    async def act(self, step: model.Step, action: Doing) -> None:
        """Do it. Raise KnaryError when it could not be done."""
        if self._world.is_cluster and (why := portable.why_not(action)):
            self._judge(step, checks.skipped(why))
            return
        match action:
            case model.Apply():
                await self._apply(step, action)
            case model.Command():
                await self._command(step, action)
            case model.Load():
                await self._load(action)
            case model.Traffic():
                await self.set_traffic(action.service, action.split)
            case model.Rollback():
                to = ("--to", action.to) if action.to else ()
                await self._knary("rollback", action.service, *to)
            case model.Wait():
                await self._wait(action)
            case model.Expect():
                await self._expect(step, action)
            case _:
                assert_never(action)

    async def set_traffic(self, service: str, split: Mapping[str, int]) -> None:
        """Send so many percent of a service's traffic to each revision, and wait until it obeys."""
        shares = ",".join(f"{revision}={percent}" for revision, percent in split.items())
        await self._knary("service", "update", service, "--traffic", shares)

    async def _apply(self, step: model.Step, apply: model.Apply) -> None:
        if apply.file:
            path = Path(self._scenario.source).parent / apply.file
            try:
                text = path.read_text(encoding="utf-8")
            except OSError as error:
                raise StepFailed(f"cannot read {path}: {error.strerror}") from error
            line = f"knary apply -f {shlex.quote(apply.file)}"
            self._presenter.typed(line)
        else:
            text = yaml.safe_dump(apply.manifest, default_flow_style=None, sort_keys=False)
            self._presenter.typed("knary apply -f -", stdin=text)
        words = ("apply", "-n", self._scenario.namespace, "-f", "-")
        if not apply.refused:
            finished = await self._world.knary(words, text.encode())
            self._presenter.printed(finished.output, ())
            if finished.status:
                raise StepFailed(_unexpected_exit(finished, 0))
            return
        names = list(self._named(text, apply.file))
        before = [await self._world.find(kind, named) for kind, named in names]
        finished = await self._world.knary(words, text.encode())
        after = [await self._world.find(kind, named) for kind, named in names]
        self._presenter.printed(finished.output, (apply.refused,))
        verdict = checks.judge_refusal(finished.status, finished.output, apply.refused)
        self._judge(step, verdict)
        if verdict.held:
            self._judge(step, checks.judge_unchanged(before, after))

    async def _command(self, step: model.Step, command: model.Command) -> None:
        self._presenter.typed(" ".join(command.run.split()))
        finished = await self._world.knary(shlex.split(command.run)[1:])
        self._presenter.printed(finished.output, command.output)
        if finished.status != command.exit:
            raise StepFailed(_unexpected_exit(finished, command.exit))
        for text in command.output:
            self._judge(step, checks.judge_output(finished.output, text))

    async def _knary(self, *words: str) -> None:
        """Run a command in the scenario's namespace. Raise StepFailed when it fails."""
        namespace = self._scenario.namespace
        words = words if namespace == "default" else (*words, "-n", namespace)
        self._presenter.typed(shlex.join(("knary", *words)))
        finished = await self._world.knary(words)
        self._presenter.printed(finished.output, ())
        if finished.status:
            raise StepFailed(_unexpected_exit(finished, 0))

    async def _wait(self, wait: model.Wait) -> None:
        if wait.pause:
            self._presenter.told(f"Wait {wait.pause}.")
            await asyncio.sleep(seconds(wait.pause))
            return
        verdict = await self._condition(wait.condition)
        if not verdict.held:
            raise StepFailed(f"not within {wait.within}: {verdict.sentence}")
        self._presenter.told(f"{verdict.sentence[:1].upper()}{verdict.sentence[1:]}.")

    async def _load(self, load: model.Load) -> None:
        host = await self._host(load.service, load.tag)
        address, port = self._world.gateway
        plan = LoadPlan(
            address=address,
            port=port,
            host=host,
            schedule=schedule_of(load),
            path=load.path or (GRPC_METHOD if load.protocol == "grpc" else "/"),
            headers=tuple(load.headers.items()),
            connections_max=connections_of(load),
            timeout_s=seconds(load.timeout),
            protocol=load.protocol,
        )
        title = title_of(load)
        running = RunningLoad(title, plan, self._presenter.answered)
        self._presenter.load_begins(title, background=bool(load.background))
        if load.background:
            task = self._play.tasks.create_task(running.run())
            self._background[load.background] = _Background(running, task, load.service)
            return
        report = await running.run()
        self._last_service = load.service
        self._last = running.in_order()
        self._outcome.requests += len(self._last)
        self._presenter.load_ended(title, self._last, report)

    async def _expect(self, step: model.Step, expect: model.Expect) -> None:
        claim = expect.claim
        match claim:
            case model.AnswersClaim():
                await self._expect_answers(step, claim)
            case model.ResponseClaim():
                await self._expect_response(step, claim)
            case model.ConditionClaim():
                self._judge(step, await self._condition(claim))
            case model.TrafficClaim():
                service = await self._service(claim.service)
                reported = traffic_of(service)
                self._judge(step, checks.judge_traffic(reported, claim.split, claim.service))
            case model.LatencyClaim():
                running = self._background[claim.of].load if claim.of else None
                answers = running.in_order() if running else self._last
                if self._world.is_cluster:
                    answers = portable.named(answers, self._said)
                for verdict in checks.judge_latency(claim, answers):
                    self._judge(step, verdict)
            case model.EventClaim():
                await self._expect_event(step, claim)
            case model.LogClaim():
                await self._expect_log(step, claim)
            case _:
                assert_never(claim)

    # Claims.

    async def _expect_answers(self, step: model.Step, claim: model.AnswersClaim) -> None:
        overlap = 0
        answers, service = self._last, self._last_service
        if claim.of:
            service = self._background[claim.of].service
        if claim.of and claim.next is not None:
            answers, overlap = await self._background[claim.of].load.next_answers(claim.next)
            self._presenter.window(answers)
        elif claim.of:
            background = self._background.pop(claim.of)
            background.load.end()
            report = await background.task
            answers = background.load.in_order()
            self._outcome.requests += len(answers)
            self._presenter.load_ended(background.load.title, answers, report)
        if self._world.is_cluster:
            claim, left_out = portable.without_exactness(claim)
            for why in left_out:
                self._judge(step, checks.skipped(why))
            answers = portable.named(answers, self._said)
        splitter: str = claim.splitter
        if claim.split and not splitter:
            splitter = (
                splitter_of((await self._service(service))["metadata"]) or self._world.splitter
            )
        for verdict in checks.judge_answers(
            claim,
            answers,
            overlap,
            self._world.workers,
            splitter,
            may_be_too_few=self._world.is_cluster,
        ):
            self._judge(step, verdict)

    async def _expect_event(self, step: model.Step, claim: model.EventClaim) -> None:
        query = {"fieldSelector": f"involvedObject.name={claim.about}"}

        async def look() -> Verdict:
            events = await self._world.list(info_of(Event), self._scenario.namespace, query)
            return checks.judge_event(events, claim)

        self._judge(step, await _in_time(look, claim.within))

    async def _expect_log(self, step: model.Step, claim: model.LogClaim) -> None:
        async def look() -> Verdict:
            words = ("logs", claim.of, "-n", self._scenario.namespace)
            return checks.judge_log((await self._world.knary(words)).output, claim)

        self._judge(step, await _in_time(look, claim.within))

    async def _expect_response(self, step: model.Step, claim: model.ResponseClaim) -> None:
        host = await self._host(claim.service, claim.tag)
        address, port = self._world.gateway
        path = "" if claim.path == "/" else claim.path
        self._presenter.typed(f'curl -H "host: {host}" http://{address}:{port}{path}')
        plan = LoadPlan(address, port, host, AsFastAsPossible(count=1), path=claim.path)
        answers: list[Answer] = []
        await run_load(plan, answers.append)
        self._outcome.requests += 1
        answer = answers[0]
        text = answer.text if answer.status else answer.error
        self._presenter.printed(text, ())
        self._judge(step, checks.judge_response(answer.status, text, claim.status, claim.body))

    async def _condition(self, claim: model.ConditionClaim) -> Verdict:
        kind = info_of(Service if claim.service else Revision)
        named = Named(self._scenario.namespace, claim.service or claim.revision)

        def holds(found: Document) -> bool:
            return checks.judge_condition(condition_of(found, claim.type), claim).held

        found = await self._world.wait_until(kind, named, holds, seconds(claim.within))
        condition = condition_of(found, claim.type) if found is not None else None
        return checks.judge_condition(condition, claim)

    # What is there.

    async def _service(self, name: str) -> Document:
        named = Named(self._scenario.namespace, name)
        found = await self._world.find(info_of(Service), named)
        if found is None:
            raise StepFailed(f"there is no service {name} in namespace {named.namespace}")
        if not host_of(found):
            raise StepFailed(f"service {name} has no URL yet; wait for it with `expect: condition`")
        return found

    async def _host(self, name: str, tag: str) -> str:
        service = await self._service(name)
        host = host_of(service, tag)
        if not host:
            raise StepFailed(f"service {name} has no tag {tag} with a URL")
        return host

    def _named(self, text: str, file: str) -> Iterator[tuple[KindInfo, Named]]:
        """Yield the objects that a manifest is about. Raise StepFailed for an unknown kind."""
        for manifest in parse_yaml(text, file or self._scenario.source):
            document = manifest.document
            try:
                kind = BY_KIND[document["apiVersion"], document["kind"]]
                metadata = document["metadata"]
                namespace = str(metadata.get("namespace") or self._scenario.namespace)
                yield kind, Named(namespace, str(metadata["name"]))
            except (KeyError, TypeError) as error:
                raise StepFailed(f"line {manifest.line}: no known kind, or no name") from error


def schedule_of(load: model.Load) -> Schedule:
    """Return when the load's requests are due."""
    if load.requests is not None:
        return AsFastAsPossible(count=load.requests, connections=load.connections)
    assert load.rate is not None  # noqa: S101 (`reading` made sure)
    duration_s = seconds(load.duration) if load.duration else BACKGROUND_S_MAX
    return paced((load.rate,), duration_s, load.arrivals)


async def _in_time(look: Callable[[], Awaitable[Verdict]], within: str) -> Verdict:
    """Look until the verdict holds, or the time is over; return the last one."""
    deadline = time.monotonic() + seconds(within)
    while True:
        verdict = await look()
        if verdict.held or time.monotonic() > deadline:
            return verdict
        await asyncio.sleep(LOOK_INTERVAL_S)


def connections_of(load: model.Load) -> int:
    """Return how many connections the load may use: HTTP/1.1 at a rate needs spare ones."""
    spare = load.rate is not None and load.protocol == "http1"
    return max(load.connections, 64 if spare else 1)


def title_of(load: model.Load) -> str:
    """Return the load in words."""
    what = "gRPC calls" if load.protocol == "grpc" else "requests"
    to = f"{load.service} (tag {load.tag})" if load.tag else load.service
    if load.requests is not None:
        how = "one after the other" if load.connections == 1 else f"{load.connections} at a time"
        return f"{load.requests} {what} to {to}, {how}"
    return f"{load.rate:g} {what} per second to {to}"


def condition_of(found: Document, kind: str) -> dict[str, Any] | None:
    """Return a condition that speaks of the object's present generation, else None."""
    status = found.get("status") or {}
    if status.get("observedGeneration") != found["metadata"].get("generation"):
        return None
    for condition in status.get("conditions") or ():
        if condition.get("type") == kind:
            return dict(condition)
    return None


def traffic_of(service: Document) -> dict[str, int]:
    """Return the percent that each revision gets, by the Service's own status."""
    shares: dict[str, int] = {}
    for target in (service.get("status") or {}).get("traffic") or ():
        name = str(target.get("revisionName", ""))
        shares[name] = shares.get(name, 0) + int(target.get("percent") or 0)
    return shares


def _unexpected_exit(finished: Finished, want: int) -> str:
    return f"the command ended with {finished.status}, want {want}: {one_line(finished.output)}"


def one_line(text: str) -> str:
    """Return the end of a text in one line."""
    return " ".join(text.split())[-400:]
