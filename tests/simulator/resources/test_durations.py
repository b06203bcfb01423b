"""Go's durations, as Knative's annotations write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.resources.durations import (
    HOUR,
    MINUTE,
    SECOND,
    format_duration,
    is_whole_seconds,
    parse_duration,
)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("60s", 60 * SECOND),
        ("1h30m", 90 * MINUTE),
        ("1.5s", 1_500_000_000),
        (".5s", 500_000_000),
        ("1.s", SECOND),
        ("-1s", -SECOND),
        ("+2m", 2 * MINUTE),
        ("0", 0),
        ("-0", 0),
        ("100ms", 100_000_000),
        ("3µs", 3000),
        ("7ns", 7),
    ],
)
def test_a_duration_is_read(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "60", "s", ".s", "-", "1", "1 s", "1d", "s1", "1s ", "٣s", "9" * 39 + "h", "1ss"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (6 * SECOND, "6s"),
        (HOUR, "1h0m0s"),
        (MINUTE, "1m0s"),
        (1_500_000_000, "1.5s"),
        (20_000_000, "20ms"),
        (1500, "1.5µs"),
        (7, "7ns"),
        (-SECOND, "-1s"),
    ],
)
def test_a_duration_is_printed_as_go_does(nanoseconds: int, text: str) -> None:
    assert format_duration(nanoseconds) == text


@settings(deadline=None)
@given(st.integers(-(2**62), 2**62))
def test_what_is_printed_reads_back(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


def test_whole_seconds_lose_nothing_at_second_precision() -> None:
    assert is_whole_seconds(2 * SECOND)
    assert not is_whole_seconds(SECOND + 1)
