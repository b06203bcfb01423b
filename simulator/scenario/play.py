"""What all branches of a scenario that is being played share, and what they look up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.access.resource import Document, Named
from simulator.errors import KnaryError
from simulator.load.plan import Answer
from simulator.load.report import LoadReport
from simulator.resources.scheme import info_of
from simulator.resources.serving import Revision, Service
from simulator.scenario import checks, model
from simulator.scenario.checks import Verdict
from simulator.scenario.flaws import seconds
from simulator.scenario.present import Outcome, Presenter
from simulator.scenario.running import RunningLoad
from simulator.scenario.world import World, host_of


class StepFailed(KnaryError):
    """A step could not be done, and the next ones build upon it."""


@dataclass(frozen=True)
class Background:
    """A load that goes on while steps are played."""

    load: RunningLoad
    task: asyncio.Task[LoadReport]
    service: str


@dataclass(frozen=True)
class Answered:
    """The answers of a load that is over, and whose they are."""

    answers: Sequence[Answer] = ()
    service: str = ""


@dataclass(frozen=True)
class Play:
    """One scenario that is being played, in one world."""

    scenario: model.Scenario
    world: World
    presenter: Presenter
    outcome: Outcome
    tasks: asyncio.TaskGroup  # of the background loads
    judge: Callable[[model.Step, Verdict], None]
    background: dict[str, Background] = field(default_factory=dict)

    def end(self) -> None:
        """End the background loads."""
        for background in self.background.values():
            background.load.end()

    async def service(self, name: str) -> Document:
        """Return a Service that has a URL. Raise StepFailed."""
        named = Named(self.scenario.namespace, name)
        found = await self.world.find(info_of(Service), named)
        if found is None:
            raise StepFailed(f"there is no service {name} in namespace {named.namespace}")
        if not host_of(found):
            raise StepFailed(f"service {name} has no URL yet; wait for it with `expect: condition`")
        return found

    async def host(self, name: str, tag: str) -> str:
        """Return the host of a service, or of a tag of it. Raise StepFailed."""
        service = await self.service(name)
        host = host_of(service, tag)
        if not host:
            raise StepFailed(f"service {name} has no tag {tag} with a URL")
        return host

    async def condition(self, claim: model.ConditionClaim) -> Verdict:
        """Judge a condition once it is as wanted, or when its time is over."""
        kind = info_of(Service if claim.service else Revision)
        named = Named(self.scenario.namespace, claim.service or claim.revision)

        def holds(found: Document) -> bool:
            return checks.judge_condition(condition_of(found, claim.type), claim).held

        found = await self.world.wait_until(kind, named, holds, seconds(claim.within))
        condition = condition_of(found, claim.type) if found is not None else None
        return checks.judge_condition(condition, claim)


def condition_of(found: Document, kind: str) -> dict[str, Any] | None:
    """Return a condition that speaks of the object's present generation, else None."""
    status = found.get("status") or {}
    if status.get("observedGeneration") != found["metadata"].get("generation"):
        return None
    for condition in status.get("conditions") or ():
        if condition.get("type") == kind:
            return dict(condition)
    return None


def one_line(text: str) -> str:
    """Return the end of a text in one line."""
    return " ".join(text.split())[-400:]
