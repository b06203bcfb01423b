"""`knary completion SHELL` and `knary version`."""

from __future__ import annotations

import click

from simulator.cli import output


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      source <(knary completion bash)
      knary completion zsh > ~/.zfunc/_knary
      knary completion fish > ~/.config/fish/completions/knary.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}")
    root = click.get_current_context().find_root().command
    output.line(found(root, {}, "knary", "_KNARY_COMPLETE").source())


@click.command("version")
def version() -> None:
    """Print knary's version and Python's.

    \b
    Example:
      knary version
    """
    print_version()


def print_version() -> None:
    """Print "knary VERSION (Python VERSION)"."""
    import platform

    from knary import __version__

    output.line(f"knary {__version__} (Python {platform.python_version()})")
