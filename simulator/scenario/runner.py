"""Plays a scenario: its steps in order, its background loads beside them."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import yaml

from simulator.access.resource import Document, Named
from simulator.errors import KnaryError
from simulator.load.generator import run_load
from simulator.load.plan import GRPC_METHOD, Answer, LoadPlan
from simulator.load.report import LoadReport
from simulator.load.schedule import AsFastAsPossible, ConstantRate, Schedule
from simulator.resources.manifests import parse_yaml
from simulator.resources.scheme import BY_KIND, KindInfo, info_of
from simulator.resources.serving import Revision, Service
from simulator.scenario import checks, model
from simulator.scenario.checks import Verdict
from simulator.scenario.flaws import BACKGROUND_S_MAX, seconds
from simulator.scenario.present import ChapterOutcome, Outcome, Presenter
from simulator.scenario.running import RunningLoad
from simulator.scenario.world import Finished, World, host_of


class StepFailed(KnaryError):
    """A step could not be done, and the next ones build upon it."""


@dataclass(frozen=True)
class _Background:
    load: RunningLoad
    task: asyncio.Task[LoadReport]


class Runner:
    """Plays one scenario, once."""

    def __init__(self, scenario: model.Scenario, world: World, presenter: Presenter) -> None:
        self._scenario = scenario
        self._world = world
        self._presenter = presenter
        self._outcome = Outcome(title=scenario.title)
        self._background: dict[str, _Background] = {}
        self._last: Sequence[Answer] = ()  # of the latest load that was not in the background

    async def play(self) -> Outcome:
        """Play every step and return what held. Stop at a step that others build upon.

        Nothing goes on afterwards: background loads are ended, also when this is cancelled.
        """
        began = time.monotonic()
        self._presenter.scenario_begins(self._scenario)
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._steps(tasks)
                for background in self._background.values():
                    background.load.end()
        finally:
            self._outcome.elapsed_s = time.monotonic() - began
        self._presenter.scenario_ends(self._outcome)
        return self._outcome

    async def _steps(self, tasks: asyncio.TaskGroup) -> None:
        for step in self._scenario.steps:
            self._begin(step)
            try:
                await self._act(step, tasks)
            except KnaryError as error:
                self._judge(step, Verdict(held=False, sentence=_one_line(str(error))))
                self._outcome.finished = False
                return

    def _begin(self, step: model.Step) -> None:
        if step.title or not self._outcome.chapters:
            title = step.title or self._scenario.title
            self._outcome.chapters.append(ChapterOutcome(title=title, verdicts=[]))
            if step.title:
                number = sum(bool(s.title) for s in self._scenario.steps if s.line <= step.line)
                self._presenter.chapter_begins(number, self._scenario.chapters, title)
        for text in (step.why, step.show):
            if text:
                self._presenter.told(text)

    async def _act(self, step: model.Step, tasks: asyncio.TaskGroup) -> None:
        action = step.action
        match action:
            case model.Apply():
                await self._apply(step, action)
            case model.Command():
                await self._command(step, action)
            case model.Load():
                await self._load(action, tasks)
            case model.Expect():
                await self._expect(step, action)
            case _:
                assert_never(action)

    def _judge(self, step: model.Step, verdict: Verdict) -> None:
        self._outcome.chapters[-1].verdicts.append(verdict)
        self._presenter.judged(verdict, f"{self._scenario.source}:{step.line}")

    # Verbs.

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

    async def _load(self, load: model.Load, tasks: asyncio.TaskGroup) -> None:
        service = await self._service(load.service)
        address, port = self._world.gateway
        plan = LoadPlan(
            address=address,
            port=port,
            host=host_of(service),
            schedule=schedule_of(load),
            path=load.path or (GRPC_METHOD if load.protocol == "grpc" else "/"),
            connections_max=connections_of(load),
            timeout_s=seconds(load.timeout),
            protocol=load.protocol,
        )
        title = title_of(load)
        running = RunningLoad(title, plan, self._presenter.answered)
        self._presenter.load_begins(title, background=bool(load.background))
        if load.background:
            task = tasks.create_task(running.run())
            self._background[load.background] = _Background(running, task)
            return
        report = await running.run()
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
                await self._expect_condition(step, claim)
            case model.TrafficClaim():
                service = await self._service(claim.service)
                reported = traffic_of(service)
                self._judge(step, checks.judge_traffic(reported, claim.split, claim.service))
            case _:
                assert_never(claim)

    # Claims.

    async def _expect_answers(self, step: model.Step, claim: model.AnswersClaim) -> None:
        overlap = 0
        answers = self._last
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
        for verdict in checks.judge_answers(claim, answers, overlap, self._world.workers):
            self._judge(step, verdict)

    async def _expect_response(self, step: model.Step, claim: model.ResponseClaim) -> None:
        host = host_of(await self._service(claim.service))
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

    async def _expect_condition(self, step: model.Step, claim: model.ConditionClaim) -> None:
        kind = info_of(Service if claim.service else Revision)
        named = Named(self._scenario.namespace, claim.service or claim.revision)

        def holds(found: Document) -> bool:
            return checks.judge_condition(condition_of(found, claim.type), claim).held

        found = await self._world.wait_until(kind, named, holds, seconds(claim.within))
        condition = condition_of(found, claim.type) if found is not None else None
        self._judge(step, checks.judge_condition(condition, claim))

    # What is there.

    async def _service(self, name: str) -> Document:
        named = Named(self._scenario.namespace, name)
        found = await self._world.find(info_of(Service), named)
        if found is None:
            raise StepFailed(f"there is no service {name} in namespace {named.namespace}")
        if not host_of(found):
            raise StepFailed(f"service {name} has no URL yet; wait for it with `expect: condition`")
        return found

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
    return ConstantRate(load.rate, seconds(load.duration) if load.duration else BACKGROUND_S_MAX)


def connections_of(load: model.Load) -> int:
    """Return how many connections the load may use: HTTP/1.1 at a rate needs spare ones."""
    spare = load.rate is not None and load.protocol == "http1"
    return max(load.connections, 64 if spare else 1)


def title_of(load: model.Load) -> str:
    """Return the load in words."""
    what = "gRPC calls" if load.protocol == "grpc" else "requests"
    if load.requests is not None:
        how = "one after the other" if load.connections == 1 else f"{load.connections} at a time"
        return f"{load.requests} {what} to {load.service}, {how}"
    return f"{load.rate:g} {what} per second to {load.service}"


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
    return f"the command ended with {finished.status}, want {want}: {_one_line(finished.output)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())[-400:]
