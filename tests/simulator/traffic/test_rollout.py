"""A gradual rollout, in the numbers of knative/serving's own examples, and what always holds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.durations import MILLISECOND, SECOND
from simulator.resources.serving import TrafficTarget
from simulator.traffic.rollout import (
    ConfigurationRollout,
    RevisionRollout,
    Rollout,
    StepParams,
    Stepped,
    deserialize,
    goal,
    is_over,
    observe_ready,
    serialize,
    step,
    traffic_in_progress,
)
from simulator.traffic.targets import Assigned, Target

NOW = 2020
START = 1_700_000_000 * SECOND


def moving(
    name: str, shares: dict[str, int] | list[tuple[str, int]], tag: str = "", **pace: int
) -> ConfigurationRollout:
    """Return a Configuration's state; its percent is the sum of its revisions'."""
    pairs = list(shares.items()) if isinstance(shares, dict) else shares
    return ConfigurationRollout(
        configuration_name=name,
        tag=tag,
        percent=sum(percent for _, percent in pairs),
        revisions=tuple(RevisionRollout(*pair) for pair in pairs),
        step_params=StepParams(**pace),
    )


def rollout(*configurations: ConfigurationRollout) -> Rollout:
    return Rollout(configurations)


A, B, ON_C = {"a": 100}, {"b": 100}, {"c": 100}
STEPS: list[Any] = [
    pytest.param([moving("x", B)], [], [moving("x", B)], 0, id="nothing before: all at once"),
    pytest.param([moving("x", A)], [moving("x", A)], [moving("x", A)], 0, id="nothing new"),
    pytest.param(
        [moving("x", B)],
        [moving("x", A, start_time=1981, next_step_time=1984, step_duration=1988, step_size=11)],
        [moving("x", {"a": 99, "b": 1}, start_time=NOW)],
        0,
        id="a new revision begins with 1 %, at a pace that is not known yet",
    ),
    pytest.param(
        [moving("x", B)],
        [moving("x", {"a": 95, "b": 5}, start_time=2004)],
        [moving("x", {"a": 95, "b": 5}, start_time=2004)],
        0,
        id="no step before the pace is known",
    ),
    pytest.param(
        [moving("x", B)],
        [
            moving(
                "x",
                {"a": 95, "b": 5},
                start_time=4,
                next_step_time=2021,
                step_duration=5,
                step_size=3,
            )
        ],
        [
            moving(
                "x",
                {"a": 95, "b": 5},
                start_time=4,
                next_step_time=2021,
                step_duration=5,
                step_size=3,
            )
        ],
        2021,
        id="too soon for a step",
    ),
    pytest.param(
        [moving("x", B)],
        [
            moving(
                "x",
                {"a": 95, "b": 5},
                start_time=4,
                next_step_time=2020,
                step_duration=5,
                step_size=3,
            )
        ],
        [
            moving(
                "x",
                {"a": 92, "b": 8},
                start_time=4,
                next_step_time=2025,
                step_duration=5,
                step_size=3,
            )
        ],
        2025,
        id="a step at its very moment",
    ),
    pytest.param(
        [moving("x", {"d": 90})],
        [
            moving(
                "x",
                {"a": 22, "b": 5, "c": 3, "d": 60},
                next_step_time=9,
                step_duration=55,
                step_size=10,
            )
        ],
        [moving("x", {"a": 20, "d": 70}, next_step_time=NOW + 55, step_duration=55, step_size=10)],
        NOW + 55,
        id="a step takes from the next newest first, and drops who has none",
    ),
    pytest.param(
        [moving("x", {"d": 15})],
        [
            moving(
                "x",
                {"a": 5, "b": 1, "c": 1, "d": 8},
                next_step_time=9,
                step_duration=7,
                step_size=8,
            )
        ],
        [moving("x", {"d": 15})],
        0,
        id="the last step forgets the pace",
    ),
    pytest.param(
        [moving("x", ON_C)],
        [moving("x", {"a": 95, "b": 5}, start_time=38)],
        [moving("x", {"a": 95, "b": 4, "c": 1}, start_time=NOW)],
        0,
        id="a third revision in the middle takes its 1 % from the second",
    ),
    pytest.param(
        [moving("x", ON_C)],
        [moving("x", {"a": 99, "b": 1}, start_time=36)],
        [moving("x", {"a": 99, "c": 1}, start_time=NOW)],
        0,
        id="a third revision right away replaces the second",
    ),
    pytest.param(
        [moving("x", A)],
        [
            moving(
                "x",
                {"a": 60, "b": 40},
                start_time=4,
                next_step_time=9,
                step_duration=5,
                step_size=3,
            )
        ],
        [moving("x", [("a", 60), ("b", 39), ("a", 1)], start_time=NOW)],
        0,
        id="back to the older revision is a rollout too",
    ),
    pytest.param(
        [moving("x", {"c": 33})],
        [moving("x", {"a": 11, "b": 31})],
        [moving("x", {"a": 2, "b": 30, "c": 1}, start_time=NOW)],
        0,
        id="less for the configuration: the oldest lose",
    ),
    pytest.param(
        [moving("x", {"c": 75})],
        [moving("x", {"a": 11, "b": 14})],
        [moving("x", {"a": 11, "b": 63, "c": 1}, start_time=NOW)],
        0,
        id="more for the configuration: the newest gains",
    ),
    pytest.param(
        [moving("x", {"b": 20})],
        [
            moving(
                "x",
                {"a": 60, "b": 40},
                start_time=4,
                next_step_time=9,
                step_duration=5,
                step_size=3,
            )
        ],
        [moving("x", {"b": 20})],
        0,
        id="so much less that only the newest is left: it is over",
    ),
    pytest.param(
        [moving("x", {"c": 20})],
        [
            moving(
                "x",
                {"a": 60, "b": 40},
                start_time=4,
                next_step_time=9,
                step_duration=5,
                step_size=3,
            )
        ],
        [moving("x", {"b": 19, "c": 1}, start_time=NOW)],
        0,
        id="so much less, and a new revision at once",
    ),
    pytest.param(
        [moving("x", {"b": 80})],
        [
            moving(
                "x",
                {"a": 60, "b": 40},
                start_time=4,
                next_step_time=3000,
                step_duration=5,
                step_size=3,
            )
        ],
        [
            moving(
                "x",
                {"a": 40, "b": 40},
                start_time=4,
                next_step_time=3000,
                step_duration=5,
                step_size=3,
            )
        ],
        3000,
        id="less in the middle keeps the pace",
    ),
    pytest.param(
        [moving("x", {"b": 1})],
        [moving("x", {"a": 1})],
        [moving("x", {"b": 1})],
        0,
        id="1 % moves at once",
    ),
    pytest.param(
        [moving("x", {"b": 99}), moving("y", {"d": 1})],
        [moving("x", {"a": 99}), moving("y", {"c": 1})],
        [moving("x", {"a": 98, "b": 1}, start_time=NOW), moving("y", {"d": 1})],
        0,
        id="99 % moves gradually beside 1 % that does not",
    ),
    pytest.param(
        [moving("x", A), moving("x", A, tag="t")],
        [moving("x", A)],
        [moving("x", A), moving("x", A, tag="t")],
        0,
        id="a new tag has all at once",
    ),
    pytest.param(
        [moving("x", B), moving("x", B, tag="t")],
        [moving("x", A), moving("x", A, tag="t")],
        [
            moving("x", {"a": 99, "b": 1}, start_time=NOW),
            moving("x", {"a": 99, "b": 1}, tag="t", start_time=NOW),
        ],
        0,
        id="a tag's host moves gradually too",
    ),
    pytest.param(
        [moving("x", {"a": 50}), moving("y", {"c": 50})],
        [moving("y", ON_C)],
        [moving("x", {"a": 50}), moving("y", {"c": 50})],
        0,
        id="a new configuration has its part at once",
    ),
    pytest.param(
        [moving("y", ON_C)],
        [moving("x", {"a": 50}), moving("y", {"c": 50})],
        [moving("y", ON_C)],
        0,
        id="a configuration that left is forgotten",
    ),
    pytest.param(
        [moving("y", {"d": 42}), moving("x", {"b": 52})],
        [
            moving("x", {"a": 36, "b": 16}, next_step_time=2018, step_duration=55, step_size=4),
            moving("y", {"c": 37, "d": 5}, next_step_time=2019, step_duration=43, step_size=3),
        ],
        [
            moving("x", {"a": 32, "b": 20}, next_step_time=NOW + 55, step_duration=55, step_size=4),
            moving("y", {"c": 34, "d": 8}, next_step_time=NOW + 43, step_duration=43, step_size=3),
        ],
        NOW + 43,
        id="several configurations, each at its pace: the nearer moment counts",
    ),
]


@pytest.mark.parametrize(("wanted", "before", "after", "next_step_time"), STEPS)
def test_a_step(
    wanted: list[ConfigurationRollout],
    before: list[ConfigurationRollout],
    after: list[ConfigurationRollout],
    next_step_time: int,
) -> None:
    assert step(rollout(*wanted), rollout(*before), NOW) == Stepped(rollout(*after), next_step_time)


def test_without_a_state_before_all_is_as_wanted() -> None:
    assert step(rollout(moving("x", B)), None, NOW) == Stepped(rollout(moving("x", B)))


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
