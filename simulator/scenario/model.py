"""A scenario as typed steps. `reading` makes them from YAML; the fields are the file's words.

A step is one verb; `title` begins a numbered chapter. `repeat`, `ramp` and `parallel` hold steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct, field


class Apply(Struct, frozen=True, forbid_unknown_fields=True):
    """`knary apply`: one manifest, written inline or in a file beside the scenario.

    With `refused`, the API must refuse it with a message that contains this text, and the object
    must be exactly as it was before.
    """

    manifest: dict[str, Any] | None = None
    file: str = ""
    refused: str = ""


class Command(Struct, frozen=True, forbid_unknown_fields=True):
    """A `knary` command line as a user types it; no shell reads it.

    It must end with the exit status `exit`, and print each text of `output` (on either stream).
    """

    run: str
    exit: int = 0
    output: tuple[str, ...] = ()


class Load(Struct, frozen=True, forbid_unknown_fields=True):
    """Requests to a service's host: `requests` over `connections`, or `rate` for `duration`.

    `tag` asks the host of a tag of the service. `background` names a load that goes on during the
    steps that follow, until an `expect` judges the whole of it. `rate` is per second; `duration`
    and `timeout` are like "500ms" or "10s".
    `path` "" is what the protocol has for it: "/", or the method SayHello of gRPC's Greeter.
    `paths` are asked for in turn. `arrivals: poisson` sends at the same rate as independent users
    would.
    """

    service: str
    requests: int | None = None
    connections: int = 1
    rate: float | None = None
    duration: str = ""
    background: str = ""
    tag: str = ""
    protocol: Literal["http1", "h2c", "grpc"] = "http1"
    path: str = ""
    paths: tuple[str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    arrivals: Literal["constant", "poisson"] = "constant"
    timeout: str = "10s"


class Traffic(Struct, frozen=True, forbid_unknown_fields=True):
    """`knary service update --traffic`: percent per revision, `@latest` for the newest one.

    The step is over once every gateway worker obeys.
    """

    service: str
    split: dict[str, int]


class Rollback(Struct, frozen=True, forbid_unknown_fields=True):
    """`knary rollback`: all traffic to the revision `to`, or to the newest older ready one."""

    service: str
    to: str = ""


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """`knary fault add`: something goes wrong with a share of a service's requests from now on.

    `attributes` are those of the type, such as `latency: 200ms`. With `clear` and no type all
    faults of the service go, or all there are.
    """

    service: str = ""
    type: str = ""
    revision: str = ""
    tag: str = ""
    toxicity: float = 1.0
    attributes: dict[str, str | int | float] = field(default_factory=dict)
    clear: bool = False


class Wait(Struct, frozen=True, forbid_unknown_fields=True):
    """Go on when a condition of a service or revision is as told, at most `within` a time.

    Unlike a claim of `expect` it stops the scenario if that does not happen. With `pause` it is so
    long a time and nothing else.
    """

    service: str = ""
    revision: str = ""
    type: str = "Ready"
    status: Literal["True", "False", "Unknown"] = "True"
    reason: str = ""
    within: str = "60s"
    pause: str = ""

    @property
    def condition(self) -> ConditionClaim:
        """Return what must come true."""
        return ConditionClaim(
            service=self.service,
            revision=self.revision,
            type=self.type,
            status=self.status,
            reason=self.reason,
            within=self.within,
        )


class AnswersClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold of a load's answers: of all of them, or of the `next` ones of `of`.

    `of` names a background load ("" is the load just before). Without `next`, a background load
    is ended first. `split` is percent per revision; the bound is the splitter's own unless
    `within` gives one in requests. `splitter` "" is what the service is split by; where that has
    no bound, or is not known, a sequential test decides, which no error of `detectable` points
    passes. `say` is the first line of the body, per revision. With `failing` some requests to each
    of these revisions failed, and no other request. With `stays` one revision answered them all.
    """

    of: str = ""
    next: int | None = None
    errors: int = 0
    split: dict[str, int] = field(default_factory=dict)
    splitter: Literal["", "stratified", "exact", "random", "unknown"] = ""
    detectable: float = 5.0
    within: int | None = None
    none_to: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    stays: bool = False
    say: dict[str, str] = field(default_factory=dict)
    order: Literal["", "unpredictable"] = ""


class ResponseClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """One request to a service answers with this status and, if given, this body.

    White space around the body does not count. `tag` asks the host of a tag of the service.
    """

    service: str
    tag: str = ""
    status: int = 200
    body: str | None = None
    path: str = "/"


class ConditionClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition of a service or revision is, or becomes `within` a time, as told.

    It must speak of the object's present generation. `message` is a text that it contains.
    """

    service: str = ""
    revision: str = ""
    type: str = "Ready"
    status: Literal["True", "False", "Unknown"] = "True"
    reason: str = ""
    message: str = ""
    within: str = "10s"


class TrafficClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """A service reports that its traffic goes to these revisions, in percent."""

    service: str
    split: dict[str, int]


class LatencyClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """How fast a load was answered, from the planned moments: each percentile at most so long.

    `of` names a background load, which goes on ("" is the load just before); with `revision` only
    its answers count. Failed requests do not count; `answers` is about them.
    """

    of: str = ""
    revision: str = ""
    p50: str = ""
    p90: str = ""
    p95: str = ""
    p99: str = ""
    max: str = ""


class EventClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """An Event about an object is there, or comes `within` a time.

    `about` is the object's name. `message` is a text that it contains.
    """

    about: str
    reason: str = ""
    message: str = ""
    type: Literal["", "Normal", "Warning"] = ""
    within: str = "10s"


class LogClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """What a service's or revision's replicas printed contains a text, or will `within` a time."""

    of: str
    contains: str
    within: str = "10s"


class Expect(Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one kind of claim."""

    answers: AnswersClaim | None = None
    response: ResponseClaim | None = None
    condition: ConditionClaim | None = None
    traffic: TrafficClaim | None = None
    latency: LatencyClaim | None = None
    event: EventClaim | None = None
    log: LogClaim | None = None

    @property
    def claim(self) -> Claim:
        """Return the claim that is given; `reading` made sure that there is one."""
        given = (getattr(self, name) for name in self.__struct_fields__)
        claim: Claim | None = next((claim for claim in given if claim is not None), None)
        assert claim is not None  # noqa: S101
        return claim


Claim = (
    AnswersClaim
    | ResponseClaim
    | ConditionClaim
    | TrafficClaim
    | LatencyClaim
    | EventClaim
    | LogClaim
)


class Repeat(Struct, frozen=True):
    """The same steps so many times."""

    times: int
    steps: tuple[Step, ...]


class Ramp(Struct, frozen=True):
    """Traffic from one revision to another by one percent after the other, each with `steps`."""

    service: str
    old: str
    new: str
    percents: tuple[int, ...]
    steps: tuple[Step, ...]


class Branch(Struct, frozen=True):
    """Steps that are played beside those of other branches."""

    name: str
    steps: tuple[Step, ...]


class Parallel(Struct, frozen=True):
    """Branches that are played at the same time, until all are over."""

    branches: tuple[Branch, ...]


Action = (
    Apply | Command | Load | Traffic | Rollback | Fault | Wait | Expect | Repeat | Ramp | Parallel
)


class Step(Struct, frozen=True):
    """One action, and the words around it. `line` is where it begins in its file."""

    action: Action
    line: int
    title: str = ""
    why: str = ""
    show: str = ""

    @property
    def below(self) -> Iterator[Step]:
        """Yield this step and all that it holds, in the order of the file."""
        yield self
        match self.action:
            case Repeat(steps=steps) | Ramp(steps=steps):
                inner = [steps]
            case Parallel(branches=branches):
                inner = [branch.steps for branch in branches]
            case _:
                inner = []
        for steps in inner:
            for step in steps:
                yield from step.below


class Scenario(Struct, frozen=True):
    """A story in steps. `source` is the file's path; files in steps are relative to it."""

    title: str
    why: str
    namespace: str
    steps: tuple[Step, ...]
    source: str

    @property
    def chapters(self) -> int:
        return sum(bool(step.title) for step in self.all_steps)

    @property
    def all_steps(self) -> list[Step]:
        """Return every step, those within others too, in the order of the file."""
        return [inner for step in self.steps for inner in step.below]
