"""A gradual rollout: how a Configuration's traffic moves to its newest revision, step by step.

The state is a value, written as JSON into the Ingress's annotation, so that a control plane that
starts again goes on from it. Moments and durations are nanoseconds unless their name ends in `_s`.
Source: knative/serving `pkg/reconciler/route/traffic/rollout.go`, names and arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct, field

from simulator.resources.durations import SECOND
from simulator.resources.serving import TrafficTarget
from simulator.traffic.targets import Assigned, reported


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A part of the state: what Go's `omitempty` leaves out is absent."""


class StepParams(_Part, frozen=True):
    """The pace. Without a `step_duration` the first 1 % is not served yet: no pace is known."""

    start_time: int = field(default=0, name="starttime")
    next_step_time: int = 0
    step_duration: int = 0
    step_size: int = 0  # percents moved in one step


class RevisionRollout(_Part, frozen=True):
    """`percent` is of the whole group's requests, not of the Configuration's part of them."""

    revision_name: str
    percent: int


class ConfigurationRollout(_Part, frozen=True, kw_only=True):
    """A Configuration in one group of the traffic ("" or a tag).

    `revisions` go from the oldest to the newest and sum to `percent`; one of them: no rollout.
    """

    configuration_name: str
    tag: str = ""
    percent: int
    revisions: tuple[RevisionRollout, ...] = ()
    step_params: StepParams = field(default_factory=StepParams)


class Rollout(_Part, frozen=True):
    """Every Configuration whose latest revision gets traffic, by tag, then by name."""

    configurations: tuple[ConfigurationRollout, ...] = ()

    def of(self, tag: str, configuration: str) -> ConfigurationRollout | None:
        """Return the state of a Configuration in the group of this tag, if it is there."""
        for one in self.configurations:
            if (one.tag, one.configuration_name) == (tag, configuration):
                return one
        return None


class Stepped(Struct, frozen=True):
    """The traffic as it should be now, and when it should move on: 0 when nothing is due."""

    rollout: Rollout
    next_step_time: int = 0


def is_over(rollout: Rollout) -> bool:
    """Tell whether no Configuration has more than its newest revision."""
    return all(len(one.revisions) < 2 for one in rollout.configurations)


def goal(assigned: Assigned) -> Rollout:
    """Return the state that every rollout ends in: each latest revision has it all."""
    return _sorted(
        ConfigurationRollout(
            configuration_name=target.configuration_name,
            tag=tag,
            percent=target.percent,
            revisions=(RevisionRollout(target.revision_name, target.percent),),
        )
        for tag, targets in assigned.groups.items()
        for target in targets
        if target.latest_revision and target.percent
    )


def traffic_in_progress(
    assigned: Assigned, rollout: Rollout, urls: Mapping[str, str]
) -> tuple[TrafficTarget, ...]:
    """Return status.traffic while a rollout goes on: an entry per revision of a latest target.

    A target with a tag shows the percents of the tag's own host, as Knative's.
    """
    entries: list[TrafficTarget] = []
    for target in assigned.targets:
        moving = None
        if target.latest_revision:
            moving = rollout.of(target.tag, target.configuration_name)
        if moving is None:
            entries.append(reported(target, target.revision_name, target.percent, urls))
        else:
            entries += [
                reported(target, one.revision_name, one.percent, urls) for one in moving.revisions
            ]
    return tuple(entries)


def serialize(rollout: Rollout) -> str:
    """Return the state as the annotation has it."""
    return msgspec.json.encode(rollout).decode()


def deserialize(text: str) -> Rollout | None:
    """Return the state that an annotation tells; None when it tells none that can be."""
    try:
        rollout = _decoder.decode(text)
    except msgspec.MsgspecError:
        return None
    return rollout if all(_is_sound(one) for one in rollout.configurations) else None


def observe_ready(rollout: Rollout, now: int, duration_s: float) -> Rollout:
    """Give a pace to the rollouts whose first step the gateway has just begun to serve."""
    return Rollout(
        configurations=tuple(_paced(one, now, duration_s) for one in rollout.configurations)
    )


def step(wanted: Rollout, before: Rollout | None, now: int) -> Stepped:
    """Return what leads from the state before towards the goal `wanted`.

    A new revision of a Configuration that had traffic begins with 1 %; a Configuration or a tag
    that is new, or has 1 % in all, gets what it should have at once.
    """
    if before is None or not before.configurations:
        return Stepped(wanted)
    after: list[ConfigurationRollout] = []
    for one in wanted.configurations:
        known = before.of(one.tag, one.configuration_name)
        after.append(one if known is None or one.percent <= 1 else _stepped(one, known, now))
    times = (one.step_params.next_step_time for one in after)
    return Stepped(_sorted(after), min((time for time in times if time > 0), default=0))


