"""What kn's list commands share: their flags, the request, the ways to print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import click

from simulator.cli import output
from simulator.cli.kinds import Kind
from simulator.client import ApiClient, Document

Command = TypeVar("Command", bound=Callable[..., Any])


class ListFlags(NamedTuple):
    """A namespace of None is all of them; `form` None is a table."""

    namespace: str | None
    form: str | None
    headers: bool


def list_options(command: Command) -> Command:
    """Give a command `-n`, `-A`, `-o` and `--no-headers`; it receives ListFlags as `flags`."""

    def call(
        *args: Any,
        namespace: str,
        all_namespaces: bool,
        form: str | None,
        no_headers: bool,
        **kwargs: Any,
    ) -> Any:
        chosen = None if all_namespaces else namespace
        return command(*args, flags=ListFlags(chosen, form, not no_headers), **kwargs)

    call.__doc__ = command.__doc__
    call.__name__ = command.__name__
    decorated: Any = call
    for option in (
        click.option("--no-headers", is_flag=True, help="Leave the header out."),
        click.option(
            "-o",
            "--output",
            "form",
            type=click.Choice(["json", "yaml", "name", "url"]),
            help="Form of the output.",
        ),
        click.option("-A", "--all-namespaces", is_flag=True, help="Of every namespace."),
        click.option(
            "-n",
            "--namespace",
            default="default",
            metavar="NS",
            show_default=True,
            help="Namespace.",
        ),
    ):
        decorated = option(decorated)
    decorated.__click_params__ += getattr(command, "__click_params__", [])
    result: Command = decorated
    return result


def fetch(
    client: ApiClient, kind: Kind, name: str | None, flags: ListFlags, selector: str = ""
) -> Document:
    """Return the list of a kind, of one name when it is given."""
    query = {"labelSelector": selector} if selector else {}
    if name:
        query["fieldSelector"] = f"metadata.name={name}"
    return client.list(kind, flags.namespace, query)


def show(
    found: Document,
    flags: ListFlags,
    columns: Sequence[str],
    cells: Callable[[Document], Sequence[Any]],
) -> None:
    """Print a list as the flags want it; `cells` makes a row of the table."""
    items = found["items"]
    if flags.form in ("json", "yaml"):
        output.document(found, flags.form)
    elif flags.form == "name":
        for item in items:
            group = item["apiVersion"].partition("/")[0]
            output.line(f"{item['kind'].lower()}.{group}/{item['metadata']['name']}")
    elif flags.form == "url":
        for item in items:
            output.line(item.get("status", {}).get("url", ""))
    elif not items:
        output.line(f"No {found['kind'].removesuffix('List').lower()}s found.")
    else:
        everywhere = flags.namespace is None
        rows = [
            [*([item["metadata"].get("namespace", "")] if everywhere else []), *cells(item)]
            for item in items
        ]
        header = [*(["NAMESPACE"] if everywhere else []), *columns]
        output.table([header, *rows] if flags.headers else rows)
