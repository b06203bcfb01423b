"""Limits by name: what can be set, what is refused, and that the page that lists them is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.settings import BadSetting, Settings, with_changes

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


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
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(change: str, why: str) -> None:
    with pytest.raises(BadSetting, match=re.escape(why)):
        with_changes(Settings(), [change])


def test_the_page_has_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    told = {name: float(default) for name, default in rows}
    real = {name: float(getattr(Settings(), name)) for name in Settings.__struct_fields__}
    assert told == real
