"""How fast a gradual rollout goes, what is kept of it, and what always holds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.durations import MILLISECOND, SECOND
from simulator.resources.serving import TrafficTarget
from simulator.traffic.rollout import (
    ConfigurationRollout,
    StepParams,
    deserialize,
    goal,
    is_over,
    observe_ready,
    serialize,
    step,
    traffic_in_progress,
)
from simulator.traffic.targets import Assigned, Target
from tests.support.rollouts import moving, rollout

NOW = 2020
A = {"a": 100}
START = 1_700_000_000 * SECOND

LONG_AGO = 198219841988
PACES = [
    pytest.param(100, 200620092020, 1_202_020_202, 1, id="within a second: 1 % a step"),
    pytest.param(100, LONG_AGO, 3 * SECOND, 3, id="the first step took 3 s, so each does"),
    pytest.param(75, LONG_AGO, 3 * SECOND, 2, id="a size above one and a half is two"),
    pytest.param(50, LONG_AGO, 3 * SECOND, 1, id="a size below is one"),
    pytest.param(13, 14921812, SECOND, 12, id="it took longer than all should: one step"),
]


@pytest.mark.parametrize(("percent", "start", "duration", "size"), PACES)
def test_the_pace(percent: int, start: int, duration: int, size: int) -> None:
    now = 200620092020 + 1982
    begun = rollout(moving("x", {"a": percent - 1, "b": 1}, start_time=start))
    (paced,) = observe_ready(begun, now, 120.0).configurations
    assert paced.step_params == StepParams(start, now + duration, duration, size)


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(moving("x", A), id="no rollout"),
        pytest.param(moving("x", {"a": 9, "b": 1}, step_duration=11), id="a pace is known"),
        pytest.param(moving("x", {"b": 1}, start_time=5), id="nothing to move"),
    ],
)
def test_a_pace_is_given_once_and_only_to_a_rollout(one: ConfigurationRollout) -> None:
    assert observe_ready(rollout(one), START, 60.0) == rollout(one)


class Ramp:
    """A rollout of Configuration x as the controller drives it, each step at its moment."""

    def __init__(self, duration_s: float, *, percent: int = 100, ready_after: int = MILLISECOND):
        self.now = START
        self.duration_s = duration_s
        self.wanted = rollout(moving("x", {"b": percent}))
        before = rollout(moving("x", {"a": percent}))
        self.state = step(self.wanted, before, self.now)
        self.now += ready_after
        self.look()

    def look(self) -> None:
        """Do as the controller does when it finds the Ingress ready."""
        known = deserialize(serialize(self.state.rollout))
        assert known is not None
        paced = observe_ready(known, self.now, self.duration_s)
        self.state = step(self.wanted, paced, self.now)

    def advance(self) -> None:
        self.now = self.state.next_step_time
        self.look()

    def shares(self) -> dict[str, int]:
        (one,) = self.state.rollout.configurations
        return {revision.revision_name: revision.percent for revision in one.revisions}

    def to_the_end(self) -> list[int]:
        """Return the newest revision's percents, from now to the end."""
        percents = [self.shares()["b"]]
        while not is_over(self.state.rollout):
            self.advance()
            percents.append(self.shares()["b"])
        return percents


RAMPS = [
    pytest.param(60.0, 100, [*range(1, 100, 2), 100], 50, id="60 s: 50 steps of 2 %, one a second"),
    pytest.param(5.0, 100, [1, 26, 51, 76, 100], 4, id="5 s: 4 steps"),
    pytest.param(4.0, 100, [1, 34, 67, 100], 3, id="4 s: 3 steps"),
    pytest.param(1.0, 100, [1, 100], 1, id="1 s: one step"),
    pytest.param(60.0, 10, list(range(1, 11)), 59, id="10 %: 1 % a step, over the whole time"),
    pytest.param(3600.0, 2, [1, 2], 3599, id="2 %: one step at the end"),
]


@pytest.mark.parametrize(("duration_s", "percent", "percents", "took_s"), RAMPS)
def test_a_whole_ramp(duration_s: float, percent: int, percents: list[int], took_s: int) -> None:
    ramp = Ramp(duration_s, percent=percent)
    assert ramp.to_the_end() == percents
    assert (ramp.now - START) / SECOND == pytest.approx(took_s, abs=0.01)
    assert ramp.state.next_step_time == 0


def test_a_look_in_between_changes_nothing() -> None:
    ramp = Ramp(60.0)
    state, ramp.now = ramp.state, ramp.now + SECOND // 2
    ramp.look()
    assert ramp.state == state


def test_after_a_long_absence_one_step_is_made_and_the_ramp_goes_on_at_its_pace() -> None:
    ramp = Ramp(60.0)
    ramp.now += 3600 * SECOND
    ramp.look()
    assert ramp.shares() == {"a": 97, "b": 3}
    assert ramp.state.next_step_time == ramp.now + SECOND


SPLIT = Assigned(
    (
        Target("b", 60, latest_revision=True, configuration_name="x"),
        Target("b", 0, "next", latest_revision=True, configuration_name="x"),
        Target("z", 40, "old", configuration_name="x"),
    ),
    {
        "": (
            Target("b", 60, latest_revision=True, configuration_name="x"),
            Target("z", 40, configuration_name="x"),
        ),
        "next": (Target("b", 100, latest_revision=True, configuration_name="x"),),
        "old": (Target("z", 100, configuration_name="x"),),
    },
)


