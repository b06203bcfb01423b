"""Judges what an `expect` claims."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import assert_never

from simulator.access.resource import Document
from simulator.access.waiting import splitter_of
from simulator.load.generator import run_load
from simulator.load.plan import Answer, LoadPlan
from simulator.load.schedule import AsFastAsPossible
from simulator.resources.core import Event
from simulator.resources.scheme import info_of
from simulator.scenario import checks, model, portable
from simulator.scenario.checks import Verdict
from simulator.scenario.flaws import seconds
from simulator.scenario.play import Answered, Play

LOOK_INTERVAL_S = 0.1


class Claims:
    """Judges the claims of a scenario that is being played."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._world = play.world
        self._presenter = play.presenter
        self._judge = play.judge
        self._said = portable.sayings(play.scenario)

    async def expect(self, step: model.Step, expect: model.Expect, last: Answered) -> None:
        """Judge a claim; `last` is the load before it. Raise KnaryError when that cannot be."""
        claim = expect.claim
        match claim:
            case model.AnswersClaim():
                await self._expect_answers(step, claim, last)
            case model.ResponseClaim():
                await self._expect_response(step, claim)
            case model.ConditionClaim():
                self._judge(step, await self._play.condition(claim))
            case model.TrafficClaim():
                service = await self._play.service(claim.service)
                reported = traffic_of(service)
                self._judge(step, checks.judge_traffic(reported, claim.split, claim.service))
            case model.LatencyClaim():
                running = self._play.background[claim.of].load if claim.of else None
                answers = running.in_order() if running else last.answers
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

    async def _expect_answers(
        self, step: model.Step, claim: model.AnswersClaim, last: Answered
    ) -> None:
        overlap = 0
        answers, service = last.answers, last.service
        if claim.of:
            service = self._play.background[claim.of].service
        if claim.of and claim.next is not None:
            answers, overlap = await self._play.background[claim.of].load.next_answers(claim.next)
            self._presenter.window(answers)
        elif claim.of:
            background = self._play.background.pop(claim.of)
            background.load.end()
            report = await background.task
            answers = background.load.in_order()
            self._play.outcome.requests += len(answers)
            self._presenter.load_ended(background.load.title, answers, report)
        if self._world.is_cluster:
            claim, left_out = portable.without_exactness(claim)
            for why in left_out:
                self._judge(step, checks.skipped(why))
            answers = portable.named(answers, self._said)
        splitter: str = claim.splitter
        if claim.split and not splitter:
            splitter = (
                splitter_of((await self._play.service(service))["metadata"]) or self._world.splitter
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
            events = await self._world.list(info_of(Event), self._play.scenario.namespace, query)
            return checks.judge_event(events, claim)

        self._judge(step, await _in_time(look, claim.within))

    async def _expect_log(self, step: model.Step, claim: model.LogClaim) -> None:
        async def look() -> Verdict:
            words = ("logs", claim.of, "-n", self._play.scenario.namespace)
            return checks.judge_log((await self._world.knary(words)).output, claim)

        self._judge(step, await _in_time(look, claim.within))

    async def _expect_response(self, step: model.Step, claim: model.ResponseClaim) -> None:
        host = await self._play.host(claim.service, claim.tag)
        address, port = self._world.gateway
        path = "" if claim.path == "/" else claim.path
        self._presenter.typed(f'curl -H "host: {host}" http://{address}:{port}{path}')
        plan = LoadPlan(address, port, host, AsFastAsPossible(count=1), path=claim.path)
        answers: list[Answer] = []
        await run_load(plan, answers.append)
        self._play.outcome.requests += 1
        answer = answers[0]
        text = answer.text if answer.status else answer.error
        self._presenter.printed(text, ())
        self._judge(step, checks.judge_response(answer.status, text, claim.status, claim.body))


async def _in_time(look: Callable[[], Awaitable[Verdict]], within: str) -> Verdict:
    """Look until the verdict holds, or the time is over; return the last one."""
    deadline = time.monotonic() + seconds(within)
    while True:
        verdict = await look()
        if verdict.held or time.monotonic() > deadline:
            return verdict
        await asyncio.sleep(LOOK_INTERVAL_S)


def traffic_of(service: Document) -> dict[str, int]:
    """Return the percent that each revision gets, by the Service's own status."""
    shares: dict[str, int] = {}
    for target in (service.get("status") or {}).get("traffic") or ():
        name = str(target.get("revisionName", ""))
        shares[name] = shares.get(name, 0) + int(target.get("percent") or 0)
    return shares
