"""Percents in hundredths, in an annotation of ours beside the whole ones of `spec.traffic`. Pure.

The whole percents are the law. The annotation says no more than how each is to be read, within
less than one point; where it does not fit them, it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LATEST = "@latest"  # as kn calls the entry that follows the newest ready revision
POINT = 100  # hundredths
WHOLE = 100 * POINT
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?", re.ASCII)


def parse_percents(text: str) -> dict[str, int]:
    """Return hundredths by name from "NAME=PERCENT,…". Raise ValueError, which says why not."""
    found: dict[str, int] = {}
    for part in text.split(","):
        name, equals, number = (each.strip() for each in part.partition("="))
        if not name or not equals:
            raise ValueError("want NAME=PERCENT for each revision, such as hello-00002=0.1")
        if name in found:
            raise ValueError(f"{name} is named twice")
        match = _PERCENT.fullmatch(number)
        hundredths = int(match[1]) * POINT + int((match[2] or "").ljust(2, "0")) if match else 0
        if not 0 < hundredths <= WHOLE:
            raise ValueError(f"{number} of {name} is none of 0.01 to 100 in steps of 0.01")
        found[name] = hundredths
    return found


def written(hundredths: Mapping[str, int]) -> str:
    """Return the text that says so."""
    return ",".join(f"{name}={value / POINT:g}" for name, value in hundredths.items())


def total(hundredths: Mapping[str, int]) -> str:
    """Return their sum as a percent."""
    return f"{sum(hundredths.values()) / POINT:g}"


def why_unfit(hundredths: Mapping[str, int], percents: Mapping[str, int]) -> str:
    """Return why these do not refine the whole percents of the entries above 0; "" if they do."""
    for name, percent in percents.items():
        if name not in hundredths:
            return f"{name} has {percent} percent and is not named"
    for name, value in hundredths.items():
        if name not in percents:
            return f"{name} has no percent"
        if abs(value - percents[name] * POINT) >= POINT:
            return f"{name} has {percents[name]} percent, a point or more away"
    return ""