def test_only_latest_targets_with_traffic_are_ever_moved_gradually() -> None:
    assert goal(SPLIT) == rollout(moving("x", {"b": 60}), moving("x", {"b": 100}, tag="next"))
    idle = Assigned((), {"": (Target("b", 0, latest_revision=True, configuration_name="x"),)})
    assert goal(idle) == rollout()


def test_status_tells_every_revision_that_a_latest_target_stands_for() -> None:
    state = rollout(moving("x", {"a": 40, "b": 20}), moving("x", {"a": 90, "b": 10}, tag="next"))
    urls = {"next": "http://next", "old": "http://old"}
    told = traffic_in_progress(SPLIT, state, urls)
    latest = {"latest_revision": True}
    assert told == (
        TrafficTarget(revision_name="a", percent=40, **latest),
        TrafficTarget(revision_name="b", percent=20, **latest),
        TrafficTarget("next", "a", percent=90, url="http://next", **latest),
        TrafficTarget("next", "b", percent=10, url="http://next", **latest),
        TrafficTarget("old", "z", latest_revision=False, percent=40, url="http://old"),
    )


def test_the_state_is_written_as_knatives() -> None:
    state = rollout(
        moving(
            "x", {"a": 99, "b": 1}, start_time=5, next_step_time=7, step_duration=2, step_size=3
        ),
        moving("x", {"b": 100}, tag="t"),
    )
    assert msgspec.json.decode(serialize(state)) == {
        "configurations": [
            {
                "configurationName": "x",
                "percent": 100,
                "revisions": [
                    {"revisionName": "a", "percent": 99},
                    {"revisionName": "b", "percent": 1},
                ],
                "stepParams": {
                    "starttime": 5,
                    "nextStepTime": 7,
                    "stepDuration": 2,
                    "stepSize": 3,
                },
            },
            {
                "configurationName": "x",
                "tag": "t",
                "percent": 100,
                "revisions": [{"revisionName": "b", "percent": 100}],
                "stepParams": {},
            },
        ]
    }
    assert deserialize(serialize(state)) == state
    assert serialize(rollout()) == "{}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param('{"configurations":[{"percent":1}]}', id="no name"),
        pytest.param(serialize(rollout(moving("x", {"a": 101}))), id="more than 100 %"),
        pytest.param(serialize(rollout(moving("x", A), moving("y", {"a": 101}))), id="the second"),
        pytest.param(serialize(rollout(moving("x", {"a": 5}, step_size=6))), id="a step above all"),
        pytest.param(serialize(rollout(moving("x", {"a": 5}, step_size=-1))), id="a step back"),
        pytest.param(serialize(rollout(moving("x", {"a": 6, "b": -1}))), id="a negative percent"),
        pytest.param(
            '{"configurations":[{"configurationName":"x","percent":9,"revisions":'
            '[{"revisionName":"a","percent":8}]}]}',
            id="a sum that is not the percent",
        ),
    ],
)
def test_a_state_that_cannot_be_is_none(text: str) -> None:
    assert deserialize(text) is None


# What always holds -----------------------------------------------------------------------------

MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("time"), st.integers(0, 20_000)),
        st.tuples(st.just("percent"), st.integers(0, 100)),
        st.tuples(st.just("revision"), st.integers(0, 3)),
        st.tuples(st.just("ready"), st.just(0)),
    ),
    max_size=40,
)


@given(MOVES, st.integers(1, 120), st.integers(1, 100))
def test_percents_always_sum_to_the_target_whatever_happens_in_between(
    moves: list[tuple[str, int]], duration_s: int, percent: int
) -> None:
    now, newest = START, "r0"
    state = rollout(moving("x", {newest: percent}))
    for what, amount in moves:
        if what == "time":
            now += amount * MILLISECOND
        elif what == "percent":
            percent = amount
        elif what == "revision":
            newest = f"r{amount}"
        else:
            state = observe_ready(state, now, float(duration_s))
        wanted = rollout(moving("x", {newest: percent})) if percent else rollout()
        state = step(wanted, deserialize(serialize(state)), now).rollout
        if not percent:
            assert state == rollout()
            continue
        (one,) = state.configurations
        assert one.percent == percent == sum(each.percent for each in one.revisions)
        assert all(each.percent > 0 for each in one.revisions)
        assert one.revisions[-1].revision_name == newest


@given(
    st.integers(1, 4000),
    st.integers(2, 100),
    st.integers(0, 300 * 1000),
    st.lists(st.integers(0, 5_000 * MILLISECOND), min_size=1, max_size=10),
)
def test_an_undisturbed_ramp_only_rises_and_ends_after_the_steps_that_it_needs(
    duration_s: int, percent: int, ready_after_ms: int, late: list[int]
) -> None:
    ramp = Ramp(float(duration_s), percent=percent, ready_after=ready_after_ms * MILLISECOND)
    (begun,) = ramp.state.rollout.configurations
    size = begun.step_params.step_size
    assert size >= 1
    percents = [1]
    while not is_over(ramp.state.rollout):
        ramp.now = ramp.state.next_step_time + late[len(percents) % len(late)]
        ramp.look()
        shares = ramp.shares()
        assert sum(shares.values()) == percent
        percents.append(shares["b"])
    assert percents == sorted(set(percents))
    assert percents[-1] == percent
    assert len(percents) - 1 == -(-(percent - 1) // size)
