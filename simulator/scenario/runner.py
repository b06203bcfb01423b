"""Plays a scenario: its steps in order, its background loads beside them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from msgspec import structs

from simulator.errors import KnaryError
from simulator.scenario import model
from simulator.scenario.acting import Actor
from simulator.scenario.checks import Verdict
from simulator.scenario.play import Play, one_line
from simulator.scenario.present import ChapterOutcome, Outcome, Presenter
from simulator.scenario.world import World


class Runner:
    """Plays one scenario, once."""

    def __init__(self, scenario: model.Scenario, world: World, presenter: Presenter) -> None:
        self._scenario = scenario
        self._world = world
        self._presenter = presenter
        self._outcome = Outcome(title=scenario.title, source=scenario.source)
        chapters = [step for step in scenario.all_steps if step.title]
        self._numbers = {id(step): number for number, step in enumerate(chapters, 1)}

    async def play(self) -> Outcome:
        """Play every step and return what held. Stop at a step that others build upon.

        Nothing goes on afterwards: background loads are ended, also when this is cancelled.
        """
        began = time.monotonic()
        self._presenter.scenario_begins(self._scenario)
        try:
            async with asyncio.TaskGroup() as tasks:
                play = Play(
                    scenario=self._scenario,
                    world=self._world,
                    presenter=self._presenter,
                    outcome=self._outcome,
                    tasks=tasks,
                    judge=self._judge,
                )
                self._outcome.finished = await self._steps(self._scenario.steps, play, Actor(play))
                play.end()
        finally:
            self._outcome.elapsed_s = time.monotonic() - began
        self._presenter.scenario_ends(self._outcome)
        return self._outcome

    async def _steps(self, steps: Sequence[model.Step], play: Play, actor: Actor) -> bool:
        """Play steps one after the other; return False when one could not be done."""
        for step in steps:
            self._begin(step)
            try:
                done = await self._step(step, play, actor)
            except KnaryError as error:
                self._judge(step, Verdict(held=False, sentence=one_line(str(error))))
                return False
            if not done:
                return False
        return True

    async def _step(self, step: model.Step, play: Play, actor: Actor) -> bool:
        action = step.action
        match action:
            case model.Repeat():
                for turn in range(1, action.times + 1):
                    self._presenter.told(f"Turn {turn} of {action.times}.")
                    if not await self._steps(action.steps, play, actor):
                        return False
                return True
            case model.Ramp():
                for percent in action.percents:
                    split = {action.old: 100 - percent, action.new: percent}
                    await actor.set_traffic(action.service, split)
                    if not await self._steps(action.steps, play, actor):
                        return False
                return True
            case model.Parallel():
                return await self._branches(action, play)
            case _:
                await actor.act(step, action)
                return True

    async def _branches(self, parallel: model.Parallel, play: Play) -> bool:
        """Play branches at the same time; what one cannot do ends the others."""
        async with asyncio.TaskGroup() as tasks:
            branches = {
                tasks.create_task(self._steps(branch.steps, play, Actor(play)))
                for branch in parallel.branches
            }
            waiting = branches
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if not all(task.result() for task in done):
                    for task in waiting:
                        task.cancel()
                    return False
        return True

    def _begin(self, step: model.Step) -> None:
        if step.title or not self._outcome.chapters:
            title = step.title or self._scenario.title
            self._outcome.chapters.append(ChapterOutcome(title=title, verdicts=[]))
            if step.title:
                number = self._numbers[id(step)]
                self._presenter.chapter_begins(number, self._scenario.chapters, title)
        for text in (step.why, step.show):
            if text:
                self._presenter.told(text)

    def _judge(self, step: model.Step, verdict: Verdict) -> None:
        verdict = structs.replace(verdict, where=f"{self._scenario.source}:{step.line}")
        self._outcome.chapters[-1].verdicts.append(verdict)
        self._presenter.judged(verdict, verdict.where)
