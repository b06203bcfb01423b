"""When a line was written, from marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.replicalogs.files import all_of, is_of_a_log
from simulator.replicalogs.marks import Mark, Moments, packed, stamp, thinned, unpacked

MARKS = st.lists(st.builds(Mark, st.integers(0, 50), st.integers(0, 2**63 - 1)), max_size=20)


@pytest.mark.parametrize(
    ("offset", "at_ns"),
    [(0, 10), (4, 10), (5, 20), (8, 20), (9, 99), (1000, 99)],
)
def test_a_byte_is_as_old_as_the_first_mark_behind_it(offset: int, at_ns: int) -> None:
    moments = Moments()
    moments.add([Mark(5, 10), Mark(9, 20)])
    assert moments.at_ns(offset, 99) == at_ns


def test_a_clock_that_was_set_back_stands_still() -> None:
    moments = Moments()
    moments.add([Mark(5, 100), Mark(9, 20), Mark(12, 200)])
    assert [moments.at_ns(offset, 30) for offset in (0, 5, 9, 12)] == [100, 100, 200, 200]


@given(MARKS, st.integers(0, 2**63 - 1))
def test_moments_never_go_down_whatever_the_marks(marks: list[Mark], changed_ns: int) -> None:
    moments = Moments()
    moments.add(marks)
    found = [moments.at_ns(offset, changed_ns) for offset in range(60)]
    assert found == sorted(found)


@given(MARKS, st.integers(0, 15))
def test_marks_are_read_as_they_were_written_but_for_one_half_written(
    marks: list[Mark], cut: int
) -> None:
    data = packed(marks)
    assert unpacked(data) == marks
    assert unpacked(data[: len(data) - cut]) == (marks if cut == 0 else marks[:-1])


@given(MARKS)
def test_thinning_halves_and_keeps_the_last(marks: list[Mark]) -> None:
    kept = thinned(marks)
    assert len(kept) == (len(marks) + 1) // 2
    assert kept[-1:] == marks[-1:]
    assert [one for one in marks if one in kept] or not marks


@pytest.mark.parametrize(
    ("at_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1_767_225_600_123_456_789, "2026-01-01T00:00:00.123456789Z"),
        (999_999_999, "1970-01-01T00:00:00.999999999Z"),
    ],
)
def test_a_moment_is_written_as_the_kubelet_writes_it(at_ns: int, text: str) -> None:
    assert stamp(at_ns) == text


def test_every_file_of_a_log_is_known_as_one() -> None:
    assert all(map(is_of_a_log, all_of("p.log")))
    assert not any(map(is_of_a_log, ("p.marks", "notes.txt", "p.log.bak")))
