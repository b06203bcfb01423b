"""What is wrong with a scenario beyond its types: ranges, contradictions, things left out. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from simulator.resources.durations import SECOND, parse_duration
from simulator.resources.faults import ATTRIBUTES, NEEDED
from simulator.resources.strictyaml import Flaw
from simulator.scenario import model
from simulator.scenario.documents import (
    DEPTH_MAX,
    VERBS,
    BranchDocument,
    RampDocument,
    ScenarioDocument,
    StepDocument,
)

STEPS_MAX = 1000
REQUESTS_MAX = 1_000_000  # each answer of a scenario is kept until it is judged
BACKGROUND_S_MAX = 300.0  # how long a background load without a `duration` goes on
RATE_MAX_PER_S = 100_000.0
CONNECTIONS_MAX = 1024
PERCENT_SUM = 100

PERCENTILES = ("p50", "p90", "p95", "p99", "max")
# What the load itself says; the others of these would make another request of it.
FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "te", "upgrade"})
REPEATS_MAX = 1000
BRANCHES_MAX = 16


class _Reader:
    """Walks through the steps in the order in which they are played, with the loads that run."""

    def __init__(self) -> None:
        self.loads: dict[
            str, str
        ] = {}  # background loads that run: by name, the path of their step
        self.before = False  # a load has ended, which a claim may be about

    def steps(self, steps: Sequence[StepDocument], path: str, depth: int = 1) -> Iterator[Flaw]:
        if not steps:
            yield Flaw(path, f"no steps; a step is one of {', '.join(VERBS)}")
        if len(steps) > STEPS_MAX:
            yield Flaw(path, f"{len(steps)} steps; the most are {STEPS_MAX}")
        if depth > DEPTH_MAX:
            yield Flaw(path, f"steps within steps within steps; the deepest are {DEPTH_MAX}")
            return
        for index, step in enumerate(steps):
            yield from self._step(step, f"{path}[{index}]", depth)

    def _step(self, step: StepDocument, path: str, depth: int) -> Iterator[Flaw]:
        given = [verb for verb in VERBS if getattr(step, verb) is not None]
        if len(given) != 1:
            got = f"got {' and '.join(given)}" if given else "got none"
            yield Flaw(path, f"a step does exactly one of {', '.join(VERBS)}; {got}")
            return
        path = f"{path}.{given[0]}"
        if step.apply is not None:
            yield from _apply_flaws(step.apply, path)
        elif step.command is not None:
            yield from _command_flaws(step.command, path)
        elif step.load is not None:
            yield from _load_flaws(step.load, path, self.loads)
            if step.load.background:
                self.loads[step.load.background] = path
            self.before = self.before or not step.load.background
        elif step.traffic is not None:
            yield from _split_flaws(step.traffic.split, f"{path}.split")
        elif step.fault is not None:
            yield from _fault_flaws(step.fault, path)
        elif step.wait is not None:
            yield from _wait_flaws(step.wait, path)
        elif step.expect is not None:
            yield from _expect_flaws(step.expect, path, self.loads, before=self.before)
        elif step.repeat is not None:
            yield from _range(step.repeat.times, 1, REPEATS_MAX, f"{path}.times")
            yield from self._again(step.repeat.steps, f"{path}.steps", depth)
        elif step.ramp is not None:
            yield from _ramp_flaws(step.ramp, path)
            if step.ramp.steps:
                yield from self._again(step.ramp.steps, f"{path}.steps", depth)
        elif step.parallel is not None:
            yield from self._branches(step.parallel, path, depth)

    def _again(self, steps: Sequence[StepDocument], path: str, depth: int) -> Iterator[Flaw]:
        """Yield the flaws of steps that are played several times: each begins as the last did."""
        running = dict(self.loads)
        yield from self.steps(steps, path, depth + 1)
        for name in self.loads.keys() ^ running.keys():
            how = "begins here and goes on" if name in self.loads else "is ended here"
            yield Flaw(path, f"the background load {name!r} {how}; the steps are played again")

    def _branches(
        self, branches: Sequence[BranchDocument], path: str, depth: int
    ) -> Iterator[Flaw]:
        yield from _range(len(branches), 2, BRANCHES_MAX, path)
        running, before = dict(self.loads), self.before
        after: dict[str, str] = {}
        ended: set[str] = set()
        for index, branch in enumerate(branches):
            self.loads = dict(running)
            self.before = False  # a claim is about a load of its own branch
            yield from self.steps(branch.steps, f"{path}[{index}].steps", depth + 1)
            ended |= running.keys() - self.loads.keys()
            for name in (self.loads.keys() - running.keys()) & after.keys():
                yield Flaw(self.loads[name], f"another branch has a load named {name!r}")
            after |= self.loads
        self.loads = {name: at for name, at in after.items() if name not in ended}
        self.before = before


def flaws_of(document: ScenarioDocument) -> Iterator[Flaw]:
    """Yield whatever is wrong with a scenario that its types let pass, from top to bottom."""
    reader = _Reader()
    yield from reader.steps(document.steps, "$.steps")
    for name, path in reader.loads.items():
        why = f"nobody judges this load; end with `expect: {{answers: {{of: {name}}}}}`"
        yield Flaw(f"{path}.background", why)


def _apply_flaws(apply: model.Apply, path: str) -> Iterator[Flaw]:
    if (apply.manifest is None) == (not apply.file):
        yield Flaw(path, "give either `manifest` (inline) or `file`")
    elif apply.manifest is not None:
        metadata = apply.manifest.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not apply.manifest.get("kind") or not name:
            yield Flaw(f"{path}.manifest", "a manifest needs `kind` and `metadata.name`")


def _command_flaws(command: str | model.Command, path: str) -> Iterator[Flaw]:
    run, at = (command, path) if isinstance(command, str) else (command.run, f"{path}.run")
    try:
        words = shlex.split(run)
    except ValueError as error:
        yield Flaw(at, f"the quotes do not match ({error}); no shell reads this line")
        return
    if not words or words[0] != "knary":
        yield Flaw(at, "a command begins with `knary`, such as `knary service list`")


def _wait_flaws(wait: str | model.Wait, path: str) -> Iterator[Flaw]:
    if isinstance(wait, str):
        yield from _duration(wait, path)
        return
    given = [word for word in ("service", "revision", "pause") if getattr(wait, word)]
    if len(given) != 1:
        yield Flaw(path, "give exactly one of `service`, `revision` and `pause`")
    if wait.pause:
        yield from _duration(wait.pause, f"{path}.pause")
    yield from _duration(wait.within, f"{path}.within")


def _fault_flaws(fault: model.Fault, path: str) -> Iterator[Flaw]:
    if fault.clear:
        if fault.type or fault.attributes:
            yield Flaw(path, "`clear` ends faults; leave `type` and `attributes` out")
        return
    if not fault.service:
        yield Flaw(path, "`service` is missing; or end all faults with `clear: true`")
    if fault.type not in ATTRIBUTES:
        known = ", ".join(ATTRIBUTES)
        yield Flaw(f"{path}.type", f"{fault.type!r} is no type of fault; there are {known}")
        return
    for name in fault.attributes:
        if name not in ATTRIBUTES[fault.type]:
            known = ", ".join(ATTRIBUTES[fault.type])
            yield Flaw(f"{path}.attributes.{name} key", f"{fault.type} has {known}, no `{name}`")
    needed = NEEDED.get(fault.type)
    if needed and needed not in fault.attributes:
        yield Flaw(path, f"{fault.type} needs `attributes: {{{needed}: …}}`")
    yield from _range(fault.toxicity, 0, 1, f"{path}.toxicity")


def _ramp_flaws(ramp: RampDocument, path: str) -> Iterator[Flaw]:
    if not ramp.percents:
        yield Flaw(f"{path}.percents", "no percents; write such as [1, 10, 50, 100]")
    for index, percent in enumerate(ramp.percents):
        yield from _range(percent, 0, PERCENT_SUM, f"{path}.percents[{index}]")
    if ramp.old == ramp.new:
        yield Flaw(f"{path}.to", "`from` and `to` are the same revision")


def _load_flaws(load: model.Load, path: str, loads: Mapping[str, str]) -> Iterator[Flaw]:
    if (load.requests is None) == (load.rate is None):
        yield Flaw(path, "give either `requests` or `rate`")
    if load.requests is not None:
        yield from _range(load.requests, 1, REQUESTS_MAX, f"{path}.requests")
        if load.background or load.duration:
            word = "background" if load.background else "duration"
            yield Flaw(f"{path}.{word}", f"`{word}` goes with `rate`, not with `requests`")
    if load.rate is not None:
        yield from _range(load.rate, 0.001, RATE_MAX_PER_S, f"{path}.rate")
        if not load.duration and not load.background:
            yield Flaw(path, "a `rate` needs a `duration` such as 10s, or `background: NAME`")
        yield from _length_flaws(load, load.rate, path)
    yield from _range(load.connections, 1, CONNECTIONS_MAX, f"{path}.connections")
    yield from _duration(load.timeout, f"{path}.timeout")
    for name, value in load.headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or name.lower() in FRAMING:
            yield Flaw(f"{path}.headers", f"{name!r} is no header that a load can set")
        if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", value):
            yield Flaw(f"{path}.headers.{name}", "a header's value is printable ASCII")
    if load.arrivals == "poisson" and load.rate is None:
        yield Flaw(f"{path}.arrivals", "`arrivals` goes with `rate`, not with `requests`")
    if load.path and load.paths:
        yield Flaw(f"{path}.paths", "give either `path` or `paths`")
    for name, one in (("path", load.path), *((f"paths[{i}]", p) for i, p in enumerate(load.paths))):
        if (one or name != "path") and not re.fullmatch(r"/[!-~]*", one):
            yield Flaw(f"{path}.{name}", "a path starts with `/` and is percent-encoded")
    if load.background in loads:
        yield Flaw(f"{path}.background", f"a load named {load.background!r} is running already")


def _length_flaws(load: model.Load, rate: float, path: str) -> Iterator[Flaw]:
    length = BACKGROUND_S_MAX
    if load.duration:
        flaws = list(_duration(load.duration, f"{path}.duration"))
        yield from flaws
        if flaws:
            return
        length = seconds(load.duration)
    if rate * length > REQUESTS_MAX:
        why = f"{rate:g} per second for {length:g} s are more than {REQUESTS_MAX} requests"
        yield Flaw(path, f"{why}; shorten `duration` or lower `rate`")


def _expect_flaws(
    expect: model.Expect, path: str, loads: dict[str, str], *, before: bool
) -> Iterator[Flaw]:
    kinds = model.Expect.__struct_fields__
    given = [kind for kind in kinds if getattr(expect, kind) is not None]
    if len(given) != 1:
        got = f"got {' and '.join(given)}" if given else "got none"
        yield Flaw(path, f"an expect holds exactly one of {', '.join(kinds)}; {got}")
        return
    path = f"{path}.{given[0]}"
    if expect.answers is not None:
        yield from _answers_flaws(expect.answers, path, loads, before=before)
    elif expect.condition is not None:
        if bool(expect.condition.service) == bool(expect.condition.revision):
            yield Flaw(path, "give either `service` or `revision`")
        yield from _duration(expect.condition.within, f"{path}.within")
    elif expect.response is not None:
        if not re.fullmatch(r"/[!-~]*", expect.response.path):
            yield Flaw(f"{path}.path", "a path starts with `/` and is percent-encoded")
    elif expect.traffic is not None:
        yield from _split_flaws(expect.traffic.split, f"{path}.split")
    elif expect.latency is not None:
        yield from _latency_flaws(expect.latency, path, loads, before=before)
    elif expect.event is not None:
        yield from _duration(expect.event.within, f"{path}.within")
    elif expect.log is not None:
        yield from _duration(expect.log.within, f"{path}.within")


def _latency_flaws(
    claim: model.LatencyClaim, path: str, loads: Mapping[str, str], *, before: bool
) -> Iterator[Flaw]:
    yield from _of_flaws(claim.of, path, loads, before=before)
    bounds = {name: getattr(claim, name) for name in PERCENTILES}
    if not any(bounds.values()):
        yield Flaw(path, f"give at least one of {', '.join(PERCENTILES)}")
    for name, bound in bounds.items():
        if bound:
            yield from _duration(bound, f"{path}.{name}")


def _of_flaws(of: str, path: str, loads: Mapping[str, str], *, before: bool) -> Iterator[Flaw]:
    if of and of not in loads:
        running = f"running are {', '.join(sorted(loads))}" if loads else "none is running"
        yield Flaw(f"{path}.of", f"no background load is named {of!r}; {running}")
    if not of and not before:
        yield Flaw(path, "no load came before; add a `load` step, or name a background load: `of`")


def _answers_flaws(
    claim: model.AnswersClaim, path: str, loads: dict[str, str], *, before: bool
) -> Iterator[Flaw]:
    yield from _of_flaws(claim.of, path, loads, before=before)
    if claim.next is not None:
        yield from _range(claim.next, 1, REQUESTS_MAX, f"{path}.next")
        if not claim.of:
            yield Flaw(f"{path}.next", "`next` looks at a background load; name it with `of`")
    elif claim.of:
        loads.pop(claim.of, None)
    if claim.split:
        yield from _split_flaws(claim.split, f"{path}.split")
    if claim.within is not None:
        yield from _range(claim.within, 0, REQUESTS_MAX, f"{path}.within")
        if not claim.split:
            yield Flaw(f"{path}.within", "`within` is the bound of a `split`, which is missing")
        if claim.splitter == "random":
            yield Flaw(f"{path}.within", "`random` promises no bound; leave `within` out")
    if claim.failing and claim.errors:
        yield Flaw(f"{path}.errors", "`failing` says who fails; leave `errors` out")
    if not 0 < claim.detectable < PERCENT_SUM:
        yield Flaw(f"{path}.detectable", f"{claim.detectable:g} points; want 0 to 100, exclusive")
    if claim.order and (claim.of or len(claim.split) < 2):
        yield Flaw(f"{path}.order", "`order` needs a `split` and a load that is not concurrent")


def _split_flaws(split: dict[str, int], path: str) -> Iterator[Flaw]:
    for revision, percent in split.items():
        yield from _range(percent, 0, PERCENT_SUM, f"{path}.{revision}")
    if sum(split.values()) != PERCENT_SUM:
        yield Flaw(path, f"the percentages sum to {sum(split.values())}, want {PERCENT_SUM}")


def _range(value: float, least: float, most: float, path: str) -> Iterator[Flaw]:
    if not least <= value <= most:
        yield Flaw(path, f"{value:g} is out of range; allowed is {least:g} to {most:g}")


def _duration(text: str, path: str) -> Iterator[Flaw]:
    try:
        length = seconds(text)
    except ValueError:
        yield Flaw(path, f"{text!r} is no duration; write 500ms, 10s or 1m30s")
        return
    if length <= 0:
        yield Flaw(path, f"{text} is not positive")


def seconds(text: str) -> float:
    """Return the seconds of a duration like "500ms" or "1m30s". Raise ValueError."""
    return parse_duration(text) / SECOND
