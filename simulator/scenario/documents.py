"""A scenario's file as it is written: what `reading` decodes, and the JSON Schema for editors."""

from __future__ import annotations

from msgspec import Struct, field

from simulator.scenario.model import Apply, Command, Expect, Fault, Load, Rollback, Traffic, Wait

DEPTH_MAX = 4  # steps within steps


class RepeatDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """Play `steps` so many `times`."""

    times: int
    steps: tuple[StepDocument, ...]


class RampDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """Move a service's traffic from one revision to another, by one of `percents` after the other.

    After each change the `steps` are played, which may judge it.
    """

    service: str
    old: str = field(name="from")
    new: str = field(name="to")
    percents: tuple[int, ...]
    steps: tuple[StepDocument, ...] = ()


class BranchDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """Steps that are played while the other branches' are."""

    steps: tuple[StepDocument, ...]
    name: str = ""


class StepDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """A step does one thing. `title` begins a chapter; `why` and `show` are for the reader."""

    title: str = ""
    why: str = ""
    show: str = ""
    apply: Apply | None = None
    command: str | Command | None = None
    load: Load | None = None
    traffic: Traffic | None = None
    rollback: str | Rollback | None = None
    fault: Fault | None = None
    wait: str | Wait | None = None
    expect: Expect | None = None
    repeat: RepeatDocument | None = None
    ramp: RampDocument | None = None
    parallel: tuple[BranchDocument, ...] | None = None


VERBS = StepDocument.__struct_fields__[3:]


class ScenarioDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """A story in steps, which `knary run` plays and judges."""

    title: str
    steps: tuple[StepDocument, ...]
    why: str = ""
    namespace: str = "default"
