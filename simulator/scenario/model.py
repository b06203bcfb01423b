"""A scenario as typed steps. `reading` makes them from YAML; the fields are the file's words.

A step is one verb (`apply`, `command`, `load` or `expect`); `title` begins a numbered chapter.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

SPLITTERS = ("stratified", "exact", "random")


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

    `background` names a load that goes on during the steps that follow, until an `expect` judges
    the whole of it. `rate` is per second; `duration` and `timeout` are like "500ms" or "10s".
    `path` "" is what the protocol has for it: "/", or the method SayHello of gRPC's Greeter.
    """

    service: str
    requests: int | None = None
    connections: int = 1
    rate: float | None = None
    duration: str = ""
    background: str = ""
    protocol: Literal["http1", "h2c", "grpc"] = "http1"
    path: str = ""
    timeout: str = "10s"


class AnswersClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold of a load's answers: of all of them, or of the `next` ones of `of`.

    `of` names a background load ("" is the load just before). Without `next`, a background load
    is ended first. `split` is percent per revision; the bound is the splitter's own unless
    `within` gives one in requests. `say` is the first line of the body, per revision.
    """

    of: str = ""
    next: int | None = None
    errors: int = 0
    split: dict[str, int] = field(default_factory=dict)
    splitter: Literal["stratified", "exact", "random"] = "stratified"
    within: int | None = None
    none_to: tuple[str, ...] = ()
    say: dict[str, str] = field(default_factory=dict)
    order: Literal["", "unpredictable"] = ""


class ResponseClaim(Struct, frozen=True, forbid_unknown_fields=True):
    """One request to a service answers with this status and, if given, this body.

    White space around the body does not count.
    """

    service: str
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


class Expect(Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one kind of claim."""

    answers: AnswersClaim | None = None
    response: ResponseClaim | None = None
    condition: ConditionClaim | None = None
    traffic: TrafficClaim | None = None

    @property
    def claim(self) -> AnswersClaim | ResponseClaim | ConditionClaim | TrafficClaim:
        """Return the claim that is given; `reading` made sure that there is one."""
        claim = self.answers or self.response or self.condition or self.traffic
        assert claim is not None  # noqa: S101
        return claim


Action = Apply | Command | Load | Expect


class StepDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """A step as it is written."""

    title: str = ""
    why: str = ""
    show: str = ""
    apply: Apply | None = None
    command: str | Command | None = None
    load: Load | None = None
    expect: Expect | None = None


class ScenarioDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """A file as it is written."""

    title: str
    steps: tuple[StepDocument, ...]
    why: str = ""
    namespace: str = "default"


class Step(Struct, frozen=True):
    """One action, and the words around it. `line` is where it begins in its file."""

    action: Action
    line: int
    title: str = ""
    why: str = ""
    show: str = ""


class Scenario(Struct, frozen=True):
    """A story in steps. `source` is the file's path; files in steps are relative to it."""

    title: str
    why: str
    namespace: str
    steps: tuple[Step, ...]
    source: str

    @property
    def chapters(self) -> int:
        return sum(bool(step.title) for step in self.steps)
