"""A gradual rollout, in the numbers of knative/serving's own examples, and what always holds."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.resources.durations import SECOND
from simulator.traffic.rollout import (
    ConfigurationRollout,
    Stepped,
    step,
)
from tests.support.rollouts import moving, rollout

NOW = 2020
START = 1_700_000_000 * SECOND

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
