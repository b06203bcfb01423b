"""The form in which meanings are written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Meaning(NamedTuple):
    """What a struct is, and each of its fields by JSON name."""

    itself: str
    fields: Mapping[str, str] = {}


Meanings = Mapping[type, Meaning]
