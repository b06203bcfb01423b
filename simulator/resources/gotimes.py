"""Moments as Go reads them: RFC 3339, and what it says of a text that is none.

Source: Go `time/format.go` (Parse, ParseError); apimachinery `meta/v1/time.go`.
"""

from __future__ import annotations

import re
from datetime import datetime

_LAYOUT = "2006-01-02T15:04:05Z07:00"
# Each piece of the layout, and what stands for it.
_PIECES = (
    ("2006", r"\d{4}"),
    ("-", "-"),
    ("01", r"\d{2}"),
    ("-", "-"),
    ("02", r"\d{2}"),
    ("T", "T"),
    ("15", r"\d{2}"),
    (":", ":"),
    ("04", r"\d{2}"),
    (":", ":"),
    ("05", r"\d{2}(?:\.\d{1,20})?"),
    ("Z07:00", r"Z|[+-]\d{2}:\d{2}"),
)
_SHOWN_MAX = 100


def flaw_of_moment(text: str) -> str | None:
    """Return Go's words for a text that is no moment, or None."""
    position = 0
    for piece, pattern in _PIECES:
        match = re.compile(pattern, re.ASCII).match(text, position)
        if match is None:
            rest = text[position:][:_SHOWN_MAX]
            return f'{_parsing(text)} as "{_LAYOUT}": cannot parse "{rest}" as "{piece}"'
        position = match.end()
    if position < len(text):
        return f'{_parsing(text)}: extra text: "{text[position:][:_SHOWN_MAX]}"'
    try:
        # Python takes no fraction of more than six digits; what it is does not matter here.
        datetime.fromisoformat(re.sub(r"\.\d+", "", text))
    except ValueError:
        return f"{_parsing(text)}: {_out_of_range(text)} out of range"
    return None


def _parsing(text: str) -> str:
    return f'parsing time "{text[:_SHOWN_MAX]}"'


def _out_of_range(text: str) -> str:
    bounds = (
        ("month", text[5:7], range(1, 13)),
        ("hour", text[11:13], range(24)),
        ("minute", text[14:16], range(60)),
        ("second", text[17:19], range(60)),
    )
    wrong = [name for name, digits, fit in bounds if int(digits) not in fit]
    return wrong[0] if wrong else "day"
