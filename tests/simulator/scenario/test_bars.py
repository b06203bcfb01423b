from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.scenario.bars import bar_cells, order_signs


@pytest.mark.parametrize(
    ("counts", "cells"),
    [
        pytest.param({}, {}, id="nobody"),
        pytest.param({"a": 0}, {"a": 0}, id="no answer yet"),
        pytest.param({"a": 50, "b": 50}, {"a": 20, "b": 20}, id="half and half"),
        pytest.param({"a": 999, "b": 1}, {"a": 39, "b": 1}, id="a small canary is seen"),
        pytest.param({"a": 1, "b": 1, "c": 1}, {"a": 14, "b": 13, "c": 13}, id="thirds"),
    ],
)
def test_a_bar_gives_each_its_share(counts, cells) -> None:
    assert bar_cells(counts, 40) == cells


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 10_000), max_size=30),
    st.integers(30, 100),
)
def test_a_bar_is_full_and_shows_everyone(counts: dict[str, int], width: int) -> None:
    cells = bar_cells(counts, width)
    assert sum(cells.values()) == (width if sum(counts.values()) else 0)
    assert all(cells[name] >= 1 for name, count in counts.items() if count)
    assert all(cells[name] == 0 for name, count in counts.items() if not count)


def test_an_order_is_a_letter_per_answer() -> None:
    assert order_signs(["v2", "v1", "", "v2"]) == "ba!b"
