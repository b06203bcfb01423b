"""What commands print: tables, documents, colours. Nothing heavy is imported until it is used."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import click

from simulator.cli.exits import ReaderGone
from simulator.cli.tabs import aligned

# Escape sequences and control characters: what the API returns is data, not terminal commands.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b.|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ABOUT_CONTAINERS = "Kubernetes default value is insecure"
_COLOURS = {"True": "32", "False": "31", "Unknown": "33"}


def line(text: str = "") -> None:
    """Print one line on stdout. Raise ReaderGone when nobody reads it."""
    raw(text + "\n")


def raw(text: str) -> None:
    """Print a text as it is on stdout. Raise ReaderGone when nobody reads it."""
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        raise ReaderGone from None


def note(text: str) -> None:
    """Print one line on stderr: what a program that reads stdout need not see."""
    click.echo(text, err=True)


def warn(text: str) -> None:
    """Print a warning of the API, as kubectl does."""
    # Knative says this of every template without a securityContext. It is about containers; on
    # this machine a revision is a process of the user's own, and there is nothing to change.
    if not text.startswith(_ABOUT_CONTAINERS):
        note(f"Warning: {clean(text)}")


def clean(text: str) -> str:
    """Return the text without terminal escapes and control characters; tabs and newlines stay."""
    return _CONTROL.sub("", text)


def is_coloured(stream: TextIO) -> bool:
    """Tell whether to colour: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def table(rows: Sequence[Sequence[Any]], above: Sequence[Sequence[Any]] = ()) -> None:
    """Print rows, the header among them, in kubectl's columns; None is blank.

    `above` are rows printed before, under whose columns these are to stand.
    """
    texts = [["" if cell is None else clean(str(cell)) for cell in row] for row in (*above, *rows)]
    for text in aligned(texts)[len(above) :]:
        line(coloured(text) if is_coloured(sys.stdout) else text.rstrip())


def document(value: Any, form: str) -> None:
    """Print an object as "json" or "yaml", as kubectl does; fields of bookkeeping left out."""
    shown = without_managed_fields(value)
    if form == "json":
        import json

        line(json.dumps(shown, indent=4, sort_keys=True, ensure_ascii=False))
        return
    import yaml

    text = yaml.safe_dump(
        shown, default_flow_style=False, allow_unicode=True, width=float("inf"), sort_keys=True
    )
    raw(text)


def without_managed_fields(value: Any) -> Any:
    """Return an object, or a list of them, without metadata.managedFields."""
    if not isinstance(value, dict):
        return value
    shown = dict(value)
    if isinstance(shown.get("items"), list):
        shown["items"] = [without_managed_fields(item) for item in shown["items"]]
    if isinstance(shown.get("metadata"), dict) and "managedFields" in shown["metadata"]:
        shown["metadata"] = {k: v for k, v in shown["metadata"].items() if k != "managedFields"}
    return shown


def coloured(text: str) -> str:
    """Colour the words True, False and Unknown where they are a cell of their own."""
    return re.sub(
        r"(?<=  )(True|False|Unknown)(?=  |\s*$)",
        lambda match: f"\x1b[{_COLOURS[match[0]]}m{match[0]}\x1b[0m",
        text,
    )
