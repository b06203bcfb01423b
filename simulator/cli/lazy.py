"""A group of commands whose modules are imported only when they are used."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class Entry(NamedTuple):
    """Where a command is, and the line that the group's help shows for it."""

    module: str
    attribute: str
    help: str
    aliases: tuple[str, ...] = ()


class LazyGroup(click.Group):
    """`entries` maps names to commands. Unknown names are answered with near ones."""

    def __init__(self, *, entries: Mapping[str, Entry], **settings: Any) -> None:
        super().__init__(**settings)
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's)
        """Return the names in the order of the table: the story's order, not the alphabet's."""
        return list(self._entries)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's)
        cmd_name: str,
    ) -> click.Command | None:
        entry = self._find(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(importlib.import_module(entry.module), entry.attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        given = args[0]
        command = self.get_command(ctx, given)
        if command is None:
            near = suggestions(given, [*self._entries, *self._aliases()])
            ctx.fail(f"no command '{given}'{near}")
        return command.name, command, args[1:]

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's)
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the list of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self._entries.items()])

    def _find(self, name: str) -> Entry | None:
        if name in self._entries:
            return self._entries[name]
        for entry in self._entries.values():
            if name in entry.aliases:
                return entry
        return None

    def _aliases(self) -> list[str]:
        return [alias for entry in self._entries.values() for alias in entry.aliases]


def suggestions(given: str, known: list[str]) -> str:
    """Return "; did you mean A or B?", or "" when nothing is near."""
    near = difflib.get_close_matches(given, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(near)}?" if near else ""
