"""How far the controllers are: what a command that waits for settings may rely on."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.reconciling.progress import Progress, Unlooked

STEPS = [
    pytest.param([], 9, id="nothing concerns it"),
    pytest.param([("woken", "a", 7)], 6, id="a key waits"),
    pytest.param([("woken", "a", 7), ("woken", "a", 9)], 6, id="the first change counts"),
    pytest.param([("woken", "b", 8), ("woken", "a", 5)], 4, id="the first key counts"),
    pytest.param([("woken", "a", 7), ("begin", "a")], 6, id="it is looked at"),
    pytest.param([("woken", "a", 7), ("begin", "a"), ("end", "a")], 9, id="it was looked at"),
    pytest.param(
        [("woken", "a", 7), ("begin", "a"), ("woken", "a", 8), ("end", "a")],
        7,
        id="it changed while it was looked at",
    ),
    pytest.param(
        [("woken", "a", 7), ("begin", "a"), ("repeat", "a"), ("end", "a")],
        6,
        id="the look came to nothing",
    ),
    pytest.param(
        [("woken", "a", 7), ("begin", "a"), ("woken", "a", 8), ("repeat", "a"), ("end", "a")],
        6,
        id="the look came to nothing, and it changed",
    ),
    pytest.param([("begin", "a"), ("repeat", "a")], 9, id="nobody waits for a timer"),
]


@pytest.mark.parametrize(("steps", "version"), STEPS)
def test_a_version_is_done_with_when_all_that_it_woke_was_looked_at(
    steps: list[tuple[Any, ...]], version: int
) -> None:
    unlooked: Unlooked[Any] = Unlooked()
    progress = Progress()
    progress.follow(unlooked)
    progress.follow(Unlooked())
    progress.took(9)
    for verb, *arguments in steps:
        getattr(unlooked, verb)(*arguments)
    assert progress.version == version
