"""What a check of a file found."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Finding(Struct, frozen=True, order=True):
    """An error, or advice, at a place of a file; line and column count from 1."""

    file: str
    line: int
    column: int
    level: Literal["error", "advice"]
    message: str

    @property
    def text(self) -> str:
        word = "" if self.level == "error" else "advice: "
        return f"{self.file}:{self.line}:{self.column}: {word}{self.message}"
