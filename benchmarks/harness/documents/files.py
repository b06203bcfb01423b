"""Where documents and pages go: a file, or stdout."""

from __future__ import annotations

from pathlib import Path

from simulator.cli import output
from simulator.cli.exits import UsageError

STDOUT = "-"
HTML = "Write a page for people: one file that needs nothing else."


def to_file(file: str, text: str) -> None:
    """Write a text to a file, or to stdout for "-". Raise UsageError when that fails."""
    if file == STDOUT:
        output.line(text)
        return
    try:
        Path(file).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from error