def _sorted(configurations: Iterable[ConfigurationRollout]) -> Rollout:
    by_group = sorted(configurations, key=lambda one: (one.tag, one.configuration_name))
    return Rollout(tuple(by_group))


def _is_sound(one: ConfigurationRollout) -> bool:
    return (
        0 <= one.percent <= 100
        and 0 <= one.step_params.step_size <= one.percent
        and all(revision.percent >= 0 for revision in one.revisions)
        and sum(revision.percent for revision in one.revisions) == one.percent
    )


def _stepped(
    wanted: ConfigurationRollout, before: ConfigurationRollout, now: int
) -> ConfigurationRollout:
    newest = wanted.revisions[0]
    known = _adjusted(before, wanted.percent)
    if not known or known[-1].revision_name == newest.revision_name:
        if len(known) < 2:
            return wanted
        moving = msgspec.structs.replace(wanted, revisions=known, step_params=before.step_params)
        return _moved(moving, now)
    return msgspec.structs.replace(
        wanted,
        revisions=_with_first_percent(known, newest.revision_name),
        step_params=StepParams(start_time=now),
    )


def _with_first_percent(
    revisions: tuple[RevisionRollout, ...], newest: str
) -> tuple[RevisionRollout, ...]:
    """Return the revisions and the newest with 1 %, taken from the youngest that has any."""
    shares = [(one.revision_name, one.percent) for one in revisions]
    for i in reversed(range(len(shares))):
        name, percent = shares[i]
        if percent > 0:
            shares[i] = name, percent - 1
            break
    shares.append((newest, 1))
    return tuple(RevisionRollout(name, percent) for name, percent in shares if percent)


def _adjusted(one: ConfigurationRollout, percent: int) -> tuple[RevisionRollout, ...]:
    """Return its revisions for another percent: the newest gains, the oldest lose first."""
    revisions = list(one.revisions)
    excess = one.percent - percent
    if not revisions:
        return ()
    if excess < 0:
        revisions[-1] = _plus(revisions[-1], -excess)
    while excess > 0 and revisions:
        if revisions[0].percent > excess:
            revisions[0] = _plus(revisions[0], -excess)
            break
        excess -= revisions.pop(0).percent
    return tuple(revisions)


def _moved(one: ConfigurationRollout, now: int) -> ConfigurationRollout:
    """Move one step to the newest revision if that is due, from the next newest first."""
    pace = one.step_params
    if pace.step_size <= 0 or now < pace.next_step_time:
        return one
    *older, newest = one.revisions
    owed = pace.step_size
    while owed > 0 and older:
        if older[-1].percent > owed:
            older[-1] = _plus(older[-1], -owed)
            break
        owed -= older.pop().percent
    # The last step may be larger than what is left to move.
    percent = min(newest.percent + pace.step_size, one.percent)
    newest = msgspec.structs.replace(newest, percent=percent)
    if older:
        pace = msgspec.structs.replace(pace, next_step_time=now + pace.step_duration)
    else:
        pace = StepParams()
    return msgspec.structs.replace(one, revisions=(*older, newest), step_params=pace)


def _paced(one: ConfigurationRollout, now: int, duration_s: float) -> ConfigurationRollout:
    """Choose steps of equal size that fit in what is left of the duration.

    To serve the first 1 % took a while; no step is made faster than that, nor than a second.
    The arithmetic is in floating point, as Knative's, so that the numbers are the same.
    """
    pace = one.step_params
    if pace.step_duration or pace.start_time <= 0 or one.percent < 2:
        return one
    step_s_min = max(1.0, float(math.ceil((now - pace.start_time) / SECOND)))
    left_s = max(1.0, duration_s - step_s_min)
    to_move = float(one.percent - 1)
    steps = min(max(1.0, left_s / step_s_min), to_move)
    step_duration = left_s / steps * SECOND
    return msgspec.structs.replace(
        one,
        step_params=StepParams(
            start_time=pace.start_time,
            next_step_time=int(now + step_duration),
            step_duration=int(step_duration),
            step_size=math.floor(to_move / steps + 0.5),  # half away from zero, as Go rounds
        ),
    )


def _plus(one: RevisionRollout, percent: int) -> RevisionRollout:
    return msgspec.structs.replace(one, percent=one.percent + percent)


_decoder = msgspec.json.Decoder(Rollout)
