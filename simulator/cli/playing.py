"""What `knary demo` and `knary run` share: reading a scenario, and how it is shown."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from simulator.cli.exits import UsageError
from simulator.scenario.model import Scenario
from simulator.scenario.present import (
    OUTPUT_LINES_SHOWN,
    OUTPUT_LINES_VERBOSE,
    PlainPresenter,
    Presenter,
)
from simulator.scenario.reading import ScenarioError, parse_scenario


def read_scenario(path: Path) -> Scenario:
    """Return the scenario of a file. Raise UsageError, which names file, line and column."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"cannot read {path}: {why}") from error
    try:
        return parse_scenario(text, _short(path))
    except ScenarioError as error:
        raise UsageError(str(error)) from error


@contextlib.contextmanager
def presenter_for(*, verbose: bool, stream: TextIO | None = None) -> Iterator[Presenter]:
    """Give the presenter that fits a stream, stdout unless told otherwise.

    It has colours on a terminal, plain lines elsewhere.
    """
    stream = stream or sys.stdout
    lines_max = OUTPUT_LINES_VERBOSE if verbose else OUTPUT_LINES_SHOWN
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield PlainPresenter(stream, lines_max)
        return
    from rich.console import Console

    from simulator.scenario.terminal import TerminalPresenter

    presenter = TerminalPresenter(Console(file=stream, highlight=False), lines_max)
    try:
        yield presenter
    finally:
        presenter.close()


def _short(path: Path) -> str:
    """Return the path as a user would type it from here, when that is shorter."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
