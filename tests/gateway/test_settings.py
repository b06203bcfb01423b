"""Limits by name: what can be set, what is refused, and that the page that lists them is true."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from gateway import settings
from gateway.settings import BadSetting, Http2Settings, Settings, with_changes

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


PAGE_2 = PAGE.with_name("http2.md")


def numbers_of(limits: Settings | Http2Settings) -> dict[str, float]:
    values = {name: getattr(limits, name) for name in limits.__struct_fields__}
    return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


def test_changes_apply_in_order() -> None:
    changed = with_changes(Settings(), ["head_s_max=5", "headers_max = 7", "head_s_max=2.5"])
    assert (changed.head_s_max, changed.headers_max) == (2.5, 7)
    assert changed.tick_s == Settings().tick_s


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("head_s_max", "is no NAME=VALUE"),
        ("header_max=1", "did you mean 'headers_max'?"),
        ("zzz=1", "docs/settings.md"),
        ("__class__=1", "there is no setting"),
        ("headers_max=1.5", "want a whole number"),
        ("head_s_max=soon", "want a number"),
        ("head_s_max=-1", "no less than 0"),
        ("head_s_max=nan", "no less than 0"),
        ("head_s_max=inf", "no less than 0"),
        ("connections_max=0", "connections_max=0: want no less than 1"),
        ("tick_s=0", "tick_s=0: want no less than 0.001"),
        ("http2=1", "there is no setting"),
        ("http2.pings_burst=1", "did you mean 'http2.pings_burst_max'?"),
        ("http2.zzz=1", "docs/http2.md"),
        ("http2.headers_max=many", "http2.headers_max=many: want a whole number"),
        ("http2.frame_bytes_max=16383", "want no less than 16384"),
        ("http2.frame_bytes_max=16777216", "want no more than 16777215"),
        ("http2.stream_window_bytes=2147483648", "want no more than 2147483647"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(change: str, why: str) -> None:
    with pytest.raises(BadSetting, match=re.escape(why)):
        with_changes(Settings(), [change])


def test_every_bound_is_of_a_setting_and_holds_its_default() -> None:
    defaults = numbers_of(Settings())
    defaults |= {f"http2.{name}": value for name, value in numbers_of(Http2Settings()).items()}
    for name, least in settings._LEAST.items():
        assert least <= defaults[name] <= settings._MOST.get(name, math.inf), name
    assert settings._MOST.keys() <= defaults.keys()


def test_the_page_has_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    told = {name: float(default) for name, default in rows}
    assert told == numbers_of(Settings())


def test_the_page_of_http2_has_every_setting_with_its_default() -> None:
    told: dict[str, float] = {}
    for names, values, text in re.findall(
        r"^\| (`[^|]+`) \| ([^|]+) \|(.*)", PAGE_2.read_text("utf-8"), re.MULTILINE
    ):
        told |= zip(re.findall(r"`(\w+)`", names), map(float, values.split(",")), strict=True)
        told |= {name: float(value) for name, value in re.findall(r"`(\w+)` \(([\d.]+)\)", text)}
    assert told == numbers_of(Http2Settings())


def test_limits_of_http2_are_set_by_their_prefix() -> None:
    changed = with_changes(
        Settings(), ["http2.headers_max=7", "headers_max=8", "http2.pings_per_s=.5"]
    )
    assert (changed.http2.headers_max, changed.headers_max, changed.http2.pings_per_s) == (
        7,
        8,
        0.5,
    )
