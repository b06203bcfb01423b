"""Does what one step says."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import assert_never

import yaml

from simulator.access.resource import Named
from simulator.load.plan import GRPC_METHOD, LoadPlan
from simulator.load.schedule import AsFastAsPossible, Schedule, paced
from simulator.resources.manifests import parse_yaml
from simulator.resources.scheme import BY_KIND, KindInfo
from simulator.scenario import checks, model, portable
from simulator.scenario.claiming import Claims
from simulator.scenario.flaws import BACKGROUND_S_MAX, seconds
from simulator.scenario.play import Answered, Background, Play, StepFailed, one_line
from simulator.scenario.running import RunningLoad
from simulator.scenario.world import Finished

Doing = (
    model.Apply
    | model.Command
    | model.Load
    | model.Traffic
    | model.Rollback
    | model.Fault
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
        self._claims = Claims(play)
        self._last = Answered()  # of the latest load that was not in the background

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
            case model.Fault():
                await self._knary(*fault_words(action))
            case model.Wait():
                await self._wait(action)
            case model.Expect():
                await self._claims.expect(step, action, self._last)
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
        verdict = await self._play.condition(wait.condition)
        if not verdict.held:
            raise StepFailed(f"not within {wait.within}: {verdict.sentence}")
        self._presenter.told(f"{verdict.sentence[:1].upper()}{verdict.sentence[1:]}.")

    async def _load(self, load: model.Load) -> None:
        host = await self._play.host(load.service, load.tag)
        address, port = self._world.gateway
        first, *more = load.paths or (load.path,)
        plan = LoadPlan(
            address=address,
            port=port,
            host=host,
            schedule=schedule_of(load),
            path=first or (GRPC_METHOD if load.protocol == "grpc" else "/"),
            more_paths=tuple(more),
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
            self._play.background[load.background] = Background(running, task, load.service)
            return
        report = await running.run()
        answers = running.in_order()
        self._last = Answered(answers, load.service)
        self._outcome.requests += len(answers)
        self._presenter.load_ended(title, answers, report)

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


def fault_words(fault: model.Fault) -> list[str]:
    """Return the command that adds a fault, or clears faults."""
    if fault.clear:
        return ["fault", "clear", *([fault.service] if fault.service else [])]
    words = ["fault", "add", fault.service, fault.type]
    for name, value in fault.attributes.items():
        words += [f"--{name.replace('_', '-')}", f"{value}"]
    for name, value in (("--revision", fault.revision), ("--tag", fault.tag)):
        words += [name, value] if value else []
    return words + (["--toxicity", f"{fault.toxicity:g}"] if fault.toxicity != 1 else [])


def schedule_of(load: model.Load) -> Schedule:
    """Return when the load's requests are due."""
    if load.requests is not None:
        return AsFastAsPossible(count=load.requests, connections=load.connections)
    assert load.rate is not None  # noqa: S101 (`reading` made sure)
    duration_s = seconds(load.duration) if load.duration else BACKGROUND_S_MAX
    return paced((load.rate,), duration_s, load.arrivals)


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


def _unexpected_exit(finished: Finished, want: int) -> str:
    return f"the command ended with {finished.status}, want {want}: {one_line(finished.output)}"
