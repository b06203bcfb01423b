"""Moments as Go reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.resources.gotimes import flaw_of_moment

LAYOUT = "2006-01-02T15:04:05Z07:00"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.123456789Z",
        "2026-01-02T03:04:05+02:00",
        "2024-02-29T23:59:59-11:30",
    ],
)
def test_moments_have_no_flaw(text: str) -> None:
    assert flaw_of_moment(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("yesterday", f'as "{LAYOUT}": cannot parse "yesterday" as "2006"'),
        ("", f'as "{LAYOUT}": cannot parse "" as "2006"'),
        ("2026-01-02", f'as "{LAYOUT}": cannot parse "" as "T"'),
        ("2026-1-2T03:04:05Z", f'as "{LAYOUT}": cannot parse "1-2T03:04:05Z" as "01"'),
        ("2026-01-02 03:04:05Z", f'as "{LAYOUT}": cannot parse " 03:04:05Z" as "T"'),
        ("2026-01-02T03:04:05", f'as "{LAYOUT}": cannot parse "" as "Z07:00"'),
    ],
)
def test_go_says_where_it_stops(text: str, why: str) -> None:
    assert flaw_of_moment(text) == f'parsing time "{text}" {why}'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-01-02T03:04:05Zx", 'extra text: "x"'),
        ("2026-13-02T03:04:05Z", "month out of range"),
        ("2026-02-30T03:04:05Z", "day out of range"),
        ("2026-01-02T24:04:05Z", "hour out of range"),
        ("2026-01-02T03:60:05Z", "minute out of range"),
        ("2026-01-02T03:04:60Z", "second out of range"),
    ],
)
def test_what_is_too_much_is_named(text: str, why: str) -> None:
    assert flaw_of_moment(text) == f'parsing time "{text}": {why}'


@given(st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year >= 1000))
def test_every_moment_is_one(moment: datetime) -> None:
    assert flaw_of_moment(moment.strftime("%Y-%m-%dT%H:%M:%SZ")) is None


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    flaw = flaw_of_moment(text)
    assert flaw is None or flaw.startswith('parsing time "')
